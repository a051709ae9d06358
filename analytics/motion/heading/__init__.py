"""The difference of headings between two sensors that have no compass.

Each orientation filter's earth frame has its own heading, and they drift apart. What a joint cannot do tells the
difference: `constraints` say it for joints that turn about one axis, about two, and within a range about three;
`relative` follows it, sample by sample.
"""

from .constraints import HingeConstraint, JointConstraint, RangeConstraint, TwoAxisConstraint
from .relative import Heading, RelativeHeading
from .shared_turning import heading_from_shared_turning

__all__ = [
    "Heading",
    "HingeConstraint",
    "JointConstraint",
    "RangeConstraint",
    "RelativeHeading",
    "TwoAxisConstraint",
    "heading_from_shared_turning",
]

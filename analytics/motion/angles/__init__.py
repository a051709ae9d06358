"""Joint angles by the ISB's recommendations, how sure they are, and what one sensor alone can say.

FRAMES.md beside this package shows the frames and signs.
"""

from .gravity import inclination_about_rad, inclination_variance_rad2, up_in_sensor
from .hinge_axes import HingeAxes, hinge_axes
from .joints import JOINTS, JointAngles, Side, joint_angles, lean_deg, shoulder_angles
from .segment_frame import SegmentFrame, segment_frame
from .single_sensor import single_sensor_refusal
from .uncertainty import AngleErrors

__all__ = [
    "JOINTS",
    "AngleErrors",
    "HingeAxes",
    "JointAngles",
    "SegmentFrame",
    "Side",
    "hinge_axes",
    "inclination_about_rad",
    "inclination_variance_rad2",
    "joint_angles",
    "lean_deg",
    "segment_frame",
    "shoulder_angles",
    "single_sensor_refusal",
    "up_in_sensor",
]

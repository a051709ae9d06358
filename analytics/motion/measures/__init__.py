"""What is measured of a movement, each figure with its unit and error. docs/measures.md explains them to clinicians."""

from analytics.motion.measures.change import PUBLISHED_RETEST, Change, Retest, change, changes, symmetries, symmetry
from analytics.motion.measures.of_set import of_session, of_set
from analytics.motion.measures.repetition import measures_of
from analytics.motion.measures.unmeasurable import UnmeasurableError

__all__ = [
    "PUBLISHED_RETEST",
    "Change",
    "Retest",
    "UnmeasurableError",
    "change",
    "changes",
    "measures_of",
    "of_session",
    "of_set",
    "symmetries",
    "symmetry",
]

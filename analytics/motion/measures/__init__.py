"""What is measured of a movement, each figure with its unit and error. docs/measures.md explains them to clinicians."""

from analytics.motion.measures.change import PUBLISHED_RETEST, Change, Retest, change, symmetry
from analytics.motion.measures.measure import Measure, Unit, UnmeasurableError
from analytics.motion.measures.of_set import of_set
from analytics.motion.measures.repetition import measures_of

__all__ = [
    "PUBLISHED_RETEST",
    "Change",
    "Measure",
    "Retest",
    "Unit",
    "UnmeasurableError",
    "change",
    "measures_of",
    "of_set",
    "symmetry",
]

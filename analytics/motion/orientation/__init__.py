"""Orientation of worn sensors from their accelerometer and gyroscope, and from a magnetometer only when asked: indoors
it makes joint angles worse, so headings stay arbitrary and `heading` deals with that.

intake → filter (all sensors in one step) → smoothing, after the session. `vqf` and `vqf_offline` are the published
algorithm, kept as the measure of our own.
"""

from analytics.motion.orientation.filter import OrientationFilter
from analytics.motion.orientation.intake import BRIDGED_GAP_S, Intake, IntakeNote
from analytics.motion.orientation.readings import ReadingFault, check_readings
from analytics.motion.orientation.smoothing import online_and_smoothed

__all__ = [
    "BRIDGED_GAP_S",
    "Intake",
    "IntakeNote",
    "OrientationFilter",
    "ReadingFault",
    "check_readings",
    "online_and_smoothed",
]

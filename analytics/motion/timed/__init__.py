"""Timed tests: five times and thirty seconds of sit to stand, and the knee's range in walking."""

from analytics.motion.timed.chair import ChairTest, five_times, thirty_seconds
from analytics.motion.timed.lumbar import Lift, LumbarChair, practice_lift
from analytics.motion.timed.thigh import ThighChair
from analytics.motion.timed.transition import Transition
from analytics.motion.timed.walking import knee_walking_range

__all__ = [
    "ChairTest",
    "Lift",
    "LumbarChair",
    "ThighChair",
    "Transition",
    "five_times",
    "knee_walking_range",
    "practice_lift",
    "thirty_seconds",
]

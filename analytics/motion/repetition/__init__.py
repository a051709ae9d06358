"""Counts repetitions: on a joint angle, or from one sensor where an exercise has no single angle."""

from analytics.motion.repetition.counter import CountedRepetition, Phase, RepetitionCounter
from analytics.motion.repetition.refusal import NotCounted, Reason

__all__ = ["CountedRepetition", "NotCounted", "Phase", "Reason", "RepetitionCounter"]

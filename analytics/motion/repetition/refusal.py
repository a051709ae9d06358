"""Movements that were seen and not counted, with the reason, so that nobody wonders where a repetition went."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    TOO_SHORT = "too_short"
    """It turned back before the range that is asked for."""
    NOT_RETURNED = "not_returned"
    """It went out and stayed there."""
    INTERRUPTED = "interrupted"
    """Samples are missing inside: its turning point may not have been seen."""
    ALONE = "alone"
    """After a pause, something a little like a repetition, and nothing like it followed."""
    WALKING = "walking"
    NEIGHBOUR_MOVED = "neighbour_moved"
    """One sensor alone cannot tell the joint's movement from its neighbour's."""


@dataclass(frozen=True, slots=True)
class NotCounted:
    """Session times of the movement. reached_deg, needed_deg: its excursion and the least that counts, where an angle
    is followed. why: what more there is to say, a sentence."""

    start_s: float
    end_s: float
    reason: Reason
    reached_deg: float | None = None
    needed_deg: float | None = None
    why: str = ""

    @property
    def sentence(self) -> str:
        """For the person who exercises."""
        match self.reason:
            case Reason.TOO_SHORT if self.reached_deg is not None and self.needed_deg is not None:
                return f"Not counted: stopped at {self.reached_deg:.0f}°, target {self.needed_deg:.0f}°."
            case Reason.TOO_SHORT:
                return "Not counted: the movement was too short."
            case Reason.NOT_RETURNED:
                return "Not counted: go all the way back before the next one."
            case Reason.INTERRUPTED:
                return "Not counted: the sensor was out of reach for a moment."
            case Reason.WALKING:
                return "Not counted: you were walking."
            case Reason.NEIGHBOUR_MOVED:
                return f"Not counted: {self.why or 'the part of you beside the sensor moved as well.'}"
            case Reason.ALONE:
                return "Not counted: this looked different from your repetitions."

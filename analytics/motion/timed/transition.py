"""A change between sitting and standing, whichever sensor saw it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Transition:
    """One rise from the chair, or one way down.

    start_s: the last moment of rest before it. middle_s: half of the way was done. end_s: movement has all but stopped
    at its far end. reached: how far it came, as a share of the full way. complete: far enough to be standing, or
    sitting; otherwise the person went back. start_error_s, end_error_s: one standard deviation, as found on simulated
    stands; no recording with a switch in the seat is at hand.
    """

    up: bool
    start_s: float
    middle_s: float
    end_s: float
    reached: float
    complete: bool
    start_error_s: float
    end_error_s: float

    def __str__(self) -> str:
        if self.complete:
            return "stood up" if self.up else "sat down"
        what, where = ("stand", "standing") if self.up else ("sitting down", "the seat")
        return f"This {what} was not counted: it came {100 * self.reached:.0f} % of the way to {where}."

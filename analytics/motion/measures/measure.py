"""One figure about a movement, with its unit, its error and its plain name."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class UnmeasurableError(ValueError):
    """The movement cannot be measured; the message is a sentence to show."""


class Unit(StrEnum):
    DEGREE = "°"
    DEGREE_PER_SECOND = "°/s"
    SECOND = "s"
    PERCENT = "%"
    COUNT = "times"
    NONE = ""


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure and how far to trust it.

    error: one standard deviation, in the same unit. Where there is none, `why_no_error` says in one sentence why.
    """

    code: str
    name: str
    value: float
    unit: Unit
    error: float | None = None
    why_no_error: str = ""

    def __post_init__(self) -> None:
        if (self.error is None) == (not self.why_no_error):
            raise ValueError(f"The measure {self.code} needs an error or the reason why it has none, and not both.")

    def __str__(self) -> str:
        unit = self.unit if self.unit.startswith("°") else f" {self.unit}".rstrip()
        if self.error is None:
            return f"{self.name}: {self.value:.3g}{unit}"
        places = _places(self.error)
        return f"{self.name}: {self.value:.{places}f} ± {self.error:.{places}f}{unit}"


def _places(error: float) -> int:
    """Digits after the point: none that the error does not bear."""
    return 0 if error >= 1 else 1 if error >= 0.1 else 2

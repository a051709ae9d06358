"""One figure about a movement, with its unit, its error and its plain name."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from .base import Word


class Unit(StrEnum):
    DEGREE = "°"
    DEGREE_PER_SECOND = "°/s"
    SECOND = "s"
    PERCENT = "%"
    COUNT = "times"
    NONE = ""


class Measure(Word):
    """A figure and how far to trust it. docs/measures.md explains each to clinicians."""

    code: str = Field(min_length=1)
    name: str = Field(min_length=1)
    value: float = Field(allow_inf_nan=False)
    unit: Unit
    error: float | None = Field(default=None, ge=0, description="one standard deviation, in the same unit")
    why_no_error: str = Field(default="", description="in one sentence, where there is no error")

    @model_validator(mode="after")
    def _says_how_far_to_trust_it(self) -> Self:
        if (self.error is None) == (not self.why_no_error):
            raise ValueError(f"the measure {self.code} needs an error or the reason why it has none, and not both")
        return self

    def __str__(self) -> str:
        unit = self.unit if self.unit.startswith("°") else f" {self.unit}".rstrip()
        if self.error is None:
            return f"{self.name}: {self.value:.3g}{unit}"
        places = _places(self.error)
        return f"{self.name}: {self.value:.{places}f} ± {self.error:.{places}f}{unit}"


def _places(error: float) -> int:
    """Digits after the point: none that the error does not bear."""
    return 0 if error >= 1 else 1 if error >= 0.1 else 2

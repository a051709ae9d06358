"""An exercise as a test: what is measured, what is known of other people, and how far a result may be off."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from .base import Word


class Measures(StrEnum):
    TIME = "time"
    """How long a number of repetitions takes."""
    REPETITIONS = "repetitions"
    """How many are done in a time."""
    RANGE = "range"
    """How far the primary angle moves meanwhile."""


class Unit(StrEnum):
    SECONDS = "s"
    REPETITIONS = "repetitions"
    DEGREES = "deg"


class Published(Word):
    """A figure from a source that somebody has read. `means` says what it is: 'slower than average above this'."""

    group: str = Field(min_length=1, description="whom it was found in")
    value: float = Field(allow_inf_nan=False)
    means: str = Field(min_length=1)
    source: str = Field(min_length=1)


class TimedTest(Word):
    measures: Measures
    repetitions: int | None = Field(default=None, ge=1, le=100)
    seconds: float | None = Field(default=None, gt=0, le=600)
    references: tuple[Published, ...] = Field(min_length=1)
    errors: tuple[Published, ...] = Field(min_length=1, description="what a change must exceed to be more than error")

    @property
    def unit(self) -> Unit:
        """Of the result, the references and the errors."""
        return {Measures.TIME: Unit.SECONDS, Measures.REPETITIONS: Unit.REPETITIONS, Measures.RANGE: Unit.DEGREES}[
            self.measures
        ]

    @model_validator(mode="after")
    def _says_how_much(self) -> Self:
        needed, other = ("repetitions", "seconds") if self.measures is Measures.TIME else ("seconds", "repetitions")
        if getattr(self, needed) is None or getattr(self, other) is not None:
            raise ValueError(f"a test that measures {self.measures} needs {needed}, and no {other}")
        return self

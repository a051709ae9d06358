"""What is prescribed, and within which limits."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from .base import Word
from .body import Side


class Dose(Word):
    """How much of one exercise."""

    sets: int = Field(ge=1, le=20)
    repetitions: int = Field(ge=1, le=100)
    target_excursion_deg: float | None = Field(
        gt=0, le=180, description="how far the joint should move from its rest pose; None where no angle is followed"
    )
    rest_s: float = Field(default=60, ge=0, le=600)


class Prescription(Word):
    exercise: str = Field(description="code in the catalogue")
    side: Side
    dose: Dose
    rest_pose_deg: float | None = Field(
        default=None,
        ge=-30,
        le=180,
        description="the joint in the rest pose by a clinician's goniometer",
    )


class WeightBearing(StrEnum):
    """How much weight the leg may take, in the usual four grades."""

    NONE = "none"
    TOUCH = "touch"
    PARTIAL = "partial"
    AS_TOLERATED = "as_tolerated"


class Brace(Word):
    """A brace to be worn. `locked_deg`: the flexion it is locked at, None where it moves freely."""

    name: str = Field(min_length=1)
    locked_deg: float | None = Field(default=None, ge=0, le=180)


class Restriction(Word):
    """What must not happen, set by a clinician, until a day: any of an excursion never to be asked for, weight on the
    leg, and going without a brace."""

    exercise: str
    largest_excursion_deg: float | None = Field(default=None, gt=0, le=180)
    weight_bearing: WeightBearing | None = None
    brace: Brace | None = None
    until: date | None = None
    set_by: str

    @model_validator(mode="after")
    def _restricts(self) -> Self:
        if self.largest_excursion_deg is None and self.weight_bearing is None and self.brace is None:
            raise ValueError("a restriction must say what it restricts: an excursion, weight-bearing or a brace")
        return self

    def in_force(self, day: date) -> bool:
        """Whether it holds on that day; its last day is one of them."""
        return self.until is None or day <= self.until


class Program(Word):
    """One numbered, immutable version of what a patient is to do."""

    patient_id: str
    version: int = Field(ge=1)
    phase: str
    prescriptions: tuple[Prescription, ...] = Field(min_length=1)
    restrictions: tuple[Restriction, ...] = ()
    approved_by: str
    approved_at: datetime
    reason: str


class Assignment(Word):
    """What a gateway holds for its patient."""

    patient_id: str
    patient_name: str
    program: Program
    live_view: bool = Field(default=False, description="the patient agrees that the physiotherapist watches")
    exercises: dict[str, str] = Field(
        default_factory=dict, description="the clinic's own exercises that the program asks for: TOML by code"
    )

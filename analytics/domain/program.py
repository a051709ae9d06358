"""What is prescribed, and within which limits."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field

from .base import Word
from .exercise import Side


class Dose(Word):
    """How much of one exercise."""

    sets: int = Field(ge=1, le=20)
    repetitions: int = Field(ge=1, le=100)
    target_excursion_deg: float = Field(gt=0, le=180, description="how far the joint should move from its rest pose")
    rest_s: float = Field(default=60, ge=0, le=600)


class Prescription(Word):
    exercise: str = Field(description="code in the catalogue")
    side: Side
    dose: Dose


class Restriction(Word):
    """What must not happen, set by a clinician: here, an excursion never to be asked for, until a day."""

    exercise: str
    largest_excursion_deg: float = Field(gt=0, le=180)
    until: date | None = None
    set_by: str

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

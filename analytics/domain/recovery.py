"""A patient's outcomes over time, where they are heading, and what should change."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from .base import Word
from .program import Prescription

KNEE_RANGE = "knee_flexion_range_deg"
"""The one outcome so far: active knee flexion range in the exercise, median of the session's best three repetitions.

It is an excursion, so it needs no zero of the joint.
"""


class CoursePoint(Word):
    """One measurement. `day` counts from the start of the episode, usually surgery."""

    day: float
    value: float
    error: float = Field(gt=0, description="one standard deviation of the measurement")
    session_id: UUID | None = None
    simulated: bool = False


class Course(Word):
    patient_id: str
    outcome: str
    points: tuple[CoursePoint, ...]


class ForecastPoint(Word):
    day: float
    mean: float
    low: float = Field(description="5 % quantile of what will be measured")
    high: float = Field(description="95 % quantile of what will be measured")


class Forecast(Word):
    """Where an outcome is heading. The band is for measured values, so it holds the measurement's error too."""

    patient_id: str
    outcome: str
    made_at: datetime
    points: tuple[ForecastPoint, ...]
    goal: float
    goal_day: float | None = Field(default=None, description="None: not reached within the horizon on the mean course")
    goal_day_low: float | None = None
    goal_day_high: float | None = Field(default=None, description="None: the slow edge never reaches it in the horizon")
    model: str
    model_sha256: str
    measurements_used: int
    warnings: tuple[str, ...] = ()


class ProposalStatus(StrEnum):
    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"
    SUPERSEDED = "superseded"


class Proposal(Word):
    """A change of program with its reasons. Nothing changes before a physiotherapist decides."""

    id: UUID
    patient_id: str
    made_at: datetime
    from_version: int
    before: Prescription
    after: Prescription
    rule: str = Field(description="code of the rule in analytics/safety/rules.toml that led to it")
    reason: str = Field(description="one sentence a physiotherapist can check")
    evidence: tuple[str, ...] = Field(description="the measurements it rests on, in words with figures")
    rejected_alternatives: tuple[str, ...] = ()
    status: ProposalStatus = ProposalStatus.WAITING
    decided_by: str | None = None
    decided_at: datetime | None = None
    decision_reason: str | None = None

"""One exercising: what was done, how well, and how it felt.

Times within a session are seconds on the gateway's clock since the session began.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import Field

from .base import Word
from .check_in import CheckIn
from .exercise import Segment, Side
from .measure import Measure
from .program import Dose


class FormLabel(StrEnum):
    CORRECT = "correct"
    TOO_FAST = "too_fast"
    LOW_AMPLITUDE = "low_amplitude"
    NOT_JUDGED = "not_judged"


class Form(Word):
    """How a repetition was done. `probability` is the model's; without it the label is not, and `reason` says why."""

    label: FormLabel
    probability: float | None = Field(default=None, ge=0, le=1)
    reason: str | None = None


class Repetition(Word):
    """One counted movement away from the rest pose and back. Without an angle, where it was counted by its pattern,
    all that is in degrees is None."""

    number: int = Field(ge=1)
    start_s: float
    peak_s: float
    end_s: float
    excursion_deg: float | None = Field(
        allow_inf_nan=False, description="range moved; needs no zero, so it is the figure to trust"
    )
    excursion_error_deg: float | None = Field(allow_inf_nan=False, description="one standard deviation")
    peak_flexion_deg: float | None = Field(
        allow_inf_nan=False, description="flexion at the turning point; as good as the session's zero"
    )
    peak_velocity_deg_s: float | None = Field(allow_inf_nan=False)
    form: Form
    measures: tuple[Measure, ...] = Field(default=(), description="what else was measured of it; see docs/measures.md")


class Zero(StrEnum):
    """Where 0° of the joint comes from."""

    GONIOMETER = "goniometer"
    REST_POSE_UNVERIFIED = "rest_pose_unverified"


class Calibration(Word):
    """How the joint's axis was found from movement, and how far to trust it."""

    axis_explained: float = Field(ge=0, le=1, description="share of the rotation that lies on the one axis")
    excursion_deg: float = Field(description="rotation seen while calibrating")
    zero: Zero
    still_deg_s: float | None = Field(
        default=None, description="RMS angular rate while holding still before it; None: no still pose was held"
    )


class SensorRecord(Word):
    """What one sensor delivered in a session."""

    address: str
    name: str
    segment: Segment
    samples_received: int
    samples_lost: int
    rate_hz: float
    clock_skew_ppm: float
    clock_residual_ms: float = Field(description="spread of arrivals about the fitted clock, 95th percentile")
    clock_uncertainty_ms: float | None = Field(
        default=None, description="how far a placed sample may lie from the truth, 95 %; None where that is not known"
    )
    battery_percent: int | None = None
    signal_dbm: int | None = None
    knock_offset_ms: float | None = Field(
        default=None, description="how much later than the first sensor this one placed a knock that all of them felt"
    )
    connections: int = Field(default=1, ge=0)
    gaps: int = Field(default=0, ge=0, description="how often samples are missing, for whatever reason")
    clipped_samples: int = Field(default=0, ge=0, description="readings at the end of the sensor's range")
    up: tuple[float, float, float] | None = Field(
        default=None, description="which way was up for it in the rest pose, in its own axes; None: not seen"
    )


class AngleTrace(Word):
    """Joint flexion at an even rate, for drawing; None where a sensor was silent."""

    start_s: float
    rate_hz: float
    flexion_deg: tuple[float | None, ...]


class PainMoment(Word):
    """The patient said "It hurts" during the session. `pain` is None where no number was given."""

    time_s: float
    pain: int | None = Field(default=None, ge=0, le=10)


class Placement(StrEnum):
    """Whether each sensor sits where it is said to sit, as the first movements showed."""

    CHECKED = "checked"
    SWAPPED = "swapped"
    """It is the other way round; angles and `SensorRecord.segment` go by what was found, stored chunks do not."""
    UNCHECKED = "unchecked"
    """The movements did not decide it."""


class SetReport(Word):
    """One set as it was done; `rest_s` is the rest taken after it, None after the last."""

    number: int = Field(ge=1)
    start_s: float
    end_s: float
    repetitions: int = Field(ge=1)
    rest_s: float | None = None
    measures: tuple[Measure, ...] = Field(default=(), description="the usual repetition, and how alike they were")


class TestResult(Word):
    """What a timed test came to, and what has to be said beside it. `measure` is None where it was not done as it must
    be; the notes say why."""

    measure: Measure | None
    notes: tuple[str, ...] = ()


class EasingAction(StrEnum):
    EASED = "eased"
    STOPPED = "stopped"


class Easing(Word):
    """The gateway asked for less, or for nothing more, by a rule of analytics/safety/rules.toml."""

    time_s: float
    action: EasingAction
    rule: str
    reason: str = Field(description="as the patient was told")
    dose: Dose | None = Field(default=None, description="what was asked for from then on; None where nothing was")


class Rating(Word):
    """How the session was, 0-10; None where it was not said."""

    pain: int | None = Field(default=None, ge=0, le=10)
    effort: int | None = Field(default=None, ge=0, le=10)


class SessionOpening(Word):
    """Sent before the first chunk, so that a clinic knows what the chunks belong to."""

    id: UUID
    patient_id: str
    program_version: int
    exercise: str
    side: Side
    started_at: datetime


class SessionReport(SessionOpening):
    """The whole of a finished session but for its raw samples. Closes the session on the server."""

    ended_at: datetime
    repetitions: tuple[Repetition, ...]
    calibration: Calibration | None = Field(description="None: the axis was not found, so there is no angle")
    trace: AngleTrace | None = None
    sensors: tuple[SensorRecord, ...]
    form_model: str | None = Field(default=None, description="name and version of the model that judged form")
    chunk_count: int = Field(ge=0)
    chunks_sha256: str = Field(description="hex SHA-256 over the chunks' digests in order")
    simulated: bool = False
    hurts: tuple[PainMoment, ...] = Field(default=(), description="in order; needs no answer to the closing questions")
    check_in: CheckIn | None = Field(default=None, description="None: nobody was there to ask")
    placement: Placement | None = Field(default=None, description="None: there was no movement to go by")
    sets: tuple[SetReport, ...] = ()
    easings: tuple[Easing, ...] = ()
    felt: Rating | None = Field(default=None, description="None: not asked by the gateway; see also Feedback")
    abandoned: bool = Field(default=False, description="ended by the gateway: nobody moved or said anything for long")
    cut_short: bool = Field(
        default=False, description="its gateway stopped in the middle of it; made afterwards from what was recorded"
    )
    test: TestResult | None = Field(default=None, description="of an exercise that is a timed test")
    gateway_software: str | None = Field(default=None, description="version of the program that made this report")

    def opening(self) -> SessionOpening:
        """What was said when the session began; the report begins with the same."""
        return SessionOpening(**{name: getattr(self, name) for name in SessionOpening.model_fields})


class Feedback(Word):
    """What the patient says afterwards. `id` is made by the phone, so sending twice is harmless."""

    id: UUID
    session_id: UUID
    pain: int = Field(ge=0, le=10)
    effort: int = Field(ge=0, le=10)
    given_at: datetime

"""What is written down beside a session's samples, so that a gateway which dies in mid-session can close it later."""

from __future__ import annotations

from pydantic import Field

from analytics.domain.base import Word
from analytics.domain.exercise import Segment
from analytics.domain.live import Command
from analytics.domain.program import Dose
from analytics.safety.session import NOTHING_STANDS, Standing


class SessionPlan(Word):
    """What was to be done, as it was when the session began."""

    dose: Dose
    limit_deg: float | None = Field(description="excursion not to be passed that day")
    simulated: bool
    standing: Standing = Field(default=NOTHING_STANDS, description="what spoke against it unless it was answered")
    guided: bool = Field(default=False, description="somebody was there to be asked before and led through")
    worn: tuple[Segment, ...] | None = Field(
        default=None, description="segments that had a sensor; None of an older release: those that are best"
    )
    rest_pose_deg: float | None = Field(default=None, description="the rest pose as a clinician's goniometer read it")


class GivenCommand(Word):
    """What a listener asked of the session, and when."""

    time_s: float
    command: Command

"""What a patient is asked before exercising: how it is now, how it was this morning, and what must be seen first."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from .base import Word


class RedFlag(StrEnum):
    """A sign of something that exercise may make worse and that a doctor should see. What to do: analytics.safety."""

    CALF_PAIN = "calf_pain"
    CHEST_PAIN_OR_BREATHLESSNESS = "chest_pain_or_breathlessness"
    FEVER_OR_WOUND = "fever_or_wound"
    NUMBNESS = "numbness"


class Swelling(StrEnum):
    """Compared with before the last session."""

    NONE = "none"
    SAME = "same"
    MORE = "more"


class CheckIn(Word):
    """The answers; None where one was not given. `pain_this_morning` is that after the last session.

    An empty `red_flags` says that none is there. Not asked is left out of the wire form, as who is a release behind
    reads no null there.
    """

    pain_now: int | None = Field(default=None, ge=0, le=10)
    pain_this_morning: int | None = Field(default=None, ge=0, le=10)
    swelling: Swelling | None = None
    red_flags: tuple[RedFlag, ...] | None = Field(default=None, exclude_if=lambda flags: flags is None)
    given_at: datetime

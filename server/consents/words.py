"""What can be agreed to."""

from __future__ import annotations

from enum import StrEnum

from analytics.domain.base import Word


class Subject(StrEnum):
    LIVE_VIEW = "live_view"
    """The physiotherapist may watch while the patient exercises."""


class Consent(Word):
    given: bool

"""What goes over the live channel between a gateway and its clinic while a consenting patient exercises.

Upwards go the live events as a phone hears them (`analytics.domain.live`); downwards comes a `LiveRequest`.
"""

from __future__ import annotations

from pydantic import Field

from .base import Word

NOT_SHARED = 4403
"""Closing code of the clinic's WebSocket where the patient does not agree to be watched, or no longer."""
REPLACED = 4409
"""...and where the same patient is shown by another connection, which is newer."""


class SpokenWords(Word):
    """What the physiotherapist says to the patient in mid-session."""

    text: str = Field(min_length=1, max_length=200)


class LiveRequest(Word):
    """snapshot: somebody has begun to watch and must be told how things stand. words: to be shown to the patient."""

    snapshot: bool = False
    words: SpokenWords | None = None

"""What a gateway and the clinic tell one another."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import Field

from analytics.domain.base import Word


class ClaimRequest(Word):
    claim_code: str = Field(max_length=40)
    name: str = Field(min_length=1, max_length=100)


class ClaimAnswer(Word):
    gateway_id: UUID
    token: str
    patient_id: str


class ClaimCode(Word):
    claim_code: str
    expires_at: datetime


class Presence(Word):
    """Where a gateway's live channel is, how to know it is the right one, and what lets a phone in."""

    live_url: str = Field(pattern=r"^wss?://\S+$", max_length=300)
    certificate_sha256: str = Field(pattern=r"^[0-9A-Fa-f]{64}$")
    live_token: str = Field(min_length=1, max_length=300)


class GatewaySummary(Word):
    id: UUID
    name: str
    patient_id: str
    claimed_at: datetime
    seen_at: datetime | None
    active: bool

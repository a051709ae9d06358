"""What a gateway and the clinic tell one another."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from analytics.domain.base import Word
from analytics.domain.gateway_health import GatewayHealth

PublicKey = Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]{43}=$")]
"""Ed25519 (RFC 8032): 32 bytes in base64."""
Signature = Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]{86}==$")]
"""Ed25519: 64 bytes in base64."""


def from_base64(text: str) -> bytes:
    """The bytes of a `PublicKey` or `Signature`; of anything else, ValueError."""
    return base64.b64decode(text, validate=True)


class ClaimRequest(Word):
    """`patient_id`: whose sessions the gateway holds already, where it was let in before."""

    claim_code: str = Field(max_length=40)
    name: str = Field(min_length=1, max_length=100)
    public_key: PublicKey
    patient_id: str | None = Field(default=None, max_length=200)


class ClaimAnswer(Word):
    gateway_id: UUID
    patient_id: str


class Challenge(Word):
    nonce: str
    expires_in_s: int


class SignedNonce(Word):
    """`key_id`: SHA-256 of the public key, in hexadecimal. What is signed: `analytics.domain.signed.message`."""

    key_id: str = Field(pattern=r"^[0-9a-f]{64}$")
    nonce: str = Field(max_length=200)
    signature: Signature


class OtherGateway(Word):
    name: str
    claimed_at: datetime


class Grant(Word):
    """A token, and what its gateway should know at that moment."""

    token: str
    expires_in_s: int
    key_age_s: int
    server_time: datetime
    other_gateways: tuple[OtherGateway, ...]


class NewKey(Word):
    """`signature_by_old` is missing only from a gateway that had a token before there were keys."""

    public_key: PublicKey
    signature: Signature
    signature_by_old: Signature | None = None


class ClaimCode(Word):
    claim_code: str
    expires_at: datetime


class Presence(Word):
    """Where a gateway's live channel is, how to know it is the right one, and what lets a phone in."""

    live_url: str = Field(pattern=r"^wss?://\S+$", max_length=300)
    certificate_sha256: str = Field(pattern=r"^[0-9A-Fa-f]{64}$")
    live_token: str = Field(min_length=1, max_length=300)


class ReportedPresence(Presence):
    """What a gateway says. `pairing_code` is for who manages gateways and reads it to the patient; no phone is told."""

    pairing_code: str | None = Field(default=None, pattern=r"^[0-9A-Z]{10}$", repr=False)


class GatewaySummary(Word):
    id: UUID
    name: str
    patient_id: str
    claimed_at: datetime
    seen_at: datetime | None
    active: bool
    health: GatewayHealth | None = None
    pairing_code: str | None = Field(default=None, repr=False)

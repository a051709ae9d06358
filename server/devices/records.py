"""Gateways in patients' homes."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from server.records import Record


class GatewayRecord(Record):
    """What a gateway says about itself. Its name, patient and standing are those of its account (same id).

    `live_token` is kept readable because it is handed on to the patient's phone (docs/decisions/0003).
    """

    __tablename__ = "gateway"

    id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id"), index=True)
    claimed_at: Mapped[datetime]
    seen_at: Mapped[datetime | None]
    live_url: Mapped[str | None]
    certificate_sha256: Mapped[str | None]
    live_token: Mapped[str | None]
    pairing_code: Mapped[str | None]


class GatewayKeyRecord(Record):
    """A public key that proves a gateway, and for how long. A gateway has one, and two while it changes from one to the
    next; retired ones stay, so that none comes back."""

    __tablename__ = "gateway_key"
    __table_args__ = (UniqueConstraint("gateway_id", "number"),)

    id: Mapped[bytes] = mapped_column(primary_key=True)
    """The SHA-256 of the public key."""
    gateway_id: Mapped[UUID] = mapped_column(ForeignKey("gateway.id"))
    number: Mapped[int]
    """Counts a gateway's keys from 1: which of two came first does not hang on a clock."""
    public_key: Mapped[bytes]
    added_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]
    """From when on it lets nobody in; may lie ahead."""


class GatewayHealthRecord(Record):
    """The last that a gateway said of its own health."""

    __tablename__ = "gateway_health"

    gateway_id: Mapped[UUID] = mapped_column(ForeignKey("gateway.id"), primary_key=True)
    received_at: Mapped[datetime]
    document: Mapped[str]
    """`GatewayHealth` as JSON."""


class ClaimCodeRecord(Record):
    """A code that lets one new gateway in, once."""

    __tablename__ = "claim_code"

    sha256: Mapped[bytes] = mapped_column(primary_key=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id"))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

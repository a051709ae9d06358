"""Gateways in patients' homes."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
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


class ClaimCodeRecord(Record):
    """A code that lets one new gateway in, once."""

    __tablename__ = "claim_code"

    sha256: Mapped[bytes] = mapped_column(primary_key=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patient.id"))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

"""Accounts and the tokens that prove them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from server.records import Record

from .words import Role


class AccountRecord(Record):
    """Somebody or something that may ask. People have a login and a password; a gateway has neither."""

    __tablename__ = "account"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    login: Mapped[str | None] = mapped_column(unique=True)
    password_hash: Mapped[str | None]
    role: Mapped[Role]
    name: Mapped[str]
    patient_id: Mapped[str | None] = mapped_column(ForeignKey("patient.id"), index=True)
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]


class TokenRecord(Record):
    """An opaque token, kept as its SHA-256: who reads the database cannot act as anybody."""

    __tablename__ = "token"

    sha256: Mapped[bytes] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    created_at: Mapped[datetime]
    used_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    idle_s: Mapped[int | None]

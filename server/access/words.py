"""Who is asking."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    PATIENT = "patient"
    PHYSIOTHERAPIST = "physiotherapist"
    ADMINISTRATOR = "administrator"
    GATEWAY = "gateway"


@dataclass(frozen=True, slots=True)
class Caller:
    """An account that has proved who it is. A gateway is an account too: `gateway_id` is then its account's id.

    `patient_id` is set for patients and gateways: whose own they are.
    """

    account_id: UUID
    role: Role
    name: str
    patient_id: str | None = None
    gateway_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class SignedIn:
    """`token` is shown once; the server keeps only its SHA-256."""

    token: str
    role: Role
    name: str
    patient_id: str | None
    expires_at: datetime

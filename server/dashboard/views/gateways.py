"""The clinic's gateways: which are let in, when each was last heard from, and how to bring in a new one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from uuid import UUID

from analytics.domain.gateway_health import GatewayHealth
from analytics.domain.pairing import written
from server.devices.words import GatewaySummary

from ..wording import Tag, ago, counted, day_words, moment_words

ACTIVE = Tag("Active", "good", "check")
REVOKED = Tag("Revoked", "plain", "cross")


@dataclass(frozen=True)
class GatewayRow:
    """Whose it is stands there as an identifier only: the list of gateways is no list of patients."""

    id: UUID
    name: str
    patient_id: str
    claimed: str
    last_seen: str
    last_seen_at: str
    state: Tag
    active: bool
    health: str
    """In one line, empty where it has said nothing."""
    beside: str
    """Who else is let in for the same patient; it is seldom meant."""
    pairing_code: str
    """Empty where the gateway has told none, or is let in no more."""


@dataclass(frozen=True)
class GatewayList:
    headline: str
    rows: tuple[GatewayRow, ...]


@dataclass(frozen=True)
class ClaimOffer:
    """A claim code on its way to whoever sets up the gateway. `command` is complete: it can be copied and run."""

    code: str
    patient_id: str
    holds: str
    command: str


def gateway_list(gateways: Sequence[GatewaySummary], *, today: date, zone: tzinfo) -> GatewayList:
    """Those let in first, in the order given."""
    ordered = sorted(gateways, key=lambda gateway: not gateway.active)
    revoked = sum(not gateway.active for gateway in gateways)
    if not gateways:
        headline = "None has been let in yet."
    else:
        headline = f"{counted(len(gateways) - revoked, 'gateway')} let in" + (
            f", {revoked} revoked." if revoked else "."
        )
    return GatewayList(headline, tuple(_row(gateway, _beside(gateway, gateways), today, zone) for gateway in ordered))


def _beside(gateway: GatewaySummary, gateways: Sequence[GatewaySummary]) -> str:
    others = [
        other.name
        for other in gateways
        if other.active and other.patient_id == gateway.patient_id and other.id != gateway.id
    ]
    if not others or not gateway.active:
        return ""
    return f"Also let in for this patient: {', '.join(others)}. Revoke the one that is not used, once it has sent all."


def _row(gateway: GatewaySummary, beside: str, today: date, zone: tzinfo) -> GatewayRow:
    seen_at = gateway.seen_at
    return GatewayRow(
        id=gateway.id,
        name=gateway.name,
        patient_id=gateway.patient_id,
        claimed=f"claimed {day_words(gateway.claimed_at.astimezone(zone).date())}",
        last_seen=ago(seen_at, today, zone).capitalize(),
        last_seen_at="" if seen_at is None else moment_words(seen_at, zone),
        state=ACTIVE if gateway.active else REVOKED,
        active=gateway.active,
        health="" if gateway.health is None else _health_words(gateway.health),
        beside=beside,
        pairing_code=written(gateway.pairing_code) if gateway.pairing_code else "",
    )


def _health_words(health: GatewayHealth) -> str:
    """What keeps a gateway from its work comes first, then what an engineer asks for on the telephone."""
    waiting = f"{counted(health.sessions_waiting, 'session')} to send" if health.sessions_waiting else ""
    refused = (
        f"{counted(health.sessions_refused, 'session')} not taken by the clinic" if health.sessions_refused else ""
    )
    up = f"up {counted(health.uptime_s // 86400, 'day')}"
    free = f"{health.disk_free_bytes / 1e9:.1f} GB free"
    return " · ".join(
        part for part in (*health.conditions, refused, waiting, f"Sinew {health.sinew}", up, free) if part
    )


def claim_offer(
    code: str, patient_id: str, *, server: str, now: datetime, lifetime: timedelta, zone: tzinfo
) -> ClaimOffer:
    """`server` is the address a gateway is told to reach the clinic at."""
    until = (now + lifetime).astimezone(zone)
    return ClaimOffer(
        code=code,
        patient_id=patient_id,
        holds=f"{counted(round(lifetime / timedelta(minutes=1)), 'minute')}, until {until:%H:%M}",
        command=f"sinew gateway --server {server} --claim {code} --home DIR",
    )

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from server.dashboard.views.gateways import claim_offer, gateway_list
from server.devices.words import GatewaySummary

NOW = datetime(2026, 9, 21, 22, 30, tzinfo=UTC)


def _gateway(number: int, **changes) -> GatewaySummary:
    values = {
        "id": UUID(int=number),
        "name": f"Gateway {number}",
        "patient_id": "p1",
        "claimed_at": NOW - timedelta(days=30),
        "seen_at": NOW,
        "active": True,
    }
    return GatewaySummary(**values | changes)


def _view(words, *gateways: GatewaySummary, zone=UTC):
    return gateway_list(gateways, today=words.today, zone=zone)


def test_those_let_in_come_first_and_the_headline_counts_both(words) -> None:
    view = _view(words, _gateway(1, active=False), _gateway(2), _gateway(3, active=False), _gateway(4))
    assert [row.name for row in view.rows] == ["Gateway 2", "Gateway 4", "Gateway 1", "Gateway 3"]
    assert [row.state.text for row in view.rows] == ["Active", "Active", "Revoked", "Revoked"]
    assert view.headline == "2 gateways let in, 2 revoked."
    assert _view(words, _gateway(1)).headline == "1 gateway let in."
    assert _view(words, _gateway(1, active=False)).headline == "0 gateways let in, 1 revoked."
    assert _view(words).headline == "None has been let in yet."


def test_when_a_gateway_was_last_heard_from_is_told_in_words_and_by_the_clinics_clock(words) -> None:
    never, today, late = _gateway(1, seen_at=None), _gateway(2), _gateway(3, seen_at=NOW - timedelta(days=9))
    view = _view(words, never, today, late)
    assert [(row.last_seen, row.last_seen_at) for row in view.rows] == [
        ("Never", ""),
        ("Today", "Mon 21 Sep 2026, 22:30"),
        ("9 days ago", "Sat 12 Sep 2026, 22:30"),
    ]
    (row,) = _view(words, _gateway(1), zone=ZoneInfo("Europe/Berlin")).rows
    assert (row.last_seen_at, row.claimed) == ("Tue 22 Sep 2026, 00:30", "claimed 23 Aug 2026")


def test_an_offer_holds_the_whole_command_line(words) -> None:
    offer = claim_offer(
        "ABCDE-FGHJK",
        "p1",
        server="https://clinic.example",
        now=NOW,
        lifetime=timedelta(minutes=10),
        zone=ZoneInfo("Europe/Berlin"),
    )
    assert offer.command == "sinew gateway --server https://clinic.example --claim ABCDE-FGHJK --home DIR"
    assert offer.holds == "10 minutes, until 00:40"

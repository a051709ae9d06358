from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from analytics.domain.gateway_health import GatewayHealth
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


def test_a_pairing_code_is_written_as_it_is_read_out(words) -> None:
    view = _view(words, _gateway(1, pairing_code="ABCDEFGHJK"), _gateway(2))
    assert [row.pairing_code for row in view.rows] == ["ABCDE-FGHJK", ""]


def test_two_gateways_of_one_patient_are_pointed_out_while_both_are_let_in(words) -> None:
    view = _view(words, _gateway(1), _gateway(2), _gateway(3, active=False), _gateway(4, patient_id="p2"))
    said = {row.name: row.beside for row in view.rows}
    assert said["Gateway 1"].startswith("Also let in for this patient: Gateway 2. Revoke the one")
    assert said["Gateway 2"].startswith("Also let in for this patient: Gateway 1.")
    assert said["Gateway 3"] == said["Gateway 4"] == ""


def test_a_gateways_health_is_one_line_with_trouble_first(words) -> None:
    figures = {"sinew": "0.1.0", "python": "3.11.7", "machine": "aarch64", "uptime_s": 12 * 86400 + 7}
    counts = {"disk_free_bytes": 12_340_000_000, "sessions_waiting": 0, "sessions_refused": 0}
    samples = {"samples_received": 9, "samples_lost": 1}
    well = GatewayHealth(**figures, **counts, **samples, conditions=())
    ill = well.model_copy(update={"conditions": ("disk.nearly_full",), "sessions_waiting": 1, "sessions_refused": 2})
    view = _view(words, _gateway(1), _gateway(2, health=well), _gateway(3, health=ill))
    assert [row.health for row in view.rows] == [
        "",
        "Sinew 0.1.0 · up 12 days · 12.3 GB free",
        "disk.nearly_full · 2 sessions not taken by the clinic · 1 session to send · Sinew 0.1.0 · up 12 days · "
        "12.3 GB free",
    ]


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

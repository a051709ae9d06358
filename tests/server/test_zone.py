"""Which day it is in the clinic, and where that is said."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import TZPATH, ZoneInfo

import pytest

from analytics.domain.program import Restriction
from server import command
from server.adaptation.service import waiting_proposal
from server.programs import service as programs
from server.zone import UnknownZoneError, local_zone, zone_named

BERLIN = ZoneInfo("Europe/Berlin")
LATE = datetime(2026, 9, 21, 22, 30, tzinfo=UTC)
"""Half past midnight of the 22nd in Berlin."""


@pytest.mark.parametrize(("zone", "rule"), [(UTC, "restriction"), (BERLIN, None)])
async def test_a_restriction_ends_with_its_day_in_the_clinic(start_clinic, make, zone, rule: str | None) -> None:
    until = Restriction(
        exercise=make.prescription().exercise, largest_excursion_deg=50, until=date(2026, 9, 21), set_by="S"
    )
    async with start_clinic(zone=zone) as api:
        async with api.database.writing() as db:
            await programs.add_version(db, make.program(version=2, restrictions=(until,)))
        api.clock.now = LATE
        await api.put_session(1)
        async with api.database.reading() as db:
            found = await waiting_proposal(db, "p1")
        assert (found and found.rule) == rule


@pytest.mark.parametrize(("zone", "day"), [(UTC, 42), (BERLIN, 43)])
async def test_the_day_after_surgery_is_the_clinics(start_clinic, zone, day: int) -> None:
    async with start_clinic(zone=zone) as api:
        api.clock.now = LATE
        api.tokens["anew"] = (
            await api("POST", "sign-in", json={"login": "physiotherapist", "password": api.make.password})
        ).json()["token"]
        assert (await api("GET", "patients/p1", "anew")).json()["summary"]["day"] == day
        html = (await api("GET", "/patients/p1", headers={"Cookie": f"sinew_session={api.tokens['anew']}"})).text
        assert f"Day {day} after surgery" in html
        assert f"Times are shown in {zone}" in html


@pytest.mark.parametrize("name", ["Europe/Nowhere", "", "Europe", "/etc/passwd", "../UTC"])
def test_an_unknown_zone_is_refused_in_a_sentence(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UnknownZoneError, match=r"There is no time zone .* on this machine; write an IANA name"):
        zone_named(name)
    with pytest.raises(SystemExit):
        command.main(["--zone", name])
    assert "There is no time zone" in capsys.readouterr().err


def test_the_machines_own_zone_knows_of_summer_time(tmp_path: Path) -> None:
    assert local_zone("Europe/Berlin", tmp_path / "absent") == BERLIN
    assert local_zone("", tmp_path / "absent") is UTC
    zones = tmp_path / "zoneinfo" / "Europe"
    zones.mkdir(parents=True)
    berlin = next(Path(root) / "Europe/Berlin" for root in TZPATH if (Path(root) / "Europe/Berlin").exists())
    (zones / "Berlin").write_bytes(berlin.read_bytes())
    (tmp_path / "link").symlink_to(zones / "Berlin")
    (tmp_path / "copy").write_bytes(berlin.read_bytes())
    assert local_zone("", tmp_path / "link") == BERLIN
    copied = local_zone("", tmp_path / "copy")
    assert [moment.astimezone(copied).hour for moment in (LATE, LATE.replace(month=1))] == [0, 23]

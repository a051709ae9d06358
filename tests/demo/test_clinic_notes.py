"""Who lives in the demo's clinic is noted whole or not at all, and the live patient's ability is the true one."""

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from analytics.simulation.patient import TrueRecovery
from demo.clinic_notes import DemoClinic, Login, recall, remember
from demo.errors import DemoError

TODAY = date(2026, 3, 2)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
CLINIC = DemoClinic(
    "sim-01",
    "Ada Example",
    TODAY - timedelta(days=30),
    TrueRecovery(start_deg=40.0, asymptote_deg=84.0, tau_days=21.0),
    (Login("patient", "patient", "secret"),),
)


def test_what_was_noted_is_recalled(tmp_path: Path) -> None:
    assert recall(tmp_path) is None
    remember(tmp_path, CLINIC)
    assert recall(tmp_path) == CLINIC
    assert [path.name for path in tmp_path.iterdir()] == ["demo.json"]
    assert (tmp_path / "demo.json").stat().st_mode & 0o077 == 0, "it holds passwords"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'{"live_patient_id": "sim-01"}'])
def test_notes_that_cannot_be_read_say_what_to_do(content: bytes, tmp_path: Path) -> None:
    folder = tmp_path / "server"
    folder.mkdir()
    (folder / "demo.json").write_bytes(content)
    with pytest.raises(DemoError, match=rf"delete the folders server and gateway-\* in {tmp_path}"):
        recall(folder)


def test_an_interruption_leaves_the_notes_as_they_were(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    remember(tmp_path, CLINIC)

    def full_disk(self: Path, *_: object) -> int:
        os.truncate(self, 0)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full_disk)
    with pytest.raises(OSError, match="No space"):
        remember(tmp_path, CLINIC)
    assert recall(tmp_path) == CLINIC


def test_a_day_full_of_sessions_changes_nothing_about_the_knee() -> None:
    rng = np.random.default_rng(8)
    shown = [CLINIC.live_range_deg(NOON, rng, largest_deg=90.0) for _ in range(400)]
    able_deg = CLINIC.live_truth.range_deg(30.5)
    assert np.mean(shown[:200]) == pytest.approx(able_deg, abs=1)
    assert np.mean(shown[200:]) == pytest.approx(able_deg, abs=1)
    assert 2 < np.std(shown) < 4, "people differ from session to session"


def test_no_knee_is_more_than_straight() -> None:
    rng = np.random.default_rng(8)
    recovered = NOON + timedelta(days=200)
    shown = [CLINIC.live_range_deg(recovered, rng, largest_deg=90.0) for _ in range(400)]
    assert max(shown) == 90.0
    assert np.mean(shown) == pytest.approx(CLINIC.live_truth.range_deg(230.5), abs=1)

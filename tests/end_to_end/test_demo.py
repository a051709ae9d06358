"""`sinew demo --headless` on a real recording: from the radio to the proposal."""

import asyncio
import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pytest
from running import run_sinew

from demo.clinic import prepare_clinic
from demo.clinic_notes import remember

DISTAL_AND_PROXIMAL = 2


@pytest.fixture(scope="module")
def result(knee_extensions: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    home = tmp_path_factory.mktemp("demo")
    run = run_sinew(
        *("demo", "--headless", "--recording", knee_extensions, "--speed", "8", "--port", "0", "--home", home)
    )
    return run.result


def test_every_sample_is_stored(result: dict[str, Any], knee_extensions: Path) -> None:
    with np.load(knee_extensions) as recording:
        taken = DISTAL_AND_PROXIMAL * len(recording["t"])
    assert (result["samples_sent"], result["samples_stored"], result["samples_lost"]) == (taken, taken, 0)


def test_the_thirty_repetitions_are_counted(result: dict[str, Any]) -> None:
    assert 29 <= result["repetitions"] <= 31
    assert len(result["rom_deg"]) == len(result["form"]) == result["repetitions"]


def test_range_and_form_are_those_of_the_person(result: dict[str, Any]) -> None:
    """The last ten were done with low amplitude; the others through the whole range."""
    assert np.median(result["rom_deg"][:20]) - np.median(result["rom_deg"][-10:]) > 10
    assert {form["label"] for form in result["form"]} <= {"correct", "too_fast", "low_amplitude", "not_judged"}
    assert all((form["probability"] is None) == (form["reason"] is not None) for form in result["form"])


def test_the_session_was_live(result: dict[str, Any]) -> None:
    assert result["live_events"] > 10 * result["repetitions"]
    latency = result["latency_ms"]
    assert 0 < latency["p50"] <= latency["p95"] <= latency["p99"]


def test_the_clinic_looks_ahead(result: dict[str, Any]) -> None:
    forecast = result["forecast"]
    assert all(point["low"] < point["mean"] < point["high"] for point in forecast["points"])
    assert forecast["measurements_used"] > 1
    if (proposal := result["proposal"]) is not None:
        assert proposal["status"] == "waiting"
        assert proposal["before"] != proposal["after"]


@pytest.mark.parametrize("repetitions", [3, 11, 17])
def test_counting_counts(
    repetitions: int,
    altered: Callable[..., Path],
    knee_extensions: Path,
    tmp_path: Path,
) -> None:
    with np.load(knee_extensions) as recording:
        end = int(recording["reps"][repetitions - 1, 1]) + 1
    run = run_sinew(
        *("demo", "--headless", "--recording", altered(rows=end), "--speed", "8", "--port", "0", "--home", tmp_path)
    )
    assert abs(run.result["repetitions"] - repetitions) <= 1
    assert run.result["samples_lost"] == 0


def test_a_simulated_body_where_no_recording_is_named(tmp_path: Path) -> None:
    first = run_sinew("demo", "--headless", "--speed", "8", "--port", "0", "--home", tmp_path).result
    again = run_sinew("demo", "--headless", "--speed", "8", "--port", "0", "--home", tmp_path).result
    for result in (first, again):
        assert result["samples_lost"] == 0
        assert result["repetitions"] == 24, "three sets of eight are prescribed"
    assert len(list(tmp_path.glob("gateway-*"))) == 1, "what one run does not upload waits for the next"
    assert first["session_id"] != again["session_id"]
    assert again["forecast"]["measurements_used"] == first["forecast"]["measurements_used"] + 1


async def test_the_live_patient_shows_what_the_knee_can_do(tmp_path: Path) -> None:
    """And not what was measured last, 70° or more: then errors would add up from session to session."""
    clinic, _code = await prepare_clinic(tmp_path / "server", datetime.now(UTC), lambda _: None)
    stiff = dataclasses.replace(clinic.live_truth, start_deg=50.0, asymptote_deg=50.0)
    remember(tmp_path / "server", dataclasses.replace(clinic, live_truth=stiff))
    run = await asyncio.to_thread(run_sinew, "demo", "--headless", "--speed", "8", "--port", "0", "--home", tmp_path)
    assert median(sorted(run.result["rom_deg"])[-3:]) == pytest.approx(50, abs=12)

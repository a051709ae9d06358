"""`sinew evaluate rom`: the bars on real recordings, and that nothing of the reference leaks into the answer."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analytics.evaluation import rom
from analytics.evaluation.recordings import recordings_with
from analytics.evaluation.rom_clips import FORM, Knee, knees
from analytics.evaluation.rom_legs import Leg
from analytics.motion.angles import HingeAxes
from analytics.signals.recording import RecordingError
from analytics.signals.samples import FloatArray

SUBJECT = "cmu_exercise_sub22"
FEW = ("Lunge_01_rep1", "Lunge_01_rep2", "SqHalfDL_01_rep1", "StepDnL_01_rep1", "Walk_01_rep1")


@pytest.fixture
def few(data_folder: Path, tmp_path: Path) -> Path:
    for name in FEW:
        shutil.copy(data_folder / SUBJECT / f"{name}.npz", tmp_path)
    return tmp_path


@pytest.fixture
def leg(few: Path) -> list[Knee]:
    return [knee for knee in knees(recordings_with(few, *FORM)) if knee.side == "Right"]


@pytest.mark.long
def test_the_bars_are_held(data_folder: Path) -> None:
    """Measured 4.15° (bar 4.3), 4.56° (6.0) and 3.98° (4.0); the aims of 3.0, 4.0 and 2.5° are not reached."""
    report = rom.evaluate(data_folder / SUBJECT, lambda _: None)
    value = {one.metric: one.value for one in report.results}
    assert value["knee_flexion_rmse_deg"] <= 4.3
    assert value["knee_flexion_rmse_raw_deg"] <= 6.0
    assert value["rom_mae_deg"] <= 4.0
    assert {one.n for one in report.results} == {66}


def test_a_few_repetitions_are_scored_and_walking_is_passed_over(few: Path) -> None:
    """Measured 3.2°, 4.5° and 3.9°; the long test has the bars."""
    said: list[str] = []
    report = rom.evaluate(few, said.append)
    assert said == ["Left knee: 4 repetitions", "Right knee: 4 repetitions"]
    results = json.loads(report.as_json("rom", "few"))["results"]
    assert [one["metric"] for one in results] == ["knee_flexion_rmse_deg", "knee_flexion_rmse_raw_deg", "rom_mae_deg"]
    assert {one["n"] for one in results} == {8}
    assert all(0.5 < one["value"] < 6.0 for one in results)
    assert all(one["value"] < one["baselines"]["vendor, no axis"] for one in results)


def test_what_each_repetition_would_have_calibrated_is_said(few: Path) -> None:
    """Lunges are as good one as the other; a half squat of a second is refused; what is not there is not named."""
    notes = rom.evaluate(few, lambda _: None).notes
    lines = {line.split()[0]: line for line in notes if line.startswith("  ")}
    assert set(lines) == {"Lunge", "SqHalfDL", "StepDnL"}
    assert lines["Lunge"].count("(2 of 2)") == 2
    assert lines["SqHalfDL"].count("–") == lines["SqHalfDL"].count("(0 of 1)") == 2


def test_a_repetition_is_never_calibrated_on_itself(leg: list[Knee], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rom, "peer_flexions_deg", _no_peers)
    assert {one.knee.repetition: one.calibrated_on for one in rom.measure_leg(Leg(leg))} == {
        "Lunge_01_rep1": "Lunge_01_rep2",
        "Lunge_01_rep2": "Lunge_01_rep1",
        "SqHalfDL_01_rep1": "Lunge_01_rep1",
        "StepDnL_01_rep1": "Lunge_01_rep1",
    }


def test_the_flexion_does_not_know_the_reference(leg: list[Knee], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rom, "peer_flexions_deg", _no_peers)
    blind = [replace(knee, flexion_deg=np.full_like(knee.flexion_deg, 7.0)) for knee in leg]
    for one, other in zip(rom.measure_leg(Leg(leg)), rom.measure_leg(Leg(blind)), strict=True):
        for method, flexion in one.flexion_deg.items():
            assert flexion == pytest.approx(other.flexion_deg[method]), method


def test_the_raw_angle_never_looks_ahead(leg: list[Knee], monkeypatch: pytest.MonkeyPatch) -> None:
    """A repetition that is cut short reads the same up to there."""
    monkeypatch.setattr(rom, "peer_flexions_deg", _no_peers)
    third = len(leg[3].acc) // 3
    cut = [*leg[:3], _first(leg[3], third)]
    whole, short = (rom.measure_leg(Leg(one))[3].flexion_deg for one in (leg, cut))
    assert short[rom.RAW] == pytest.approx(whole[rom.RAW][:third], abs=1e-9)
    assert np.abs(short[rom.AFTER] - whole[rom.AFTER][:third]).max() > 0.1  # this one does


def test_one_constant_per_leg_is_all_that_is_taken_off(leg: list[Knee]) -> None:
    """The constants lie near 180°, where a plain mean of wrapped angles would be anything."""
    offsets = (175.0, 175.0, 185.0, 185.0)
    repetitions = list(zip(leg, offsets, strict=True))
    right = [rom.Measured(knee, {"off": knee.flexion_deg + offset}, "") for knee, offset in repetitions]
    left = [replace(one, knee=replace(one.knee, side="Left")) for one in right[:2]]
    errors = rom.errors_deg([*right, *left], "off")
    lengths = [len(knee.flexion_deg) for knee in leg]
    lower = 10.0 * sum(lengths[2:]) / sum(lengths)  # the first two lie below the mean by the others' share of 10°
    for error, expected in zip(errors, (-lower, -lower, 10 - lower, 10 - lower, 0.0, 0.0), strict=True):
        assert error == pytest.approx(expected, abs=1e-9)


def test_the_range_needs_no_constant(leg: list[Knee]) -> None:
    exact = [rom.Measured(knee, {"exact": knee.flexion_deg + 50.0}, "") for knee in leg]
    assert np.abs(rom.rom_errors_deg(exact, "exact")).max() < 1.0  # what its smoothing takes off
    double = [rom.Measured(knee, {"double": 2.0 * knee.flexion_deg}, "") for knee in leg]
    assert rom.rom_errors_deg(double, "double") == pytest.approx([np.ptp(k.flexion_deg) for k in leg], rel=0.05)


@pytest.mark.parametrize(
    ("keep", "says"),
    [
        (("Walk_01_rep1",), "No squat, lunge or step"),
        (("Lunge_01_rep1",), "each needs a second repetition"),
    ],
)
def test_recordings_that_cannot_be_scored_are_refused(few: Path, keep: tuple[str, ...], says: str) -> None:
    for path in few.glob("*.npz"):
        if path.stem not in keep:
            path.unlink()
    with pytest.raises(RecordingError, match=says):
        rom.evaluate(few, lambda _: None)


def test_recordings_with_a_hole_are_left_out(few: Path, edit: Callable[[Path, str], None]) -> None:
    edit(few / "StepDnL_01_rep1.npz", "angles_deg")
    assert {one.n for one in rom.evaluate(few, lambda _: None).results} == {6}


@pytest.fixture
def edit() -> Callable[[Path, str], None]:
    """Put a NaN into an array of a recording."""

    def hole(path: Path, key: str) -> None:
        with np.load(path, allow_pickle=False) as archive:
            arrays = dict(archive)
        arrays[key][5] = np.nan
        np.savez(path, **arrays)

    return hole


def _no_peers(_knee: Knee, _other: Knee, _orientation: FloatArray, _axes: HingeAxes) -> dict[str, FloatArray]:
    return {}


def _first(knee: Knee, samples: int) -> Knee:
    cut = {name: getattr(knee, name)[:samples] for name in ("acc", "gyr", "vendor", "flexion_deg")}
    return replace(knee, mag=None, **cut)

"""The double tap: found where real strikes follow each other, and in no real movement."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.signals.samples import FloatArray, ImuSamples
from device_gateway.links.tapping import SETTLE_S, TapDetector

RATE_HZ = 100.0
STRIKES_S = (
    53.21, 57.07, 61.05, 63.69, 66.80, 70.30, 74.17, 77.08, 81.36, 85.04, 88.69, 92.97, 97.05, 102.35, 103.08, 109.63,
    118.73, 127.76, 137.30, 139.29, 145.34, 147.59, 149.92, 151.89, 156.22,
)  # fmt: skip
"""Where somebody strikes the board in BROAD's trial 25, found by eye."""
RECORDED = ("cmu_exercise_sub22", "spar_watch", "repoimu", "gaitmap_feet", "mobgap_lowback", "skdh_lumbar")
LONG = (*RECORDED, "mex_thigh", "uci_physical_therapy", "broad", "openaxes_robot", "opensense_example")


def taps(acc_m_s2: FloatArray, rate_hz: float = RATE_HZ, batch: int = 5) -> list[float]:
    """When [s] the detector tells of a double tap, in acceleration (n, 3) at an even rate."""
    time_us = (np.arange(len(acc_m_s2)) * 1e6 / rate_hz).astype(np.int64)
    detector, found = TapDetector(), []
    for begin in range(0, len(acc_m_s2), batch):
        run = slice(begin, begin + batch)
        if detector.update(ImuSamples(time_us[run], acc_m_s2[run], np.zeros_like(acc_m_s2[run]))) is not None:
            found.append(float(time_us[run][-1] * 1e-6))
    return found


def strikes(*times_s: float, height_m_s2: float = 30.0, seconds: float = 4.0) -> FloatArray:
    """A sensor at rest that rings for 40 ms at these times."""
    acc = np.tile([0.0, 0.0, 9.81], (round(seconds * RATE_HZ), 1))
    for time_s in times_s:
        first = round(time_s * RATE_HZ)
        acc[first : first + 4, 0] += height_m_s2 * np.array([1.0, -0.6, 0.3, -0.1])
    return acc


def test_two_strikes_within_a_moment_are_told_once_when_rest_has_followed() -> None:
    (told_s,) = taps(strikes(1.0, 1.3))
    assert told_s == pytest.approx(1.3 + SETTLE_S, abs=0.1)


@pytest.mark.parametrize(
    "times_s",
    [
        pytest.param((1.0,), id="one"),
        pytest.param((1.0, 1.3, 1.6), id="three"),
        pytest.param((1.0, 2.0), id="too far apart"),
        pytest.param((0.2, 0.5), id="no rest before"),
        pytest.param((1.0, 1.3, 1.9), id="no rest after"),
        pytest.param(tuple(np.arange(0.5, 3.5, 0.55)), id="steps"),
    ],
)
def test_anything_else_is_no_double_tap(times_s: tuple[float, ...]) -> None:
    assert taps(strikes(*times_s)) == []


def test_a_weak_touch_is_none() -> None:
    assert taps(strikes(1.0, 1.3, height_m_s2=4.0)) == []


def test_a_limb_that_moves_quickly_is_none() -> None:
    acc = strikes()
    for first in (100, 130):
        acc[first : first + 20, 0] += 25.0 * np.sin(np.linspace(0, np.pi, 20))
    assert taps(acc) == []


def test_who_moves_on_after_two_strikes_did_not_tap() -> None:
    acc = strikes(1.0, 1.3)
    acc[150:300, 0] += 8.0 * np.sin(np.linspace(0, 3 * np.pi, 150))
    assert taps(acc) == []


def test_over_a_gap_nothing_is_concluded() -> None:
    acc, detector = strikes(1.0, 1.3), TapDetector()
    time_us = np.arange(len(acc)) * 10_000
    for run in (slice(0, 120), slice(140, None)):  # 1.2 s to 1.4 s are lost, and the second strike with them
        assert detector.update(ImuSamples(time_us[run], acc[run], acc[run])) is None


def test_it_tells_how_hard_the_weaker_strike_was() -> None:
    acc = strikes(1.0, height_m_s2=60.0) + strikes(1.3, height_m_s2=20.0) - strikes()
    time_us = np.arange(len(acc)) * 10_000
    peak_m_s2 = TapDetector().update(ImuSamples(time_us, acc, acc))
    assert peak_m_s2 == pytest.approx(1.6 * 20.0, abs=0.1)


@given(batch=st.integers(1, 60), second_s=st.floats(1.05, 2.2))
def test_how_samples_are_packed_changes_nothing(batch: int, second_s: float) -> None:
    acc = strikes(1.0, second_s)
    assert len(taps(acc, batch=batch)) == len(taps(acc, batch=1))


def test_real_strikes_one_after_the_other_are_a_double_tap(data_folder: Path) -> None:
    """Each real strike and the 0.3 s after it, then the same strike again: on a board that is turned all the time."""
    acc = np.load(data_folder / "broad" / "25_disturbed_tapping_B.npz")["acc"].astype(float)[::3]
    rate_hz = 2000 / 7 / 3
    found = 0
    for strike_s in STRIKES_S:
        k = round(strike_s * rate_hz) - 3
        twice = np.concatenate([acc[k - 60 : k + 28], acc[k : k + 120]])
        found += len(taps(twice, rate_hz))
    print(f"{found} of {len(STRIKES_S)} real strikes, each twice, are found")
    assert found >= 20
    assert taps(acc, rate_hz) == [], "none of them was a double tap"


def movement(folder: Path) -> list[tuple[FloatArray, float]]:
    """Every sensor's acceleration (n, 3) in a folder's recordings, at some 100 Hz, with its rate."""
    found = []
    for file in sorted(folder.glob("*.npz")):
        recording = np.load(file, allow_pickle=False)
        if "acc" not in recording.files:
            continue
        rate_hz = float(json.loads(str(recording["meta"]))["fs"])
        step = max(1, round(rate_hz / 100))
        acc = recording["acc"][::step].astype(float)
        sensors = acc.reshape(len(acc), -1, 3).transpose(1, 0, 2)
        found += [(sensor[np.isfinite(sensor).all(axis=1)], rate_hz / step) for sensor in sensors]
    return found


def no_tap_in(folder: Path) -> None:
    hours = 0.0
    for acc, rate_hz in movement(folder):
        assert taps(acc, rate_hz) == []
        hours += len(acc) / rate_hz / 3600
    print(f"{folder.name}: no double tap in {hours:.2f} h")
    assert hours > 0.02


@pytest.mark.parametrize("recorded", RECORDED)
def test_no_real_movement_is_a_double_tap(data_folder: Path, recorded: str) -> None:
    no_tap_in(data_folder / recorded)


@pytest.mark.long
@pytest.mark.parametrize("recorded", sorted(set(LONG) - set(RECORDED)))
def test_no_real_movement_is_a_double_tap_in_all_recordings(data_folder: Path, recorded: str) -> None:
    no_tap_in(data_folder / recorded)

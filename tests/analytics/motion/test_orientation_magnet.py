"""A magnet near a sensor, in recordings with and without one and in a simulated room."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.motion.orientation.magnet import MEAN_S, SENTENCE, MagnetWatch
from analytics.simulation.faults import beside_a_magnet

RATE_HZ = 2000 / 7


def told_s(mag_ut, time_s, size=50):
    watch = MagnetWatch()
    said = [
        float(time_s[min(i + size, len(time_s)) - 1])
        for i in range(0, len(time_s), size)
        if watch.update(mag_ut[i : i + size], time_s[i : i + size]) == SENTENCE
    ]
    assert len(said) <= 1, "said once"
    return said[0] if said else None


def broad(data_folder, trial):
    (path,) = sorted((data_folder / "broad").glob(f"{trial}_*.npz")) or [None]
    if path is None:
        pytest.skip(f"no trial {trial} of BROAD")
    with np.load(path) as data:
        mag = data["mag"].astype(float)
    return mag, np.arange(len(mag)) / RATE_HZ


@pytest.mark.parametrize("trial", ["01", "06", "10", "15", "21", "25", "27"])
def test_moving_about_in_a_room_is_no_magnet(data_folder, trial):
    assert told_s(*broad(data_folder, trial)) is None


@pytest.mark.parametrize("trial", ["28", "29", "32", "33"])
def test_a_magnet_on_the_table_or_on_the_sensor_is_told_once(data_folder, trial):
    assert told_s(*broad(data_folder, trial)) is not None


@pytest.fixture
def turning():
    """The earth's field in a sensor that turns every way, for a minute."""
    time_s = np.arange(0, 60, 0.01)
    away = np.stack([np.sin(0.7 * time_s), np.cos(1.1 * time_s), np.sin(0.4 * time_s + 1.0)], axis=1)
    return 49.0 * away / np.linalg.norm(away, axis=1, keepdims=True), time_s


@pytest.mark.parametrize("size", [1, 7, 6000])
def test_a_magnet_that_is_brought_near_is_told_when_it_is(turning, size):
    field_ut, time_s = turning
    near = beside_a_magnet(field_ut, time_s, 30.0, 5.0, np.array([300.0, 0.0, 0.0]))
    said_s = told_s(near, time_s, size)
    assert said_s is not None
    if size < 6000:
        assert 30.0 < said_s < 30.0 + 3 * MEAN_S


def test_a_compass_that_was_never_calibrated_is_no_magnet(turning):
    field_ut, time_s = turning
    hard_iron = np.array([15.0, -12.0, 8.0])
    assert told_s(field_ut + hard_iron, time_s) is None


def test_a_sensor_without_new_readings_says_nothing():
    assert told_s(np.full((1000, 3), np.nan), np.arange(1000) / 100) is None

"""Each fault does what it says to the sensor it names, and nothing to another, simulated or recorded."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.signals.recording import load_recording
from analytics.simulation import faults
from analytics.simulation.body import GRAVITY_M_S2, seated_knee_extensions

THIGH, SHANK = "right_thigh", "right_shank"


@pytest.fixture(scope="module")
def body():
    return seated_knee_extensions(2, np.random.default_rng(1), noise=0)


def magnitudes(readings):
    return [np.linalg.norm(signal, axis=1) for signal in readings]


def spoilt(body):
    """Every fault, at the shank alone."""
    rng = np.random.default_rng(2)
    sensors = body.sensors
    return {
        "g": faults.in_g(sensors, [SHANK]),
        "degrees": faults.in_degrees(sensors, [SHANK]),
        "upside down": faults.upside_down(sensors, SHANK, axis=1),
        "fast": faults.sampled_faster(sensors, [SHANK], 1.1),
        "dropped": faults.dropped(sensors, SHANK, body.time_s, 3.0),
        "lost": faults.lost(sensors, [SHANK], 0.05, rng),
        "saturated": faults.saturated(sensors, [SHANK], gyr_limit_rad_s=0.5),
    }


def test_the_other_sensor_and_what_was_given_stay_as_they_were(body):
    before = {name: [signal.copy() for signal in readings] for name, readings in body.sensors.items()}
    for changed in spoilt(body).values():
        assert changed[THIGH] is body.sensors[THIGH]
        assert not np.array_equal(changed[SHANK], body.sensors[SHANK])
    for name, readings in body.sensors.items():
        assert np.array_equal(readings, before[name])


def test_each_fault_is_the_one_it_says(body):
    acc, gyr = body.sensors[SHANK]
    made = {name: sensors[SHANK] for name, sensors in spoilt(body).items()}
    assert np.linalg.norm(made["g"][0][0]) == pytest.approx(1.0, abs=1e-3)
    assert np.array_equal(made["g"][1], gyr)
    assert made["degrees"][1] == pytest.approx(gyr * 180 / np.pi)
    assert np.array_equal(made["upside down"][0], acc * [-1, 1, -1])
    assert np.array_equal(made["upside down"][1], gyr * [-1, 1, -1])
    gone = np.isnan(made["dropped"][0]).all(axis=1)
    assert body.time_s[gone] == pytest.approx(np.arange(3.0, 5.0, 0.01))
    assert np.array_equal(gone, np.isnan(made["dropped"][1]).any(axis=1))
    assert np.isnan(made["lost"][0][:, 0]).mean() == pytest.approx(0.05, abs=0.02)
    assert np.abs(made["saturated"][1]).max() == 0.5 < np.abs(gyr).max()
    assert np.array_equal(made["saturated"][0], acc)


def test_a_fast_sensor_takes_more_samples_of_the_same_movement(body):
    fast = faults.sampled_faster(body.sensors, [SHANK], 1.1)[SHANK]
    assert len(fast[0]) == round(1.1 * len(body.time_s))
    turned, of_it = (np.linalg.norm(gyr, axis=1).sum() for gyr in (body.sensors[SHANK][1], fast[1]))
    assert of_it == pytest.approx(1.1 * turned, rel=1e-3)


def test_swapped_sensors_change_places_and_swapped_again_are_back(body):
    swapped = faults.swapped(body.sensors, THIGH, SHANK)
    assert swapped[THIGH] is body.sensors[SHANK]
    again = faults.swapped(swapped, THIGH, SHANK)
    assert all(again[name] is body.sensors[name] for name in body.sensors)


def test_a_magnet_comes_and_goes(body):
    mag = np.tile([20.0, 0.0, -45.0], (len(body.time_s), 1))
    near = faults.beside_a_magnet(mag, body.time_s, 3.0, 4.0, np.array([0.0, 80.0, 0.0]))
    t = body.time_s
    assert np.array_equal(near[t < 3], mag[t < 3])
    assert np.array_equal(near[t > 7], mag[t > 7])
    assert near[(t > 4.01) & (t < 5.99)][:, 1] == pytest.approx(80.0)


def test_a_recording_is_spoilt_just_the_same(data_folder):
    recording = load_recording(data_folder / "uci_physical_therapy" / "s1_e1_test.npz")
    in_g = faults.in_g(recording.sensors, recording.sensors)
    assert {np.median(magnitudes(readings)[0]).round(1) for readings in in_g.values()} == {1.0}
    gone = faults.dropped(recording.sensors, THIGH, recording.time_s, recording.time_s[0] + 10)
    assert np.isnan(gone[THIGH][0][:, 0]).sum() == pytest.approx(2 * recording.rate_hz, abs=1)
    assert pytest.approx(np.median(magnitudes(recording.sensors[THIGH])[0]), abs=0.3) == GRAVITY_M_S2

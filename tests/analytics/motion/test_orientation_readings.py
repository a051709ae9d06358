"""Readings in wrong units or at a wrong rate, on real movements of people and of a board."""

from __future__ import annotations

import numpy as np
import pytest
from one_sensor import OneSensor

from analytics.motion.orientation import check_readings
from analytics.motion.orientation.readings import Complaint, FirstReadings
from analytics.signals.samples import ImuSamples

MOVEMENTS = {
    "slow turning": ("broad/01_undisturbed_slow_rotation_A.npz", None, 95.238, 40.0),
    "fast shaking": ("broad/15_undisturbed_fast_translation_A.npz", None, 95.238, 45.0),
    "wrist": ("spar_watch/s01_ABD_L.npz", None, 50.0, 5.0),
    "pendulum swing of an arm": ("spar_watch/s05_PEN_L.npz", None, 50.0, 5.0),
    "foam": ("ring_chain/trial1.npz", 2, 40.0, 10.0),
}


@pytest.fixture(params=list(MOVEMENTS))
def movement(request, data_folder):
    """gyr, acc (n, 3) and rate of 15 s."""
    name, sensor, rate_hz, start_s = MOVEMENTS[request.param]
    if not (data_folder / name).exists():
        pytest.skip(f"no {name}")
    arrays = np.load(data_folder / name)
    suffix = "" if sensor is None else "_nonrigid"
    step = 3 if name.startswith("broad") else 1
    gyr, acc = (arrays[key + suffix][::step].astype(float) for key in ("gyr", "acc"))
    part = slice(round(start_s * rate_hz), round((start_s + 15) * rate_hz))
    choose = (part,) if sensor is None else (part, sensor)
    return gyr[choose], acc[choose], rate_hz


def complaints(faults):
    return [fault.complaint for fault in faults]


def times(n, rate_hz):
    return 100.0 + np.arange(n) / rate_hz


def test_right_readings_are_not_complained_about(movement):
    gyr, acc, rate_hz = movement
    assert check_readings(gyr, acc, rate_hz, times(len(gyr), rate_hz)) == ()


def test_a_rate_in_degrees_is_named(movement):
    gyr, acc, rate_hz = movement
    (fault,) = check_readings(np.degrees(gyr), acc, rate_hz)
    assert fault.complaint is Complaint.RATE_IN_DEGREES
    assert "degrees" in fault.sentence


@pytest.mark.parametrize(("factor", "unit"), [(1 / 9.81, "in g,"), (1000 / 9.81, "thousandths of g")])
def test_acceleration_in_g_is_named(movement, factor, unit):
    gyr, acc, rate_hz = movement
    (fault,) = check_readings(gyr, factor * acc, rate_hz)
    assert fault.complaint is Complaint.ACCELERATION_IN_G
    assert unit in fault.sentence


def test_both_wrong_are_both_named(movement):
    gyr, acc, rate_hz = movement
    found = complaints(check_readings(np.degrees(gyr), acc / 9.81, rate_hz))
    assert found == [Complaint.ACCELERATION_IN_G, Complaint.RATE_IN_DEGREES]


@pytest.mark.parametrize("share", [0.9, 1.1])
def test_a_rate_off_by_a_tenth_is_named(movement, share):
    gyr, acc, rate_hz = movement
    (fault,) = check_readings(gyr, acc, rate_hz, times(len(gyr), share * rate_hz))
    assert fault.complaint is Complaint.SAMPLING_RATE
    assert f"{share * rate_hz:.0f} samples a second, not {rate_hz:.0f}" in fault.sentence


def test_an_accelerometer_without_gravity_is_named(movement):
    gyr, acc, rate_hz = movement
    assert complaints(check_readings(gyr, acc * 0.4, rate_hz)) == [Complaint.NO_GRAVITY]


@pytest.mark.parametrize("size", [1, 7, 400])
def test_the_first_readings_say_the_same_whatever_the_packets(movement, size):
    gyr, acc, rate_hz = movement
    first = FirstReadings(rate_hz)
    cuts = [slice(i, i + size) for i in range(0, len(gyr), size)]
    found = [fault for cut in cuts for fault in first.update(np.degrees(gyr)[cut], acc[cut])]
    assert complaints(found) == [Complaint.RATE_IN_DEGREES]
    assert first.judged


def test_a_rate_in_degrees_is_named_before_a_movement_is_half_done(movement):
    """Asked for as soon as the sensor has truly turned by 40°, and never of right readings."""
    gyr, acc, rate_hz = movement
    right, wrong = FirstReadings(rate_hz), FirstReadings(rate_hz)
    turned_deg = np.degrees(np.cumsum(np.linalg.norm(gyr, axis=1)) / rate_hz)
    said_deg = []
    for i in range(len(gyr)):
        cut = slice(i, i + 1)
        assert right.update(gyr[cut], acc[cut]) == ()
        if wrong.update(np.degrees(gyr)[cut], acc[cut]):
            said_deg.append(turned_deg[i])
    assert len(said_deg) == 1
    assert said_deg[0] < 40.0 + turned_deg[round(rate_hz)], "the first second has to pass"


def test_a_slow_movement_in_degrees_shows_by_gravity_alone():
    """At 8 °/s nothing looks too fast; but read as rad/s, gravity would have to go round with it."""
    rate_hz, time_s = 50.0, np.arange(0, 6, 0.02)
    angle = np.radians(8.0) * np.maximum(time_s - 2.0, 0.0)
    acc = 9.81 * np.stack([np.sin(angle), 0 * angle, np.cos(angle)], axis=1)
    gyr = np.stack([0 * angle, -np.gradient(angle, time_s), 0 * angle], axis=1)
    readings = FirstReadings(rate_hz)
    said_s = [
        float(time_s[i]) for i in range(len(gyr))
        if readings.update(np.degrees(gyr[i : i + 1]), acc[i : i + 1])
    ]  # fmt: skip
    assert said_s == [pytest.approx(3.0, abs=0.3)]


@pytest.mark.parametrize(
    ("gyr_factor", "acc_factor", "within_s"), [(180 / np.pi, 1.0, 2.0), (1.0, 1 / 9.81, 0.5), (1.0, 1.0, None)]
)
def test_no_orientation_comes_from_wrong_units(movement, gyr_factor, acc_factor, within_s):
    gyr, acc, rate_hz = movement
    sensor = OneSensor(rate_hz)
    time_s = times(len(gyr), rate_hz)
    last_s = 0.0
    for i in range(0, len(gyr), 10):
        cut = slice(i, i + 10)
        ticks = np.round(1e6 * (time_s[cut] - 100.0)).astype(np.int64)
        found = sensor.update(ImuSamples(ticks, acc_factor * acc[cut], gyr_factor * gyr[cut]), time_s[cut])
        last_s = found[-1].time_s - 100.0 if found else last_s
    if within_s is None:
        assert not sensor.faults
        assert last_s == pytest.approx(len(gyr) / rate_hz, abs=0.2)
    else:
        assert sensor.faults
        assert last_s <= within_s


def test_a_sensor_that_lies_still_shows_nothing_of_its_gyroscope():
    still = np.tile([0.0, 0.0, 9.81], (1000, 1))
    noise = np.random.default_rng(0).normal(0, 0.5, (1000, 3))
    assert check_readings(np.radians(noise), still, 100.0) == ()
    assert check_readings(np.empty((0, 3)), np.empty((0, 3)), 100.0) == ()

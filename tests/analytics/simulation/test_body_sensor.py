"""Sensors, skin and magnets: each error is there, and as large as it says."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.motion.rotations import relative, to_rotation_vector
from analytics.simulation.body import (
    GOOD,
    IDEAL,
    INEXPENSIVE,
    MOVEMENTS,
    NO_SKIN_MOTION,
    SITTING,
    MagneticField,
    SensorModel,
    SkinMotion,
    repeat,
    rest,
    simulate,
    worn,
)
from analytics.simulation.body.course import minimum_jerk
from analytics.simulation.body.moving_frame import MovingFrame
from analytics.simulation.body.sensor import Errors, reading, resampled

RATE_HZ = 100.0
STILL = np.zeros((20_000, 3))


def pieces(errors, ideal=STILL, count=40):
    return np.array([reading(errors, ideal, RATE_HZ, rng) for rng in np.random.default_rng(1).spawn(count)])


def test_white_noise_has_its_density_at_any_rate():
    for rate_hz in (25.0, 400.0):
        noise = reading(Errors(noise=0.02), STILL, rate_hz, np.random.default_rng(2))
        assert noise.std() == pytest.approx(0.02 * np.sqrt(rate_hz / 2), rel=0.02)
        assert np.corrcoef(noise[:-1, 0], noise[1:, 0])[0, 1] == pytest.approx(0.0, abs=0.02)


def test_a_bias_stays_and_a_walking_one_leaves_with_the_root_of_time():
    bias = pieces(Errors(bias=0.3))
    assert np.ptp(bias, axis=1).max() == 0
    assert bias[:, 0].std() == pytest.approx(0.3, rel=0.2)
    walk = pieces(Errors(walk=0.01))
    for seconds in (10, 160):
        left = walk[:, round(seconds * RATE_HZ)] - walk[:, 0]
        assert left.std() == pytest.approx(0.01 * np.sqrt(seconds), rel=0.2)


def test_scale_and_misalignment_grow_with_the_signal():
    ideal = np.array([[5.0, 0.0, 0.0], [50.0, 0.0, 0.0]])
    error = pieces(Errors(scale=0.01), ideal, 400) - ideal
    assert error[:, 1] == pytest.approx(10 * error[:, 0])
    assert error[:, 1].std(axis=0) == pytest.approx(0.5, rel=0.2), "of its own axis and as heard by the others"


def test_steps_and_limits():
    ideal = np.linspace(-3, 3, 1000)[:, None] * np.ones(3)
    read = reading(Errors(step=0.25, limit=2.0), ideal, RATE_HZ, np.random.default_rng(3))
    assert np.array_equal(read, np.round(read * 4) / 4)
    assert (read.min(), read.max()) == (-2.0, 2.0)
    inside = np.abs(ideal) < 1.9
    assert np.abs(read - ideal)[inside].max() <= 0.125


def test_ideal_sensors_read_the_truth_and_noise_scales_a_model():
    rng = np.random.default_rng(4)
    ideal = rng.normal(size=(100, 3))
    assert np.array_equal(reading(IDEAL.acc, ideal, RATE_HZ, rng), ideal)
    assert INEXPENSIVE.times(0).gyr == Errors(step=INEXPENSIVE.gyr.step, limit=INEXPENSIVE.gyr.limit)
    twice = INEXPENSIVE.times(2)
    assert (twice.acc.noise, twice.acc.limit) == (2 * INEXPENSIVE.acc.noise, INEXPENSIVE.acc.limit)
    for good, cheap in ((GOOD.acc, INEXPENSIVE.acc), (GOOD.gyr, INEXPENSIVE.gyr), (GOOD.mag, INEXPENSIVE.mag)):
        assert good.noise < cheap.noise
        assert good.bias < cheap.bias


def test_samples_between_samples():
    t = np.arange(0, 4, 0.01)
    signal = np.stack([np.sin(2 * np.pi * 2 * t), np.cos(2 * np.pi * 2 * t)], axis=1)
    at = np.linspace(1, len(t) - 3, 777)
    expected = np.stack([np.sin(2 * np.pi * 2 * at / 100), np.cos(2 * np.pi * 2 * at / 100)], axis=1)
    assert resampled(signal, at) == pytest.approx(expected, abs=2e-4)
    assert resampled(signal, np.arange(float(len(t)))) == pytest.approx(signal, abs=1e-12)
    assert resampled(signal, np.array([1e9])) == pytest.approx(signal[-1:])


def test_a_fast_clock_takes_its_samples_early():
    def measured(ppm):
        rng = np.random.default_rng(5)
        parts = [repeat(MOVEMENTS["seated_knee_extension"], 20, rng)]
        mounts = [worn("right_shank", rng, skin=NO_SKIN_MOTION)]
        session = simulate(parts, mounts, rng, model=SensorModel(clock_ppm=ppm))
        return np.linalg.norm(session.sensors["right_shank"][1], axis=1)

    true, clocked = measured(0.0), measured(5000.0)
    there = np.arange(len(true))
    found = min(np.linspace(0.98, 1.02, 401), key=lambda s: np.abs(resampled(true, there * s) - clocked).sum())
    assert 0.0001 < abs(found - 1) < 0.02, "half a percent, one standard deviation"
    assert np.abs(resampled(true, there * found) - clocked).mean() < 0.01 < np.abs(true - clocked).mean()


def moved_and_stopped(skin, rate_hz=1000.0):
    """A sensor on a shank that is pushed 10 cm within a tenth of a second and then stands."""
    time_s = np.arange(0, 1.5, 1 / rate_hz)
    push = np.zeros((3, len(time_s), 3))
    push[:, :, 1] = 0.1 * minimum_jerk(time_s, 0.1, 0.1)
    segment = MovingFrame.at_rest(len(time_s), np.array([1.0, 0, 0, 0]), np.zeros(3)).shifted(push)
    mount = worn("right_shank", np.random.default_rng(6), skin=skin, turned_deg=0.0)
    return time_s, segment, mount, mount.carried(segment, {}, rate_hz)


def test_after_an_impact_the_sensor_rings_on_its_tissue_and_calms_down():
    skin = SkinMotion(turn_deg=0.0, slide_m=0.0, resonance_hz=10.0, damping=0.1)
    time_s, segment, mount, sensor = moved_and_stopped(skin)
    wobble = (sensor.place_m - segment.place_m - mount.place_m)[:, 1]
    after = time_s > 0.2
    crossings = time_s[1:][after[1:] & (np.diff(np.sign(wobble)) > 0)]
    assert 1 / np.diff(crossings[:5]).mean() == pytest.approx(10.0 * np.sqrt(1 - 0.1**2), rel=0.02)
    assert np.abs(wobble[after]).max() > 0.002
    assert np.abs(wobble[time_s > 1.2]).max() < 0.02 * np.abs(wobble[after]).max()
    tipped = np.degrees(np.linalg.norm(to_rotation_vector(sensor.orientation), axis=1))
    assert tipped.max() == pytest.approx(skin.rock_deg_per_mm * 1e3 * np.abs(wobble).max(), rel=0.01)


def test_the_ringing_is_felt_as_it_moves():
    time_s, _, _, sensor = moved_and_stopped(SkinMotion(resonance_hz=10.0, damping=0.1))
    step_s = time_s[1]
    felt = np.diff(sensor.place_m, 2, axis=0) / step_s**2
    assert np.abs(sensor.acc_m_s2[1:-1] - felt).max() < 0.05 * np.abs(felt).max()
    stiff = moved_and_stopped(NO_SKIN_MOTION)[3]
    assert np.abs(sensor.acc_m_s2).max() > 1.2 * np.abs(stiff.acc_m_s2).max(), "tissue overshoots"


def test_tissue_under_a_steady_push_gives_way_by_what_its_stiffness_allows():
    """However coarse the sampling: x = -a/ω² once it is calm."""
    for rate_hz in (25.0, 400.0):
        time_s = np.arange(0, 6, 1 / rate_hz)
        along = np.zeros((3, len(time_s), 3))
        along[:, :, 0] = np.stack([time_s**2, 2 * time_s, np.full_like(time_s, 2.0)])
        segment = MovingFrame.at_rest(len(time_s), np.array([1.0, 0, 0, 0]), np.zeros(3)).shifted(along)
        skin = SkinMotion(turn_deg=0.0, slide_m=0.0, resonance_hz=8.0, rock_deg_per_mm=0.0)
        mount = worn("right_shank", np.random.default_rng(6), skin=skin)
        given_way = mount.carried(segment, {}, rate_hz).place_m - segment.place_m - mount.place_m
        assert given_way[-1, 0] == pytest.approx(-2.0 / (2 * np.pi * 8.0) ** 2, rel=1e-3)


def test_skin_turns_and_slides_with_the_joint_beside_it():
    rng = np.random.default_rng(7)
    movement = MOVEMENTS["prone_knee_flexion"].to_range(90.0)
    turned = []
    for _ in range(60):
        mount = worn("right_shank", rng, skin=SkinMotion(turn_deg=3.0, resonance_hz=0.0))
        session = simulate([repeat(movement, 1, rng)], [mount], rng, model=IDEAL)
        mounted = relative(session.orientations["right_shank"], session.sensor_orientations["right_shank"])
        first, peak = (mounted[np.searchsorted(session.time_s, t)] for t in (0.0, session.repetitions[0].peak_s))
        turned.append(np.degrees(to_rotation_vector(relative(first, peak))))
    assert np.std(turned) == pytest.approx(3.0, rel=0.25)


def test_a_magnetometer_sees_the_earth_and_a_magnet_as_a_dipole():
    on_axis, beside = np.array([[0.0, 0.0, 0.5]]), np.array([[0.5, 0.0, 0.0]])
    field = MagneticField(earth_ut=(0, 0, 0), magnet_a_m2=2.0)
    # μ₀/4π·2m/r³ on the axis, half of it and against it beside: 0.1 µT·m³/(A·m²) · 2 · 2/0.125 = 3.2 µT.
    assert field.at(on_axis)[0] == pytest.approx([0, 0, 3.2])
    assert field.at(beside)[0] == pytest.approx([0, 0, -1.6])

    rng = np.random.default_rng(8)
    lengths = []
    for moment in (0.0, 20.0):
        near = MagneticField(magnet_a_m2=moment, magnet_place_m=(0.5, 0.3, -0.3))
        session = simulate(
            [rest(2, SITTING), repeat(MOVEMENTS["seated_knee_extension"], 1, np.random.default_rng(1))],
            [worn("right_shank", np.random.default_rng(2))],
            rng,
            model=IDEAL,
            field=near,
        )
        lengths.append(np.linalg.norm(session.mag_ut["right_shank"], axis=1))
    assert lengths[0] == pytest.approx(np.hypot(20, 45))
    assert np.ptp(lengths[1]) > 5.0, "near iron the field changes as one moves"

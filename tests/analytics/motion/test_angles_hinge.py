"""A hinge's flexion from inclinations, and what one sensor may say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from analytics.motion import rotations
from analytics.motion.angles import HingeAxes, hinge_axes, single_sensor_refusal, up_in_sensor
from analytics.motion.angles.cardan import from_zxy
from analytics.signals.samples import FloatArray

RATE_HZ = 100.0
TIME_S = np.arange(0.0, 3.0, 1.0 / RATE_HZ)
STANDING = np.array([0.5**0.5, 0.5**0.5, 0.0, 0.0])
RIGHT = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True)
class Leg:
    """What sensors strapped on anyhow see of a leg whose knee is a hinge: orientations (n, 2, 4)."""

    flexion_deg: FloatArray
    orientation: FloatArray
    mounted: tuple[FloatArray, FloatArray]


def leg(rng: np.random.Generator, thigh_deg: float, knee_deg: float, *, splay_deg: float) -> Leg:
    """A leg that bends and straightens once: thigh forward by thigh_deg, knee by knee_deg, splayed in between."""
    bend = (1 - np.cos(2 * np.pi * TIME_S / TIME_S[-1])) / 2
    still = np.zeros_like(bend)
    hip = from_zxy(np.radians(thigh_deg * bend), still, np.radians(splay_deg * bend))
    thigh = rotations.multiply(STANDING, hip)
    shank = rotations.multiply(thigh, from_zxy(np.radians(-knee_deg * bend), still, still))
    mounted = tuple(rotations.from_rotation_vector(rng.normal(size=3) * 2) for _ in range(2))
    headings = rotations.about_vertical(rng.uniform(-np.pi, np.pi, size=2))
    sensors = np.stack(
        [
            rotations.multiply(h, rotations.multiply(q, rotations.conjugate(m)))
            for h, q, m in zip(headings, (thigh, shank), mounted, strict=True)
        ],
        axis=1,
    )
    return Leg(knee_deg * bend, sensors, (mounted[0], mounted[1]))


def found(one: Leg) -> HingeAxes:
    """With the true axis, in the wrong sense: flexion turns about the left."""
    axes = tuple(rotations.rotate(mounted, RIGHT) for mounted in one.mounted)
    return hinge_axes((axes[0], axes[1]), one.orientation[:, 0], one.orientation[:, 1])


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("thigh_deg", "knee_deg"), [(70.0, 100.0), (20.0, 90.0), (40.0, 60.0)])
def test_any_mounting_and_any_headings_give_the_flexion_and_its_sense(
    seed: int, thigh_deg: float, knee_deg: float
) -> None:
    one = leg(np.random.default_rng(seed), thigh_deg, knee_deg, splay_deg=15.0)
    axes = found(one)
    for axis, mounted in zip((axes.proximal, axes.distal), one.mounted, strict=True):
        assert axis == pytest.approx(-rotations.rotate(mounted, RIGHT))
    up = up_in_sensor(one.orientation)
    flexion = np.degrees(axes.angle_rad(up[:, 0], up[:, 1]))
    assert flexion == pytest.approx(one.flexion_deg, abs=0.5)


def test_the_flexion_does_not_mind_the_heading() -> None:
    one = leg(np.random.default_rng(3), 60.0, 90.0, splay_deg=10.0)
    axes = found(one)
    up = up_in_sensor(one.orientation)
    drifted = rotations.multiply(rotations.about_vertical(TIME_S)[:, None], one.orientation)
    again = up_in_sensor(drifted)
    assert axes.angle_rad(again[:, 0], again[:, 1]) == pytest.approx(axes.angle_rad(up[:, 0], up[:, 1]))


def test_the_stated_error_of_the_flexion_is_the_spread() -> None:
    rng = np.random.default_rng(4)
    one = leg(rng, 60.0, 90.0, splay_deg=25.0)
    axes = found(one)
    up = up_in_sensor(one.orientation)[150]
    tilts = rng.normal(scale=np.radians(0.7), size=(2, 20_000, 3))
    thigh, shank = (u + np.cross(tilt, u) for u, tilt in zip(up, tilts, strict=True))
    stated = axes.error_rad(up[0], up[1], np.radians(0.7), axis_rad=0.0)
    assert np.std(axes.angle_rad(thigh, shank)) == pytest.approx(float(stated), rel=0.05)
    vertical = axes.error_rad(axes.proximal, up[1], 0.01, 0.01)
    assert np.isinf(vertical)


def seated(thigh_lift_m_s2: float = 0.0) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Knee angle [°], vertical, rate and specific force of a shank sensor 0.25 m below a knee that may be shaken."""
    angle = np.radians(40.0) * (1 - np.cos(2 * np.pi * TIME_S / 1.5))
    q = rotations.multiply(STANDING, from_zxy(angle, 0 * angle, 0 * angle))
    up = up_in_sensor(q)
    speed = np.gradient(angle, 1 / RATE_HZ)
    rate = speed[:, None] * RIGHT
    spin = np.gradient(rate, 1 / RATE_HZ, axis=0)
    lever = np.array([0.0, -0.25, 0.0])
    acc = 9.81 * up + np.cross(spin, lever) + np.cross(rate, np.cross(rate, lever))
    shaken = thigh_lift_m_s2 * np.sin(2 * np.pi * TIME_S / 0.8)
    return np.degrees(angle), up, rate, acc + shaken[:, None] * up


def test_one_sensor_holds_while_the_thigh_lies_still() -> None:
    _, up, rate, acc = seated()
    assert single_sensor_refusal(up, rate, acc, RIGHT, rate_hz=RATE_HZ) is None


def test_one_sensor_refuses_when_the_thigh_moves() -> None:
    _, up, rate, acc = seated(thigh_lift_m_s2=2.0)
    refusal = single_sensor_refusal(up, rate, acc, RIGHT, rate_hz=RATE_HZ)
    assert refusal is not None
    assert "your thigh moved as well" in refusal


def test_a_sensor_on_the_thigh_tells_that_it_turns_slowly() -> None:
    """What one sensor cannot see: the thigh is lifted by 9° in three seconds."""
    _, up, rate, acc = seated()
    lifted = np.broadcast_to(np.radians(3.0) * RIGHT, rate.shape)
    refusal = single_sensor_refusal(up, rate, acc, RIGHT, rate_hz=RATE_HZ, neighbour_rad_s=lifted)
    assert refusal is not None
    assert "your thigh turned by 9° as well" in refusal


def test_a_leg_swung_to_the_side_is_no_knee_angle() -> None:
    _, up, rate, acc = seated()
    refusal = single_sensor_refusal(up, rate, acc, np.array([1.0, 0.0, 0.0]), rate_hz=RATE_HZ)
    assert refusal is not None
    assert "went to the side" in refusal

"""Courses and moving frames against closed forms and against differences of their own values."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.motion.rotations import multiply, relative, rotate, to_rotation_vector
from analytics.simulation.body.course import chain, cruise, envelope, minimum_jerk, product, sine, wander
from analytics.simulation.body.gait import walking_angles, walking_pelvis
from analytics.simulation.body.mounting import turned_about
from analytics.simulation.body.moving_frame import GRAVITY_M_S2, MovingFrame

STEP_S = 1e-4
TIME_S = np.arange(0, 2, STEP_S)
STILL = MovingFrame.at_rest(len(TIME_S), np.array([1.0, 0, 0, 0]), np.zeros(3))
ANGLE = np.stack([0.3 * TIME_S + 0.4 * TIME_S**2, 0.3 + 0.8 * TIME_S, np.full_like(TIME_S, 0.8)])


def differences(values):
    """First and second central differences, at all but the ends."""
    return (values[2:] - values[:-2]) / (2 * STEP_S), (values[2:] - 2 * values[1:-1] + values[:-2]) / STEP_S**2


@pytest.mark.parametrize(
    "course",
    [
        minimum_jerk(TIME_S, 0.3, 1.5),
        envelope(TIME_S, 1.9, 0.6),
        cruise(TIME_S, 1.9, 0.6),
        sine(ANGLE),
        product(minimum_jerk(TIME_S, 0.3, 1.5), sine(ANGLE)),
        chain((np.exp(ANGLE[0] / 9),) * 3, ANGLE / 9),
        wander(TIME_S, (0.2, 8.0), np.random.default_rng(2)),
        *walking_angles(TIME_S, 0.9)["right_knee"],
        *walking_angles(TIME_S, 0.9)["left_shoulder"],
    ],
)
def test_the_derivatives_of_a_course_are_those_of_its_values(course):
    rate, acc = differences(course[0])
    scale = 1 + np.abs(course).max(axis=1)
    assert course[1][1:-1] == pytest.approx(rate, abs=1e-5 * scale[1])
    assert course[2][1:-1] == pytest.approx(acc, abs=1e-3 * scale[2])


def test_minimum_jerk_rests_at_both_ends_and_is_fastest_half_way():
    course = minimum_jerk(TIME_S, 0.3, 1.5)
    assert np.all(course[:, TIME_S <= 0.3] == 0)
    assert np.all(course[:, TIME_S >= 1.8] == np.array([[1.0], [0.0], [0.0]]))
    assert course[1].max() == pytest.approx(1.875 / 1.5)  # Flash & Hogan: 15/8 of the mean speed


def test_wandering_has_the_deviation_and_the_band_it_was_asked_for():
    time_s = np.arange(0, 500, 0.01)
    values = wander(time_s, (2.0, 4.0), np.random.default_rng(3))[0]
    assert values.std() == pytest.approx(1.0, abs=0.02)
    power = np.abs(np.fft.rfft(values)) ** 2
    hz = np.fft.rfftfreq(len(time_s), 0.01)
    assert power[(hz > 1.7) & (hz < 4.5)].sum() > 0.999 * power.sum()


def test_a_rotating_arm_has_centripetal_and_tangential_acceleration():
    radius, (_, rate, turning) = 0.7, ANGLE
    hand = STILL.turned(2, ANGLE).shifted(np.array([radius, 0.0, 0.0]))
    expected = np.stack([-radius * rate**2, radius * turning, np.full_like(rate, GRAVITY_M_S2)], axis=1)
    assert hand.specific_force_m_s2() == pytest.approx(expected, abs=1e-9)
    assert hand.rate_rad_s == pytest.approx(np.stack([0 * rate, 0 * rate, rate], axis=1))


def test_a_pendulum_feels_gravity_along_its_rope_alone():
    """Swinging freely, specific force stands along the rope: g·cos θ + l·θ̇². θ̈ = -g/l sin θ, by Euler's method."""
    length_m, theta, rate, course = 0.5, 1.0, 0.0, []
    for _ in TIME_S:
        acc = -GRAVITY_M_S2 / length_m * np.sin(theta)
        course.append((theta, rate, acc))
        rate += acc * STEP_S
        theta += rate * STEP_S
    swing = np.array(course).T
    # Earth's z is up; turning about y by θ moves the bob, which hangs along -z.
    bob = STILL.turned(1, swing).shifted(np.array([0.0, 0.0, -length_m]))
    force = bob.specific_force_m_s2()
    assert force[:, :2] == pytest.approx(0.0, abs=1e-9)
    assert force[:, 2] == pytest.approx(GRAVITY_M_S2 * np.cos(swing[0]) + length_m * swing[1] ** 2, abs=1e-9)


def test_sliding_along_a_turning_arm_is_felt_sideways():
    """Coriolis: 2·ω·v across the arm."""
    turning = np.stack([2.0 * TIME_S, np.full_like(TIME_S, 2.0), 0 * TIME_S])
    offset = np.zeros((3, len(TIME_S), 3))
    offset[0, :, 0], offset[1, :, 0] = 0.1 * TIME_S, 0.1
    force = STILL.turned(2, turning).shifted(offset).specific_force_m_s2()
    assert force[:, 1] == pytest.approx(2 * 2.0 * 0.1)
    assert force[:, 0] == pytest.approx(-(2.0**2) * 0.1 * TIME_S)


def entangled():
    """Turns and shifts of all kinds, one carried by the other."""
    rng = np.random.default_rng(4)
    frame = STILL
    for axis in (1, 0, 2):
        frame = frame.turned(axis, 0.6 * wander(TIME_S, (0.3, 2.0), rng))
        frame = frame.shifted(0.2 * np.stack([wander(TIME_S, (0.3, 2.0), rng) for _ in range(3)], axis=2))
    return turned_about(frame, rng.normal(size=3), wander(TIME_S, (0.3, 2.0), rng)).reoriented(
        np.array([0.5, 0.5, -0.5, 0.5])
    )


def test_angular_rate_and_acceleration_are_the_differences_of_orientation_and_place():
    frame = entangled()
    turn = to_rotation_vector(relative(frame.orientation[:-2], frame.orientation[2:])) / (2 * STEP_S)
    assert frame.rate_rad_s[1:-1] == pytest.approx(turn, abs=1e-4)
    assert frame.turning_rad_s2[1:-1] == pytest.approx(differences(frame.rate_rad_s)[0], abs=1e-3)
    assert frame.acc_m_s2[1:-1] == pytest.approx(differences(frame.place_m)[1], abs=1e-3)
    assert np.abs(frame.acc_m_s2).max() > 5, "fast enough to see a term that is missing"


def test_integrating_the_angular_rate_gives_the_orientation_back():
    frame = entangled()
    q = frame.orientation[0]
    middle = (frame.rate_rad_s[:-1] + frame.rate_rad_s[1:]) / 2 * STEP_S
    half = np.linalg.norm(middle, axis=1, keepdims=True) / 2
    steps = np.concatenate([np.cos(half), 0.5 * np.sinc(half / np.pi) * middle], axis=1)
    for step in steps:
        q = multiply(q, step)
    assert np.linalg.norm(to_rotation_vector(relative(frame.orientation[-1], q))) < 1e-5


def test_walking_goes_in_whole_circles_at_a_walkers_speed():
    time_s = np.arange(0, 24, 1e-3)
    upright = np.array([np.cos(np.pi / 4), np.sin(np.pi / 4), 0.0, 0.0])
    pelvis = walking_pelvis(MovingFrame.at_rest(len(time_s), upright, np.zeros(3)), time_s, 0.9)
    speed = np.linalg.norm(np.diff(pelvis.place_m, axis=0), axis=1) / 1e-3
    assert np.median(speed) == pytest.approx(1.1, abs=0.1)
    assert pelvis.place_m[-1] == pytest.approx(pelvis.place_m[0], abs=1e-9)
    ahead = rotate(pelvis.orientation[10000], np.array([1.0, 0.0, 0.0]))
    heading = pelvis.place_m[10001] - pelvis.place_m[9999]
    assert ahead[:2] @ heading[:2] / np.linalg.norm(heading[:2]) > 0.99, "one walks where one looks"

from __future__ import annotations

from math import cos, pi, sin

import numpy as np
import pytest

from analytics.motion.calibration import FunctionalHinge
from analytics.motion.heading import heading_from_shared_turning
from analytics.motion.joint_angle import HingeJoint
from analytics.motion.quaternion import about_vertical, conjugate, multiply, rotate


def turn(axis, angle):
    x, y, z = np.asarray(axis) / np.linalg.norm(axis) * sin(angle / 2)
    return (cos(angle / 2), float(x), float(y), float(z))


MOUNT_P, MOUNT_D = turn((1, 2, 3), 0.8), turn((-2, 1, 1), 2.1)
AXIS_EARTH = (0.0, 1.0, 0.0)
AXIS_D = rotate((MOUNT_D[0], -MOUNT_D[1], -MOUNT_D[2], -MOUNT_D[3]), AXIS_EARTH)


def pose(hip, knee, drift=0.0):
    """Orientations of both sensors; the distal earth frame's heading is off by 0.9 rad and the drift."""
    thigh = turn(AXIS_EARTH, hip)
    shank = multiply(thigh, turn(AXIS_EARTH, knee))
    return multiply(thigh, MOUNT_P), multiply(about_vertical(-0.9 - drift), multiply(shank, MOUNT_D))


def test_excursion_of_a_hinge_whatever_mounting_and_heading():
    joint = HingeJoint(AXIS_D, *pose(0, 0), 0.9, 0.01)
    for hip in (0.0, 0.3):
        for knee in (-0.5, 0.2, 1.4):
            assert joint.excursion_deg(*pose(hip, knee), restarted=False) == pytest.approx(np.degrees(knee), abs=1e-6)


def test_a_drifting_heading_is_followed_causally():
    joint = HingeJoint(AXIS_D, *pose(0, 0), 0.9, 0.01)
    errors = []
    for k in range(6000):  # a minute, 60° of drift, a thigh that moves as well
        knee, hip = 0.6 * (1 - cos(k / 100)), 0.2 * sin(k / 70)
        excursion = joint.excursion_deg(*pose(hip, knee, drift=k / 6000 * pi / 3), restarted=False)
        errors.append(excursion - np.degrees(knee))
    assert np.abs(errors).max() < 1.0


def test_after_a_restart_the_heading_is_found_from_the_axis():
    joint = HingeJoint(AXIS_D, *pose(0, 0), 0.9, 0.01)
    assert joint.excursion_deg(*pose(0.2, 0.7, drift=2.5), restarted=True) == pytest.approx(np.degrees(0.7), abs=1e-6)


def test_a_vertical_axis_tells_no_heading_after_a_restart():
    proximal = distal = (1.0, 0.0, 0.0, 0.0)
    joint = HingeJoint((0.0, 0.0, 1.0), proximal, distal, 0.0, 0.01)
    assert joint.excursion_deg(proximal, distal, restarted=True) is None
    assert joint.excursion_deg(proximal, distal, restarted=False) is None, "the old heading says nothing any more"
    tilted = turn((0, 1, 0), 1.2)
    assert joint.excursion_deg(tilted, tilted, restarted=False) == pytest.approx(0)


def test_heading_from_what_a_thigh_turns_in_step():
    axis = np.array([0.0, 1.0, 0.0])
    swing = np.sin(np.linspace(0, 2 * np.pi, 200))[:, None]
    true = 1.2
    lifted = np.array(rotate(about_vertical(true), tuple(axis)))
    assert heading_from_shared_turning(axis, 0.1 * swing * lifted, swing * axis) == pytest.approx(true)
    assert np.isfinite(heading_from_shared_turning(axis, 0 * swing * lifted, swing * axis))


def test_from_a_calibration_both_axes_and_the_start_are_known():
    """The zero is where the calibration movement began; the heading is that of its end, taken back to its beginning."""
    hinge = FunctionalHinge(
        proximal_axis=rotate(conjugate(MOUNT_P), AXIS_EARTH),
        distal_axis=AXIS_D,
        start=multiply(conjugate(MOUNT_P), MOUNT_D),
        start_up=rotate(conjugate(MOUNT_P), (0.0, 0.0, 1.0)),
        heading_rad=1.0,
        drift_rad_s=0.01,
        heading_error_rad=0.02,
        likelier=20.0,
        excursion_deg=90.0,
        explained=1.0,
        residual_deg=0.0,
        stability_deg=0.0,
    )
    joint = HingeJoint.from_calibration(hinge, 0.01, since_s=-10.0)
    for k in range(500):
        knee = 0.6 * (1 - cos(k / 100))
        excursion = joint.excursion_deg(*pose(0.2 * sin(k / 70), knee, drift=0.01 * k * 0.01), restarted=False)
        assert excursion == pytest.approx(np.degrees(knee), abs=0.1)
    assert 1.0 < joint.error_deg < 2.0


def test_the_error_grows_while_an_upright_axis_hides_the_heading():
    upright = (1.0, 0.0, 0.0, 0.0)
    joint = HingeJoint((0.0, 0.0, 1.0), upright, upright, 0.0, 0.01)
    errors = []
    for _ in range(3000):
        joint.excursion_deg(upright, upright, restarted=False)
        errors.append(joint.error_deg)
    assert errors[-1] > errors[0] + 5
    level = HingeJoint((0.0, 1.0, 0.0), upright, upright, 0.0, 0.01)
    level.excursion_deg(upright, upright, restarted=False)
    assert level.error_deg < 2, "a level axis lets no heading error through"

"""The error that is stated against the spread that errors make."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.motion import rotations
from analytics.motion.angles import AngleErrors, joint_angles, shoulder_angles
from analytics.motion.angles.cardan import from_yxy, from_zxy
from analytics.signals.samples import FloatArray

DRAWS = 20_000
ERRORS = AngleErrors(inclination_rad=np.radians(0.7), heading_rad=np.radians(2.0), axis_rad=np.radians(3.0))
STANDING = np.array([0.5**0.5, 0.5**0.5, 0.0, 0.0])


def disturbed(rng: np.random.Generator, relative: FloatArray, lean: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Proximal and distal orientations of DRAWS patients whose sensors, headings and frames err as stated."""
    proximal = rotations.multiply(STANDING[None], lean)
    distal = rotations.multiply(proximal, relative)
    askew = rotations.from_rotation_vector(rng.normal(scale=ERRORS.axis_rad, size=(DRAWS, 3)))
    pair = []
    for truth in (proximal, distal):
        tilt = rng.normal(scale=ERRORS.inclination_rad, size=(DRAWS, 3)) * [1.0, 1.0, 0.0]
        measured = rotations.multiply(rotations.from_rotation_vector(tilt), np.broadcast_to(truth, (DRAWS, 4)))
        pair.append(rotations.multiply(measured, askew))
    heading = rotations.about_vertical(rng.normal(scale=ERRORS.heading_rad, size=DRAWS))
    return pair[0], rotations.multiply(heading, pair[1])


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("flexion_deg", [0.0, 60.0, 110.0])
def test_the_stated_error_of_a_knee_is_the_spread(side: str, flexion_deg: float) -> None:
    rng = np.random.default_rng(1)
    relative = from_zxy(*(np.radians([one]) for one in (-flexion_deg, 15.0, -20.0)))
    lean = from_zxy(*(np.radians([one]) for one in (50.0, 10.0, 30.0)))
    proximal, distal = disturbed(rng, relative, lean)
    measured = joint_angles("knee", side, proximal, distal, ERRORS)  # type: ignore[arg-type]
    for name, values in measured.angles_deg.items():
        assert np.std(values) == pytest.approx(float(np.median(measured.errors_deg[name])), rel=0.06), name


@pytest.mark.parametrize("elevation_deg", [30.0, 90.0, 140.0])
def test_the_stated_error_of_a_shoulder_is_the_spread(elevation_deg: float) -> None:
    rng = np.random.default_rng(2)
    relative = from_yxy(*(np.radians([one]) for one in (40.0, elevation_deg, -60.0)))
    lean = from_zxy(*(np.radians([one]) for one in (-10.0, 5.0, 0.0)))
    measured = shoulder_angles("right", *disturbed(rng, relative, lean), ERRORS)
    for name, values in measured.angles_deg.items():
        assert np.std(values) == pytest.approx(float(np.median(measured.errors_deg[name])), rel=0.08), name


def test_an_error_of_the_zero_is_in_every_angle() -> None:
    still = np.tile(STANDING, (1, 1))
    exact = AngleErrors(inclination_rad=0.0, heading_rad=0.0, axis_rad=0.1, zero_rad=np.radians(3.0))
    assert list(joint_angles("hip", "right", still, still, exact).errors_deg.values()) == pytest.approx([3.0] * 3)


def test_a_hanging_arm_has_an_elevation_and_a_twist_with_an_error_and_no_plane() -> None:
    still = np.tile(STANDING, (1, 1))
    errors = shoulder_angles("right", still, still, ERRORS).errors_deg
    assert np.isfinite([errors["elevation"][0], errors["twist"][0]]).all()
    assert np.isnan([errors["plane_of_elevation"][0], errors["internal_rotation"][0]]).all()

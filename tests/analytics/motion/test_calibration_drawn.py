"""What the drawings say of both segments of a joint, and which of two calibrations that makes likelier."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.exercises import catalogue, exercise
from analytics.motion import rotations
from analytics.motion.calibration.drawn_joint import drawn_joint_turns
from analytics.motion.calibration.hinge_axis import functional_hinge


@pytest.mark.parametrize(
    ("code", "proximal_deg", "distal_deg"),
    [
        ("knee.squat", -60, 28),
        ("knee.heel_slide", -50, 50),
        ("knee.sit_to_stand", -90, 0),
        ("knee.extension.seated", 0, 82),
        ("shoulder.flexion.standing", 0, 150),
        ("hip.bridge", -25, 25),
    ],
)
def test_what_thigh_and_shank_do_is_read_from_the_drawing(code, proximal_deg, distal_deg):
    turns = drawn_joint_turns(exercise(code))
    assert (turns.proximal_deg, turns.distal_deg) == (
        pytest.approx(proximal_deg, abs=1.0),
        pytest.approx(distal_deg, abs=1.0),
    )


def test_every_drawing_moves_the_joint_by_at_least_what_a_repetition_needs():
    for code, one in catalogue().items():
        if (turns := drawn_joint_turns(one)) is not None:
            assert turns.distal_deg - turns.proximal_deg >= one.least_excursion_deg, code


def test_one_sensor_or_a_pattern_has_no_pair_of_turns():
    assert drawn_joint_turns(exercise("trunk.pelvic_tilt")) is None
    assert drawn_joint_turns(exercise("shoulder.pendulum")) is None


def test_a_squat_of_any_depth_is_told_from_its_mirror_image():
    turns = drawn_joint_turns(exercise("knee.squat"))
    for depth in (0.4, 1.0, 1.2):
        assert turns.likelier((-60 * depth, 30 * depth), (-60 * depth, -30 * depth)) > 3.0
    assert turns.likelier((-60, 0), (-60, 0)) == 0.0


def squat(mirrored):
    """Ideal orientations of thigh and shank in one plane, headings equal; mirrored: the shank's earth frame is half a
    turn off."""
    time_s = np.arange(0, 6, 0.02)
    bend = (1 - np.cos(2 * np.pi * time_s / 3)) / 2
    proximal, distal = (
        rotations.from_rotation_vector(np.radians(deg * bend)[:, None] * np.array([0.0, 1.0, 0.0])) for deg in (-60, 30)
    )
    half_turn = rotations.about_vertical(np.full(len(time_s), np.pi))
    return proximal, rotations.multiply(half_turn, distal) if mirrored else distal, time_s


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_squat_in_one_plane_is_refused_until_it_is_known_to_be_a_squat(mirrored):
    signals = squat(mirrored)
    unknown = functional_hinge(*signals)
    assert unknown.refusal is not None
    assert "not clear which way" in unknown.refusal
    known = functional_hinge(*signals, drawn=drawn_joint_turns(exercise("knee.squat")))
    assert known.refusal is None
    assert known.excursion_deg == pytest.approx(90, abs=1.0)

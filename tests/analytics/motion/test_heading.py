from __future__ import annotations

from itertools import pairwise
from math import cos, degrees, pi, radians, sin

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from analytics.motion.heading import HingeConstraint, RangeConstraint, RelativeHeading, TwoAxisConstraint
from analytics.motion.heading.constraints import zxy_angles_rad
from analytics.motion.orientation import OrientationFilter
from analytics.motion.quaternion import about_vertical, conjugate, multiply, rotate

PERIOD_S = 0.01
FLEXION, TURN = (0.0, 0.0, 1.0), (0.0, 1.0, 0.0)
LEVEL = (0.5**0.5, 0.5**0.5, 0.0, 0.0)
"""Turns z into the horizontal."""


def turn(axis, angle):
    x, y, z = np.asarray(axis) / np.linalg.norm(axis) * sin(angle / 2)
    return (cos(angle / 2), float(x), float(y), float(z))


def limb(t, heading, *, upright=False):
    """A limb that sways, and a joint beyond it that bends about FLEXION and turns about TURN; the distal earth frame's
    heading is off."""
    proximal = multiply(turn((1, 0, 0), 0.3 * sin(0.7 * t)), turn((0, 0, 1), 0.4 * sin(0.5 * t)))
    proximal = proximal if upright else multiply(proximal, LEVEL)
    bent = turn(FLEXION, 0.8 * (1 - cos(1.1 * t)))
    return proximal, bent, about_vertical(-heading)


def follow(constraint, seconds, heading_of, *, turned=lambda t: 0.0, upright=False, **given):
    heading = RelativeHeading(constraint, **given)
    answers = []
    for k in range(round(seconds / PERIOD_S)):
        t = k * PERIOD_S
        proximal, bent, off = limb(t, heading_of(t), upright=upright)
        distal = multiply(off, multiply(multiply(proximal, bent), turn(TURN, turned(t))))
        answers.append(heading.update(proximal, distal, PERIOD_S))
    return answers


def wrapped_deg(angle_rad):
    return degrees((angle_rad + pi) % (2 * pi) - pi)


def test_a_hinge_tells_a_drifting_heading_from_the_first_sample():
    drift = radians(0.5)
    answers = follow(HingeConstraint(FLEXION, FLEXION), 30, lambda t: 2.0 + drift * t)
    errors = [wrapped_deg(a.heading_rad - 2.0 - drift * k * PERIOD_S) for k, a in enumerate(answers)]
    assert answers[0].known
    assert max(abs(e) for e in errors) < 1
    assert degrees(answers[-1].error_rad) < 2


def test_what_is_learned_of_the_heading_is_learned_of_what_it_was_given_as():
    """Given 6° off, a hinge finds its heading; the start is known as well as the end, and at first the
    change since then is known far better than both."""
    drift, wrong = radians(0.2), radians(6)
    answers = follow(
        HingeConstraint(FLEXION, FLEXION), 20, lambda t: 1.0 + drift * t, heading_rad=1.0 + wrong, error_rad=wrong
    )
    last = answers[-1]
    assert degrees(last.start_shift_rad) == pytest.approx(-6, abs=0.5)
    assert degrees(last.heading_rad - (1.0 + wrong + last.start_shift_rad) - drift * 20) == pytest.approx(0, abs=0.5)
    assert last.since_start_rad < 2 * last.error_rad
    assert answers[0].since_start_rad < 0.1 * answers[0].error_rad


def test_an_upright_axis_tells_no_heading_and_the_uncertainty_says_so():
    unknown = follow(HingeConstraint(FLEXION, FLEXION), 0.2, lambda t: 1.0, upright=True)[-1]
    assert not unknown.known
    assert unknown.error_rad == float("inf")
    proximal = (1.0, 0.0, 0.0, 0.0)
    heading = RelativeHeading(HingeConstraint(FLEXION, FLEXION), 1.0, error_rad=radians(2))
    errors = [heading.update(proximal, about_vertical(-1.0), PERIOD_S).error_rad for _ in range(3000)]
    assert all(a < b for a, b in pairwise(errors))
    assert degrees(errors[-1]) > 10


def test_two_axes_need_movement_until_one_heading_is_left():
    answers = follow(TwoAxisConstraint(FLEXION, TURN), 30, lambda t: -2.2, turned=lambda t: 0.9 * sin(1.7 * t))
    assert not answers[10].known
    assert answers[-1].known
    assert abs(wrapped_deg(answers[-1].heading_rad + 2.2)) < 2
    held = RelativeHeading(TwoAxisConstraint(FLEXION, TURN))
    proximal, bent, off = limb(1.0, -2.2)
    distal = multiply(off, multiply(proximal, bent))
    assert not any(held.update(proximal, distal, PERIOD_S).known for _ in range(1000)), "one pose fits two headings"


def test_a_range_of_motion_bounds_the_heading_and_says_how_well():
    ranges = ((0.0, radians(95)), (radians(-3), radians(3)), (radians(-3), radians(3)))
    itself = (1.0, 0.0, 0.0, 0.0)
    narrow = follow(RangeConstraint(itself, itself, ranges), 30, lambda t: 0.7)[-1]
    assert narrow.known
    assert abs(wrapped_deg(narrow.heading_rad - 0.7)) < min(10, 3 * degrees(narrow.error_rad))
    wide = ((-pi, pi), (-pi, pi), (-pi, pi))
    assert not follow(RangeConstraint(itself, itself, wide), 30, lambda t: 0.7)[-1].known


def test_a_restart_finds_the_heading_anew():
    heading = RelativeHeading(HingeConstraint(FLEXION, FLEXION))
    proximal, bent, off = limb(0.5, 1.0)
    heading.update(proximal, multiply(off, multiply(proximal, bent)), PERIOD_S)
    heading.restart()
    answer = heading.update(proximal, multiply(about_vertical(2.0), multiply(proximal, bent)), PERIOD_S)
    assert answer.heading_rad == pytest.approx(-2.0)


def test_angles_are_those_of_scipy():
    rng = np.random.default_rng(0)
    for q in Rotation.random(50, rng):
        x, y, z, w = q.as_quat()
        assert zxy_angles_rad((w, x, y, z)) == pytest.approx(q.as_euler("ZXY"))


@pytest.fixture(scope="module")
def chain(data_folder):
    """Orientations of five rigid sensors for 30 s, sample by sample."""
    with np.load(data_folder / "ring_chain" / "trial1.npz") as data:
        acc, gyr = (data[name][:1200].astype(float) for name in ("acc_rigid", "gyr_rigid"))
    followed = OrientationFilter(40.0, 5)
    return [followed.update(g, a).copy() for g, a in zip(gyr, acc, strict=True)]


@pytest.mark.parametrize(
    ("constraint", "segments"),
    [
        (HingeConstraint((0.0, 1.0, 0.0), (0.0, 1.0, 0.0)), (2, 3)),
        (TwoAxisConstraint((0.0, 1.0, 0.0), (0.0, 0.0, 1.0)), (2, 4)),
    ],
)
def test_never_looks_ahead(chain, constraint, segments):
    """What was answered does not depend on what came after."""
    pairs = [tuple(tuple(q[s].tolist()) for s in segments) for q in chain]

    def answers(seen):
        heading = RelativeHeading(constraint)
        return [heading.update(proximal, distal, 1 / 40) for proximal, distal in seen]

    whole = answers(pairs)
    for length in (1, 150, 700):
        assert answers(pairs[:length]) == whole[:length]


def test_two_axes_of_a_real_chain_agree_with_its_two_hinges(chain):
    """From segment 3 to 5 the heading of a joint of two axes is that of its two hinges added up."""
    y, z = (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)
    both = RelativeHeading(TwoAxisConstraint(y, z))
    first, second = RelativeHeading(HingeConstraint(y, y)), RelativeHeading(HingeConstraint(z, z))
    errors = []
    for q in chain:
        three, four, five = (tuple(q[s].tolist()) for s in (2, 3, 4))
        whole = both.update(three, five, 1 / 40)
        parts = first.update(three, four, 1 / 40), second.update(four, five, 1 / 40)
        if whole.known and all(one.known for one in parts):
            errors.append(wrapped_deg(whole.heading_rad - parts[0].heading_rad - parts[1].heading_rad))
    assert len(errors) > 1000
    assert np.sqrt(np.mean(np.square(errors))) < 6, "1 to 3° by the optical reference"


def test_an_axis_is_the_same_seen_from_both_sides():
    """The residual vanishes at the true heading, whatever the mounting."""
    mount = turn((1, 2, 3), 1.1)
    constraint = HingeConstraint(FLEXION, rotate(conjugate(mount), FLEXION))
    proximal, bent, off = limb(0.9, 0.4)
    residual = constraint.at(proximal, multiply(off, multiply(multiply(proximal, bent), mount)))(0.4)
    assert residual.value_rad == pytest.approx(0, abs=1e-9)
    assert residual.slope > 0

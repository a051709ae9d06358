"""SPARC and LDLJ against what is known in closed form, and against what must not change them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.motion import rotations
from analytics.motion.measures import UnmeasurableError
from analytics.motion.measures.curve import derivative, even
from analytics.motion.measures.smoothness import angular_jerk, ldlj, sparc
from tests.support.strokes import velocity

PERFECT = -np.log(204.8)
RATES = [25.0, 50.0, 60.0, 100.0, 128.0, 200.0]


def stroke(rate_hz, duration_s):
    return velocity(np.arange(round(duration_s * rate_hz) + 1) / (rate_hz * duration_s)) / duration_s


def smoothness(speed, rate_hz):
    return sparc(speed, rate_hz), ldlj(speed, angular_jerk(speed, rate_hz), rate_hz)


def test_a_minimum_jerk_stroke():
    by_spectrum, by_jerk = smoothness(stroke(100.0, 1.0), 100.0)
    assert by_spectrum == pytest.approx(-1.4058, abs=1e-4), "as monalysa's and the authors' code give"
    assert by_jerk == pytest.approx(PERFECT, abs=2e-3), "plain differences give -5.302 at this rate"
    assert sparc(stroke(100.0, 3.0), 100.0) == pytest.approx(-1.4025, abs=1e-4)


@pytest.mark.parametrize("rate_hz", RATES)
@pytest.mark.parametrize("duration_s", [0.5, 1.0, 3.0, 6.0])
def test_rate_and_length_hardly_matter(rate_hz, duration_s):
    by_spectrum, by_jerk = smoothness(stroke(rate_hz, duration_s), rate_hz)
    assert by_spectrum == pytest.approx(-1.406, abs=0.025)
    assert by_jerk == pytest.approx(PERFECT, abs=0.25 if rate_hz * duration_s < 20 else 0.025)


def test_trembling_is_less_smooth():
    """+50 % modulation at 3 Hz: -1.76 in 1 s, -2.13 in 3 s."""
    for duration_s, expected in ((1.0, -1.76), (3.0, -2.13)):
        time_s = np.arange(round(duration_s * 100) + 1) / 100.0
        trembling = stroke(100.0, duration_s) * (1 + 0.5 * np.sin(2 * np.pi * 3.0 * time_s))
        by_spectrum, by_jerk = smoothness(trembling, 100.0)
        assert by_spectrum == pytest.approx(expected, abs=0.02)
        assert by_jerk < PERFECT - 1.0


def test_two_strokes_with_a_stop_are_less_smooth_than_one():
    one, two = stroke(100.0, 2.0), np.concatenate([stroke(100.0, 1.0), np.zeros(30), stroke(100.0, 1.0)])
    assert all(a < b - 0.3 for a, b in zip(smoothness(two, 100.0), smoothness(one, 100.0), strict=True))


@given(scale=st.floats(1e-3, 1e3), pause=st.integers(0, 100), sign=st.sampled_from([-1.0, 1.0]))
def test_size_side_and_pauses_do_not_matter(scale, pause, sign):
    speed = stroke(100.0, 1.0)
    assert ldlj(sign * scale * speed, angular_jerk(sign * scale * speed, 100.0), 100.0) == pytest.approx(
        ldlj(speed, angular_jerk(speed, 100.0), 100.0), abs=1e-6
    )
    assert sparc(np.pad(scale * speed, pause), 100.0) == pytest.approx(sparc(speed, 100.0), abs=0.025)
    assert sparc(scale * speed[::-1], 100.0) == pytest.approx(sparc(speed, 100.0), abs=1e-9)


def test_a_sensor_that_turns_tells_the_room_s_jerk():
    """A rate about an axis that turns itself: jerk in the room's axes, turned into the sensor's, is the same."""
    rate_hz = 200.0
    time_s = np.arange(400) / rate_hz
    in_room = np.stack([np.sin(2 * time_s), np.cos(3 * time_s), 0.5 * np.sin(time_s + 1)], axis=-1)
    orientation = [np.array([1.0, 0.0, 0.0, 0.0])]
    for one, other in pairwise(in_room):
        turn = rotations.from_rotation_vector((one + other) / 2 / rate_hz)
        orientation.append(rotations.multiply(turn, orientation[-1]))
    to_sensor = rotations.conjugate(np.array(orientation))
    as_sensed = rotations.rotate(to_sensor, in_room)
    expected = np.stack([-4 * np.sin(2 * time_s), -9 * np.cos(3 * time_s), -0.5 * np.sin(time_s + 1)], axis=-1)
    assert np.abs(angular_jerk(as_sensed, rate_hz) - rotations.rotate(to_sensor, expected)).max() < 0.06
    bare = derivative(as_sensed, rate_hz, 2)
    assert np.abs(bare - rotations.rotate(to_sensor, expected)).max() > 1.0, "and is not without the turning's part"


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("rate_hz", RATES)
def test_a_polynomial_of_fourth_degree_has_exact_derivatives_to_its_ends(order, rate_hz):
    polynomial = np.polynomial.Polynomial([1.0, -2.0, 3.0, 0.5, -0.7])
    time_s = np.arange(round(rate_hz)) / rate_hz
    both = np.stack([polynomial(time_s), -2 * polynomial(time_s)], axis=-1)
    expected = polynomial.deriv(order)(time_s)
    assert derivative(both, rate_hz, order) == pytest.approx(np.stack([expected, -2 * expected], axis=-1), abs=1e-8)


def test_derivatives_pass_movement_and_leave_out_noise():
    """Half of the power is gone at about 5 Hz, and nearly nothing at 2 Hz."""
    time_s = np.arange(1000) / 100.0
    gain = {
        hz: np.abs(derivative(np.sin(2 * np.pi * hz * time_s), 100.0)[200:-200]).max() / (2 * np.pi * hz)
        for hz in (2.0, 5.0, 20.0)
    }
    assert gain[2.0] == pytest.approx(1.0, abs=0.02)
    assert gain[5.0] == pytest.approx(0.7, abs=0.05)
    assert gain[20.0] < 0.2


def test_what_does_not_move_has_no_smoothness():
    with pytest.raises(UnmeasurableError, match="did not move"):
        sparc(np.zeros(100), 100.0)
    with pytest.raises(UnmeasurableError, match="did not move"):
        ldlj(np.zeros(100), np.zeros(100), 100.0)


@given(st.floats(-1e5, 1e5), st.integers(10, 300))
def test_a_curve_on_an_even_grid_stays_as_it_is(start_s, samples):
    time_s = start_s + np.arange(samples) / 100.0
    curve = np.sin(np.arange(samples) / 7.0)
    grid, (on_grid,), rate_hz = even(time_s, curve)
    assert len(grid) == samples
    assert rate_hz == pytest.approx(100.0, rel=1e-6)
    assert on_grid == pytest.approx(curve, abs=1e-4)

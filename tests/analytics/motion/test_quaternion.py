from __future__ import annotations

from math import pi

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.motion.quaternion import about_vertical, between, conjugate, multiply, rotate

parts = st.floats(-1, 1).filter(lambda x: abs(x) > 1e-3)
vectors = st.tuples(parts, parts, parts)
quaternions = st.tuples(parts, parts, parts, parts).map(lambda q: tuple(np.array(q) / np.linalg.norm(q)))


@given(quaternions, quaternions, vectors)
def test_product_turns_by_the_second_then_the_first(a, b, v):
    assert rotate(multiply(a, b), v) == pytest.approx(rotate(a, rotate(b, v)), abs=1e-12)


@given(quaternions, vectors)
def test_conjugate_turns_back_and_lengths_stay(q, v):
    assert rotate(conjugate(q), rotate(q, v)) == pytest.approx(v, abs=1e-12)
    assert np.linalg.norm(rotate(q, v)) == pytest.approx(np.linalg.norm(v))


def test_a_quarter_turn_about_the_vertical_takes_east_to_north():
    assert rotate(about_vertical(pi / 2), (1, 0, 0)) == pytest.approx((0, 1, 0), abs=1e-12)


@given(st.floats(-0.2, 0.2), st.floats(0, 1))
def test_between_goes_the_short_way_whatever_the_signs(turn, share):
    start = about_vertical(1.0)
    end = tuple(-x for x in about_vertical(1.0 + turn))
    assert rotate(between(start, end, share), (1, 0, 0)) == pytest.approx(
        rotate(about_vertical(1.0 + share * turn), (1, 0, 0)), abs=2e-4
    )

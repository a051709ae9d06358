"""Sets, sides and days: whether what differs differs by more than error."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from analytics.domain.measure import Measure, Unit
from analytics.motion.measures import (
    PUBLISHED_RETEST,
    Retest,
    UnmeasurableError,
    change,
    measures_of,
    of_set,
    symmetry,
)
from analytics.motion.measures.of_set import likeness
from tests.support.strokes import repetition

positive = st.floats(1.0, 200.0)
error = st.floats(0.01, 5.0)


def range_of(value, error_deg=2.0):
    return Measure(code="range", name="Range moved", value=value, unit=Unit.DEGREE, error=error_deg)


def a_set(ranges_deg, slowness=None):
    curves = [
        repetition(range_deg=r, out_s=s, back_s=s)
        for r, s in zip(ranges_deg, slowness or [1.0] * len(ranges_deg), strict=True)
    ]
    return [measures_of(*one, angle_error_deg=2.0) for one in curves], curves


def test_consistency_of_a_set():
    found = of_set(*a_set([50.0, 60.0, 70.0], [1.0, 1.0, 1.0]))
    assert found["range"].value == pytest.approx(60.0, abs=0.3)
    assert found["range"].error == pytest.approx(sqrt(2.0**2 + (10.0 / sqrt(3)) ** 2), rel=0.01)
    assert found["range_variation"].value == pytest.approx(100 * 10 / 60, rel=0.01)
    assert found["duration_variation"].value == pytest.approx(0.0, abs=0.5)
    assert found["shape_likeness"].value == pytest.approx(100.0, abs=0.1), "size is left out of shape"


def test_another_shape_lowers_the_likeness():
    measured, curves = a_set([60.0] * 4)
    time_s = curves[2][0]
    halting = np.interp(time_s, [0.5, 0.8, 1.3, 1.5, 2.5], [0, 30, 30, 60, 0])
    other = of_set(measured, [*curves[:2], (time_s, halting), curves[3]])["shape_likeness"]
    same = of_set(measured, curves)["shape_likeness"]
    assert other.value < same.value - 1.0
    assert other.error > same.error, "and one unlike repetition makes the figure unsure"


def test_curves_that_have_nothing_in_common_are_not_alike():
    """Each is held against the others only: against a mean that holds it, three would be alike by 58 %."""
    shapes = list(np.random.default_rng(0).normal(size=(3, 10000)))
    assert likeness(shapes) == pytest.approx(0.0, abs=5.0)


@given(st.lists(st.floats(20.0, 120.0), min_size=3, max_size=12), st.floats(0.5, 3.0))
def test_variation_knows_no_unit_and_no_order(ranges_deg, scale):
    assume(np.std(ranges_deg) > 0.1)

    def variation(values):
        return of_set([{"range": range_of(value)} for value in values])["range_variation"]

    plain, scaled, back = (variation(x) for x in (ranges_deg, [scale * r for r in ranges_deg], ranges_deg[::-1]))
    assert (scaled.value, scaled.error) == pytest.approx((plain.value, plain.error), rel=1e-6)
    assert (back.value, back.error) == pytest.approx((plain.value, plain.error), rel=1e-6)


def test_the_jackknife_of_a_mean_like_figure_is_its_standard_error():
    """Of many normal values, CV/√(2n) (Sokal & Rohlf); the jackknife must come near it."""
    values = np.random.default_rng(1).normal(60.0, 6.0, 400)
    found = of_set([{"range": range_of(value)} for value in values])["range_variation"]
    assert found.error == pytest.approx(found.value / sqrt(2 * 400), rel=0.15)


def test_two_repetitions_are_no_consistency_and_none_are_no_set():
    found = of_set(*a_set([50.0, 60.0]))
    assert "range" in found
    assert not {"range_variation", "shape_likeness"} & found.keys()
    with pytest.raises(UnmeasurableError, match="No repetition"):
        of_set([])


def test_a_measure_without_error_gives_a_mean_without():
    none = Measure(code="range", name="Range moved", value=60.0, unit=Unit.DEGREE, why_no_error="Nobody knows.")
    assert of_set([{"range": range_of(60.0)}, {"range": none}])["range"].why_no_error == "Nobody knows."


def test_symmetry_and_its_error():
    found = symmetry(range_of(45.0, 2.0), range_of(60.0, 2.0))
    assert found.value == pytest.approx(75.0)
    draws = np.random.default_rng(0).normal([45.0, 60.0], 2.0, (20000, 2))
    assert found.error == pytest.approx(np.std(100 * draws[:, 0] / draws[:, 1]), rel=0.05)


@given(positive, positive)
def test_sides_swapped_are_the_reciprocal(one, other):
    assume(min(one, other) > 6.0)
    there, back = symmetry(range_of(one), range_of(other)), symmetry(range_of(other), range_of(one))
    assert there.value * back.value == pytest.approx(1e4)


def test_no_symmetry_against_next_to_nothing_nor_of_what_has_no_zero():
    with pytest.raises(UnmeasurableError, match="other side"):
        symmetry(range_of(40.0), range_of(5.0))
    smooth = Measure(code="concentric_sparc", name="Smoothness", value=-1.5, unit=Unit.NONE, error=0.1)
    with pytest.raises(ValueError, match="no zero"):
        symmetry(smooth, smooth)
    with pytest.raises(ValueError, match="not the same"):
        symmetry(range_of(40.0), Measure(code="hold_time", name="Hold", value=2.0, unit=Unit.SECOND, error=0.1))


def test_the_smallest_change_worth_believing():
    """1.96 √2 SEM of two equal errors; the published SEM adds to it."""
    assert change(range_of(60.0, 2.0), range_of(70.0, 2.0)).mdc95 == pytest.approx(1.96 * sqrt(2) * 2.0)
    with_days = change(range_of(60.0, 2.0), range_of(70.0, 2.0), Retest(1.5, "somewhere"))
    assert with_days.mdc95 == pytest.approx(1.96 * sqrt(2) * 2.5)
    assert PUBLISHED_RETEST["sit_to_stand.five"].sem * 1.96 * sqrt(2) == pytest.approx(2.5, abs=0.01), "as published"


@given(positive, positive, error, error, st.floats(0.0, 5.0))
def test_a_change_within_error_is_never_called_real(before, after, one_error, other_error, sem):
    found = change(range_of(before, one_error), range_of(after, other_error), Retest(sem, "somewhere"))
    assert found.is_real == (abs(after - before) > found.mdc95)
    assert ("within measurement error" in str(found)) != found.is_real


def test_a_true_zero_change_is_called_real_once_in_twenty():
    rng = np.random.default_rng(3)
    pairs = 60.0 + 2.0 * rng.normal(size=(4000, 2))
    called = np.mean([change(range_of(a, 2.0), range_of(b, 2.0)).is_real for a, b in pairs])
    assert called == pytest.approx(0.05, abs=0.01)


def test_without_an_error_nothing_is_said_of_a_change():
    none = Measure(code="range", name="Range moved", value=60.0, unit=Unit.DEGREE, why_no_error="Nobody knows.")
    found = change(none, range_of(90.0))
    assert found.is_real is None
    assert "not known" in str(found)
    with pytest.raises(ValueError, match="not the same"):
        change(range_of(1.0), Measure(code="hold_time", name="Hold", value=2.0, unit=Unit.SECOND, error=0.1))


def test_a_change_held_only_against_the_sensors_says_so():
    assert "how much days differ is not known" in str(change(range_of(60.0), range_of(90.0)))

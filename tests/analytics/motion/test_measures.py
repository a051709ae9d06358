"""Measures of repetitions whose truth is known in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.domain.measure import Measure, Unit
from analytics.motion.measures import UnmeasurableError, measures_of
from tests.support.strokes import repetition

CUT = 0.059
"""Share of a minimum-jerk stroke at each end in which its speed is below 5 % of its greatest."""


def values(*curve, **more):
    return {code: one.value for code, one in measures_of(*curve, **more).items()}


@pytest.mark.parametrize("rate_hz", [25.0, 60.0, 100.0])
@pytest.mark.parametrize("hold_s", [0.0, 2.0])
def test_a_repetition_of_known_parts(rate_hz, hold_s):
    found = values(*repetition(rate_hz, out_s=1.0, hold_s=hold_s, back_s=2.0, range_deg=60.0))
    step_s = 0.02 + 1.5 / rate_hz
    assert found["range"] == pytest.approx(60.0, abs=0.3)
    assert found["peak_velocity"] == pytest.approx(60.0 * 15 / 8, rel=0.03)
    assert found["concentric_time"] == pytest.approx(1.0 - 2 * CUT, abs=step_s)
    assert found["eccentric_time"] == pytest.approx(2.0 * (1 - 2 * CUT), abs=step_s)
    assert found["hold_time"] == pytest.approx(hold_s + 3 * CUT, abs=step_s)
    assert found["duration"] == pytest.approx(3.0 + hold_s - 3 * CUT, abs=step_s)
    assert found["mean_velocity"] == pytest.approx(120.0 / (3.0 * (1 - 2 * CUT)), rel=0.01 + 1 / rate_hz)
    assert found["concentric_sparc"] == pytest.approx(found["eccentric_sparc"], abs=0.03)


def test_a_squat_lengthens_first():
    time_s, angle = repetition(out_s=1.0, back_s=2.0)
    found, other = values(time_s, angle, eccentric_first=True), values(time_s, angle)
    assert found["eccentric_time"] == other["concentric_time"] < found["concentric_time"]


def test_a_hold_with_trembling_and_sagging_is_one_hold():
    time_s, angle = repetition(hold_s=3.0, range_deg=60.0)
    holding = (time_s >= 1.5) & (time_s <= 4.5)
    angle = np.where(holding, 58.0 + 2.0 * np.cos(2 * np.pi * (time_s - 1.5)), angle)
    assert values(time_s, angle)["hold_time"] == pytest.approx(3.0 + 2 * CUT, abs=0.1)


def test_a_stop_half_way_is_no_hold():
    time_s = np.arange(400) / 100.0
    angle = np.interp(time_s, [0, 0.5, 1.0, 2.0, 2.5, 3.5, 4.0], [0, 0, 30, 30, 60, 0, 0])
    found = values(time_s, angle)
    assert found["hold_time"] < 0.2
    assert found["concentric_time"] == pytest.approx(2.0, abs=0.2)
    assert found["concentric_sparc"] < found["eccentric_sparc"] - 0.3


@settings(max_examples=30)
@given(
    shift_s=st.floats(-1e4, 1e4),
    offset_deg=st.floats(-180, 180),
    mirror=st.sampled_from([-1, 1]),
    scale=st.floats(0.2, 2),
)
def test_clock_zero_side_and_size(shift_s, offset_deg, mirror, scale):
    time_s, angle = repetition(hold_s=0.5, back_s=1.5)
    plain, other = values(time_s, angle), values(time_s + shift_s, offset_deg + mirror * scale * angle)
    for code, value in plain.items():
        grows = code in ("range", "peak_velocity", "mean_velocity")
        # A time may be rounded to the next sample.
        assert other[code] == pytest.approx(value * (scale if grows else 1.0), rel=0.01, abs=0.02), code


@settings(max_examples=20)
@given(st.floats(0.5, 4.0))
def test_the_same_in_another_time(slower):
    """What is slower takes longer; smoothness hardly knows (window and highest frequency are of the clock)."""
    plain = values(*repetition(out_s=1.0, back_s=1.5, hold_s=0.5))
    other = values(*repetition(out_s=slower, back_s=1.5 * slower, hold_s=0.5 * slower, rest_s=0.5))
    assert other["concentric_time"] == pytest.approx(slower * plain["concentric_time"], abs=0.04 * slower)
    assert other["peak_velocity"] == pytest.approx(plain["peak_velocity"] / slower, rel=0.05)
    assert other["concentric_sparc"] == pytest.approx(plain["concentric_sparc"], abs=0.05)
    assert other["concentric_ldlj"] == pytest.approx(plain["concentric_ldlj"], abs=0.3)


def test_rest_about_it_changes_nothing():
    short, long = values(*repetition(rest_s=0.3)), values(*repetition(rest_s=3.0))
    assert long == {code: pytest.approx(value, abs=0.02) for code, value in short.items()}


def test_the_first_repetition_may_start_half_way_out():
    time_s, angle = repetition(range_deg=60.0)
    out = time_s <= 1.5
    angle = np.where(out, 45.0 + 0.25 * angle, angle)
    assert values(time_s, angle)["range"] == pytest.approx(60.0, abs=0.3)


def test_smoothness_from_an_angular_rate_has_its_own_error():
    time_s, angle = repetition()
    rate = np.zeros((len(time_s), 3))
    rate[:, 1] = np.gradient(np.radians(angle), time_s)
    by_angle, by_rate = measures_of(time_s, angle), measures_of(time_s, angle, rate_rad_s=rate)
    assert by_rate["concentric_sparc"].value == pytest.approx(by_angle["concentric_sparc"].value, abs=0.02)
    assert by_rate["concentric_sparc"].error > by_angle["concentric_sparc"].error


def test_the_angle_s_error_is_the_range_s():
    time_s, angle = repetition()
    assert measures_of(time_s, angle, angle_error_deg=2.5)["range"].error == 2.5
    unknown = measures_of(time_s, angle)["range"]
    assert unknown.error is None
    assert "not given" in unknown.why_no_error


def test_a_quick_way_has_no_smoothness():
    codes = measures_of(*repetition(out_s=0.25, back_s=1.0)).keys()
    assert "concentric_sparc" not in codes
    assert "eccentric_sparc" in codes


def gap(time_s, angle):
    keep = (time_s < 1.0) | (time_s > 1.4)
    return time_s[keep], angle[keep]


def missing(time_s, angle):
    return time_s, np.where((time_s > 1.0) & (time_s < 1.05), np.nan, angle)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (gap, "not measured completely"),
        (missing, "not measured completely"),
        (lambda t, a: (t[::-1], a), "out of order"),
        (lambda t, a: (t[:5], a[:5]), "too short"),
        (lambda t, a: (t[t < 1.4], a[t < 1.4]), "no turning point"),
        (lambda t, a: (t, 0 * a), "no turning point"),
    ],
)
def test_what_cannot_be_measured_is_refused_with_a_sentence(spoil, sentence):
    with pytest.raises(UnmeasurableError, match=sentence) as refused:
        measures_of(*spoil(*repetition()))
    assert str(refused.value).endswith(".")


def test_a_measure_has_an_error_or_a_reason():
    with pytest.raises(ValueError, match="an error or the reason"):
        Measure(code="range", name="Range moved", value=60.0, unit=Unit.DEGREE)
    with pytest.raises(ValueError, match="an error or the reason"):
        Measure(code="range", name="Range moved", value=60.0, unit=Unit.DEGREE, error=2.0, why_no_error="No reason.")
    assert (
        str(Measure(code="range", name="Range moved", value=60.4, unit=Unit.DEGREE, error=2.1))
        == "Range moved: 60 ± 2°"
    )
    assert (
        str(Measure(code="hold_time", name="Hold", value=1.234, unit=Unit.SECOND, error=0.03)) == "Hold: 1.23 ± 0.03 s"
    )
    assert (
        str(Measure(code="x", name="Hold", value=1.234, unit=Unit.SECOND, why_no_error="Nobody knows."))
        == "Hold: 1.23 s"
    )

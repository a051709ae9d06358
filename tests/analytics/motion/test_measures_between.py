"""Two sessions against each other: over time on one side, and the two sides."""

from __future__ import annotations

from datetime import UTC, datetime
from math import sqrt
from uuid import UUID

import pytest

from analytics.domain.exercise import Side
from analytics.domain.measure import Measure, Unit
from analytics.domain.session import SessionReport, SetReport, TestResult
from analytics.motion.measures import PUBLISHED_RETEST, changes, of_session, symmetries

TestResult.__test__ = False

MEASURES = {
    "range": ("Range moved", Unit.DEGREE),
    "concentric_sparc": ("Smoothness", Unit.NONE),
    "range_variation": ("Variation of range", Unit.PERCENT),
    "compensation.lean_back": ("Leaning back", Unit.DEGREE),
    "hold_time": ("Hold", Unit.SECOND),
}


def figure(code, value, error=2.0):
    name, unit = MEASURES.get(code, ("A test", Unit.SECOND))
    return Measure(code=code, name=name, value=value, unit=unit, error=error)


def session(*sets, exercise="knee.squat", side=Side.RIGHT, test=None):
    """A report of sets, each given as values by code."""
    return SessionReport(
        id=UUID(int=1),
        patient_id="anna",
        program_version=1,
        exercise=exercise,
        side=side,
        started_at=datetime(2026, 5, 1, 9, tzinfo=UTC),
        ended_at=datetime(2026, 5, 1, 9, 10, tzinfo=UTC),
        repetitions=(),
        calibration=None,
        sensors=(),
        chunk_count=0,
        chunks_sha256="",
        sets=tuple(
            SetReport(
                number=k + 1, start_s=0.0, end_s=60.0, repetitions=8, measures=[figure(*one) for one in each.items()]
            )
            for k, each in enumerate(sets)
        ),
        test=test,
    )


def test_a_session_is_the_mean_of_its_sets():
    found = of_session(session({"range": 60.0, "hold_time": 1.0}, {"range": 64.0}))
    assert found.keys() == {"range"}, "what one set lacks is left out"
    assert found["range"].value == pytest.approx(62.0)
    assert found["range"].error == pytest.approx(sqrt(2.0**2 + (sqrt(8.0) / sqrt(2.0)) ** 2))
    assert of_session(session()) == {}


def test_what_changed_since_last_time_with_what_is_known_of_days():
    before, after = session({"range": 60.0, "hold_time": 1.0}), session({"range": 70.0, "concentric_sparc": -1.5})
    (moved,) = changes(before, after)
    assert moved.difference == pytest.approx(10.0)
    assert moved.mdc95 == pytest.approx(1.96 * sqrt(2.0) * sqrt(2.0**2 + PUBLISHED_RETEST["knee.range"].sem ** 2))
    assert moved.is_real
    (hip,) = changes(*(session({"range": value}, exercise="hip.bridge") for value in (60.0, 70.0)))
    assert hip.mdc95 < moved.mdc95
    assert "how much days differ is not known" in str(hip), "nothing is published of the hip"


def test_a_timed_test_is_compared_by_what_is_published_of_it():
    before, after = (
        session(exercise="sit_to_stand.five", test=TestResult(measure=figure("sit_to_stand.five", value, 0.1)))
        for value in (14.0, 12.0)
    )
    (faster,) = changes(before, after)
    assert faster.mdc95 == pytest.approx(2.5, abs=0.05)
    assert not faster.is_real
    assert changes(before, session(exercise="sit_to_stand.five", test=TestResult(measure=None, notes=("Lost.",)))) == ()


def test_only_the_same_exercise_on_the_same_side_changes():
    with pytest.raises(ValueError, match="same side"):
        changes(session(), session(side=Side.LEFT))
    with pytest.raises(ValueError, match="same exercise"):
        changes(session(), session(exercise="knee.lunge"))


def test_two_sides_are_compared_in_what_has_a_zero():
    values = {"range": 45.0, "concentric_sparc": -1.5, "range_variation": 5.0, "compensation.lean_back": 9.0}
    other = session({code: 4 / 3 * value for code, value in values.items()}, side=Side.LEFT)
    (found,) = symmetries(session(values), other)
    assert (found.code, found.unit) == ("range_symmetry", Unit.PERCENT)
    assert found.value == pytest.approx(75.0)


def test_against_a_side_that_hardly_moved_there_is_no_symmetry():
    assert symmetries(session({"range": 45.0}), session({"range": 5.0}, side=Side.LEFT)) == ()


def test_a_chair_test_takes_both_legs():
    sides = (
        session(exercise="sit_to_stand.five", side=side, test=TestResult(measure=figure("sit_to_stand.five", 12.0)))
        for side in Side
    )
    assert symmetries(*sides) == ()


def test_only_two_sides_of_one_exercise_are_symmetric():
    with pytest.raises(ValueError, match="two sides"):
        symmetries(session(), session())
    with pytest.raises(ValueError, match="same exercise"):
        symmetries(session(), session(side=Side.LEFT, exercise="knee.lunge"))

"""What is allowed now, case by case; the shipped rules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pytest

from analytics.domain.exercise import Side
from analytics.domain.program import Dose, Prescription, Restriction
from analytics.safety.envelope import Leeway, largest_allowed, respects, restricted_to, tightest, verdict
from analytics.safety.rules import load_rules

EXERCISE = "knee.extension.seated"
TODAY = date(2025, 5, 1)
RULES = load_rules()


@dataclass(frozen=True)
class Session:
    pain: int | None
    effort: int | None


WELL = [Session(2, 4)] * 3


def prescription(target_deg: float = 60, repetitions: int = 8, sets: int = 3, exercise: str = EXERCISE) -> Prescription:
    dose = Dose(sets=sets, repetitions=repetitions, target_excursion_deg=target_deg)
    return Prescription(exercise=exercise, side=Side.LEFT, dose=dose)


def limit(deg: float, until: date | None = None, exercise: str = EXERCISE) -> Restriction:
    return Restriction(exercise=exercise, largest_excursion_deg=deg, until=until, set_by="Surgeon")


def test_the_tightest_limit_in_force_for_this_exercise_counts() -> None:
    limits = [limit(70), limit(50, date(2025, 4, 30)), limit(65, TODAY), limit(10, exercise="hip.flexion")]
    assert restricted_to(prescription(), limits, TODAY) == 65
    assert restricted_to(prescription(), limits, date(2025, 5, 2)) == 70
    assert restricted_to(prescription(), [], TODAY) is None


def test_of_two_equally_tight_limits_the_one_that_lasts_longer_is_named() -> None:
    soon, later, always = limit(60, TODAY), limit(60, date(2025, 6, 1)), limit(60)
    assert tightest(prescription(), [soon, later], TODAY) is later
    assert tightest(prescription(), [later, always, soon], TODAY) is always


@pytest.mark.parametrize(
    ("target_deg", "limits", "largest_deg"),
    [
        (60, [], 65),
        (88, [], 90),
        (90, [], 90),
        (110, [], 110),  # prescribed beyond the rules: neither added to nor taken back
        (60, [62], 62),
        (60, [45], 45),
        (60, [15], 15),
    ],
)
def test_the_largest_target(target_deg: float, limits: list[float], largest_deg: float) -> None:
    bounds = largest_allowed(prescription(target_deg), [limit(deg) for deg in limits], RULES, TODAY)
    assert bounds.largest_excursion_deg == largest_deg
    assert bounds.smallest_excursion_deg == min(20, largest_deg)


def test_an_exercise_the_table_does_not_know_keeps_its_range() -> None:
    assert largest_allowed(prescription(exercise="new"), [], RULES, TODAY).largest_excursion_deg == 60


@pytest.mark.parametrize(("repetitions", "smallest", "largest"), [(8, 5, 10), (14, 5, 15), (20, 5, 20), (3, 3, 5)])
def test_repetitions_allowed(repetitions: int, smallest: int, largest: int) -> None:
    bounds = largest_allowed(prescription(repetitions=repetitions), [], RULES, TODAY)
    assert (bounds.smallest_repetitions, bounds.largest_repetitions) == (smallest, largest)
    assert bounds.largest_sets == 3


@pytest.mark.parametrize(
    ("history", "leeway", "words"),
    [
        ([], Leeway.HOLD, "0 of the 3 sessions"),
        (WELL[:2], Leeway.HOLD, "2 of the 3 sessions"),
        ([*WELL[:2], Session(None, None)], Leeway.HOLD, "2 of the 3"),
        ([*WELL[:2], Session(2, None)], Leeway.HOLD, "2 of the 3"),
        (WELL, Leeway.PROGRESS, "pain up to 2/10 and effort up to 4/10"),
        ([*WELL, Session(None, None)], Leeway.PROGRESS, "pain up to 2/10"),
        ([*WELL, Session(6, 4)], Leeway.EASE, "pain 6/10 at the last report"),
        ([*WELL, Session(6, 4), Session(None, 4)], Leeway.EASE, "pain 6/10"),
        ([Session(9, 9), *WELL], Leeway.PROGRESS, "pain up to 2/10"),
        ([Session(5, 4)] * 3, Leeway.PROGRESS, "pain up to 5/10"),
        ([Session(6, 4), Session(3, 4), Session(3, 4)], Leeway.HOLD, "pain up to 6/10"),
        ([Session(1, 4), Session(2, 4), Session(3, 4)], Leeway.HOLD, "rising from 1/10 to 3/10"),
        ([Session(1, 4), Session(2, 4), Session(2, 7)], Leeway.HOLD, "effort up to 7/10"),
        ([*WELL, Session(1, 9)], Leeway.HOLD, "effort up to 9/10"),
        ([*WELL, Session(1, 9), Session(1, 10)], Leeway.EASE, "effort 9/10 and 10/10"),
        ([*WELL, Session(1, 9), Session(1, 8)], Leeway.HOLD, "effort up to 9/10"),
    ],
)
def test_what_the_sessions_permit(history: list[Session], leeway: Leeway, words: str) -> None:
    seen = verdict(history, RULES)
    assert seen.leeway is leeway
    assert words in seen.because


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (prescription(65), None),
        (prescription(66), "at most 65°"),
        (prescription(15), "below 20°"),
        (prescription(40), None),
        (prescription(repetitions=10), None),
        (prescription(repetitions=11), "5 to 10"),
        (prescription(repetitions=4), "5 to 10"),
        (prescription(sets=4), "at most 3 sets"),
        (prescription(sets=2), None),
        (prescription(65, repetitions=10), "one thing"),
        (prescription(exercise="hip.flexion"), "physiotherapist's decision"),
    ],
)
def test_a_change_is_held_against_the_envelope(after: Prescription, words: str | None) -> None:
    broken = respects(prescription(), after, restrictions=[], history=WELL, rules=RULES, today=TODAY)
    assert bool(broken) == (words is not None)
    assert words is None or words in " ".join(broken)


def test_growth_needs_sessions_that_permit_it_and_easing_does_not() -> None:
    for after, allowed in ((prescription(65), False), (prescription(repetitions=9), False), (prescription(50), True)):
        broken = respects(prescription(), after, restrictions=[], history=WELL[:1], rules=RULES, today=TODAY)
        assert (broken == []) == allowed


def test_rest_is_not_shortened() -> None:
    before = prescription()
    after = before.model_copy(update={"dose": before.dose.model_copy(update={"rest_s": 30.0})})
    broken = respects(before, after, restrictions=[], history=WELL, rules=RULES, today=TODAY)
    assert broken == ["Rest between sets is not shortened by rule."]

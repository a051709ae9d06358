"""What is allowed now, case by case; the shipped rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import pytest

from analytics.domain.exercise import Side
from analytics.domain.program import Dose, Prescription, Restriction
from analytics.safety.envelope import largest_allowed, respects, restricted_to, tightest
from analytics.safety.rules import load_rules
from analytics.safety.verdict import Leeway, verdict

EXERCISE = "knee.extension.seated"
TODAY = date(2025, 5, 1)
NOW = datetime(2025, 5, 1, 10, tzinfo=UTC)
RULES = load_rules()


@dataclass(frozen=True)
class Session:
    pain: int | None
    effort: int | None
    hurt_unrated: bool = False
    started_at: datetime = NOW


def daily(history: Sequence[Session], *, last: float = 0) -> list[Session]:
    """One session a day, the last of them `last` days ago."""
    count = len(history)
    return [replace(s, started_at=NOW - timedelta(days=last + count - 1 - i)) for i, s in enumerate(history)]


WELL = daily([Session(2, 4)] * 3)
HURT = Session(None, None, hurt_unrated=True)


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
        ([*WELL, HURT], Leeway.HOLD, "1 of the last 4 sessions hurt, without a number"),
        ([WELL[0], HURT, *WELL[1:]], Leeway.HOLD, "1 of the last 4 sessions hurt"),
        ([HURT, *WELL], Leeway.PROGRESS, "pain up to 2/10"),
        ([WELL[0], Session(9, None), *WELL[1:]], Leeway.HOLD, "pain up to 9/10"),
    ],
)
def test_what_the_sessions_permit(history: list[Session], leeway: Leeway, words: str) -> None:
    seen = verdict(daily(history), RULES, now=NOW)
    assert seen.leeway is leeway
    assert words in seen.because


@pytest.mark.parametrize(("last", "leeway"), [(8, Leeway.PROGRESS), (8.1, Leeway.HOLD), (30, Leeway.HOLD)])
def test_answers_of_sessions_before_the_longest_break_let_nothing_grow(last: float, leeway: Leeway) -> None:
    """The first of three daily sessions is two days older than the last; ten days are the longest break."""
    assert verdict(daily(WELL, last=last), RULES, now=NOW).leeway is leeway
    unanswered = daily([Session(None, None)] * 3)
    assert verdict([*daily(WELL, last=30), *unanswered], RULES, now=NOW).because.startswith("0 of the 3 sessions")


@pytest.mark.parametrize("felt", [Session(8, 4), Session(2, 9)])
def test_old_pain_and_old_effort_ease_nothing(felt: Session) -> None:
    assert verdict(daily([felt] * 2, last=1), RULES, now=NOW).leeway is Leeway.EASE
    assert verdict(daily([felt] * 2, last=11), RULES, now=NOW).leeway is Leeway.HOLD


def test_sessions_on_another_dose_ease_and_hold_and_never_let_grow() -> None:
    late = Session(8, 4, started_at=NOW)
    assert verdict(WELL, RULES, now=NOW, elsewhere=[late]).rule == "ease_pain"
    assert verdict(WELL, RULES, now=NOW, elsewhere=[replace(HURT, started_at=NOW)]).leeway is Leeway.HOLD
    assert verdict(WELL[1:], RULES, now=NOW, elsewhere=WELL[:1]).leeway is Leeway.HOLD
    assert verdict(WELL, RULES, now=NOW, elsewhere=WELL).leeway is Leeway.PROGRESS
    old = replace(late, started_at=NOW - timedelta(days=11))
    assert verdict(WELL, RULES, now=NOW, elsewhere=[old]).leeway is Leeway.PROGRESS
    broken = respects(
        prescription(), prescription(65), restrictions=[], history=WELL, elsewhere=[late], rules=RULES, now=NOW
    )
    assert broken == ["Nothing may grow now: pain 8/10 at the last report, above the tolerated 5/10."]


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
    broken = respects(prescription(), after, restrictions=[], history=WELL, rules=RULES, now=NOW)
    assert bool(broken) == (words is not None)
    assert words is None or words in " ".join(broken)


def test_growth_needs_sessions_that_permit_it_and_easing_does_not() -> None:
    for after, allowed in ((prescription(65), False), (prescription(repetitions=9), False), (prescription(50), True)):
        broken = respects(prescription(), after, restrictions=[], history=WELL[:1], rules=RULES, now=NOW)
        assert (broken == []) == allowed


def test_rest_is_not_shortened() -> None:
    before = prescription()
    after = before.model_copy(update={"dose": before.dose.model_copy(update={"rest_s": 30.0})})
    broken = respects(before, after, restrictions=[], history=WELL, rules=RULES, now=NOW)
    assert broken == ["Rest between sets is not shortened by rule."]

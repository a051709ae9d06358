"""What a physiotherapist is asked, when, and in which words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

import analytics.adaptation.proposal as room
from analytics.adaptation.change import Change
from analytics.adaptation.history import SessionOutcome
from analytics.adaptation.proposal import propose
from analytics.domain.exercise import Side
from analytics.domain.program import Dose, Prescription, Program, Restriction
from analytics.domain.recovery import KNEE_RANGE, Forecast, ForecastPoint, Proposal

EXERCISE = "knee.extension.seated"
APPROVED = datetime(2025, 4, 20, 10, tzinfo=UTC)
NOW = datetime(2025, 5, 1, 10, tzinfo=UTC)
IDENTIFIER = UUID(int=42)
VERSION = 4


def program(*restrictions: Restriction, target_deg: float = 60, repetitions: int = 8, sets: int = 3) -> Program:
    dose = Dose(sets=sets, repetitions=repetitions, target_excursion_deg=target_deg)
    return Program(
        patient_id="p",
        version=VERSION,
        phase="Range of motion",
        prescriptions=(Prescription(exercise=EXERCISE, side=Side.LEFT, dose=dose),),
        restrictions=restrictions,
        approved_by="A physiotherapist",
        approved_at=APPROVED,
        reason="for the test",
    )


def limit(deg: float, until: date | None = None) -> Restriction:
    return Restriction(exercise=EXERCISE, largest_excursion_deg=deg, until=until, set_by="Surgeon")


def outcome(
    day: float, range_deg: float | None = 63.0, *, repetitions: int = 24, correct: float | None = 0.9,
    pain: int | None = 2, effort: int | None = 4, version: int = VERSION, reached: int | None = 12, hurt: bool = False,
    heard: float = 0,
) -> SessionOutcome:  # fmt: skip
    at = APPROVED + timedelta(days=day)
    known_at = at + timedelta(days=heard)
    return SessionOutcome(version, at, repetitions, reached, range_deg, correct, pain, effort, hurt, known_at)


WELL = (outcome(2, 61.0), outcome(5, 63.0), outcome(8, 64.0))


def ahead(high: float, *warnings: str) -> Forecast:
    return Forecast(
        patient_id="p",
        outcome=KNEE_RANGE,
        made_at=NOW,
        points=(ForecastPoint(day=84, mean=high - 6, low=high - 12, high=high),),
        goal=75,
        goal_day=40.2,
        goal_day_low=33.1,
        model="m",
        model_sha256="0",
        measurements_used=3,
        warnings=warnings,
    )


def proposed(
    history: Sequence[SessionOutcome], made_for: Program | None = None, forecast: Forecast | None = None
) -> Proposal | None:
    made_for = made_for or program()
    return propose(made_for, made_for.prescriptions[0], history, forecast, now=NOW, proposal_id=IDENTIFIER)


def the(proposal: Proposal | None) -> Proposal:
    assert proposal is not None
    return proposal


def test_a_reached_target_grows_by_one_step_and_says_why() -> None:
    made = the(proposed(WELL, forecast=ahead(88.0, "Last data 9 days old.")))
    assert (made.rule, made.id, made.from_version, made.made_at) == ("progress_range", IDENTIFIER, 4, NOW)
    assert made.before.dose.target_excursion_deg == 60
    assert made.after.dose == made.before.dose.model_copy(update={"target_excursion_deg": 65.0})
    assert made.reason == (
        "The target of 60° was reached in the last 3 sessions (61°, 63°, 64°), with pain up to 2/10 and effort up to "
        "4/10 at the last 3 reports: target from 60° to 65°."
    )
    assert made.evidence == (
        "3 sessions on this dose; last on 28 April.",
        "Range 61°, 63°, 64°; target 60°.",
        "Repetitions 24, 24, 24 of 24; reaching the target 12, 12, 12.",
        "Judged correct 90%, 90%, 90%.",
        "Pain 2/10, 2/10, 2/10; effort 4/10, 4/10, 4/10.",
        "Forecast: 82° on day 84 (90 % of measurements 76–88°); "
        "goal of 75° on day 40 (day 33 to later than the forecast reaches).",
        "Forecast: Last data 9 days old.",
    )
    assert made.rejected_alternatives == (
        "Also repetitions per set from 8 to 10: one change at a time, and range comes first.",
        "A step of more than 5°: how the joint takes this one should be seen first.",
        "No change: the present dose is mastered and well tolerated.",
    )


@pytest.mark.parametrize(
    "history",
    [
        (),
        WELL[:2],
        (*WELL[:2], outcome(8, 59.0)),  # target missed once
        (*WELL[:2], outcome(8, None)),
        (*WELL[:2], outcome(8, 64.0, repetitions=19)),  # less than 80 % of 24
        tuple(outcome(d, 64.0, correct=0.6) for d in (2, 5, 8)),
        tuple(outcome(d, 64.0, effort=7) for d in (2, 5, 8)),
        (outcome(2, pain=1), outcome(5, pain=2), outcome(8, pain=3)),
        (outcome(2), outcome(5), outcome(8, pain=None)),
        tuple(outcome(d, 64.0, version=VERSION - 1) for d in (2, 5, 8)),  # a gateway that was offline
        (*WELL[:2], outcome(8, 64.0, version=VERSION - 1)),
        (*WELL[:2], outcome(8, 64.0, reached=3)),  # the best three of 24 are not the target reached
        (*WELL[:2], outcome(8, 64.0, reached=None)),
        (*WELL[:2], outcome(8, 64.0, hurt=True)),
        (*WELL[:2], outcome(5.5, None, pain=9, effort=None), outcome(8)),  # said during the session and not afterwards
        (outcome(0.5), *WELL[1:]),  # one of three answers is eleven days old
    ],
)
def test_nothing_is_proposed_where_the_dose_should_stay(history: tuple[SessionOutcome, ...]) -> None:
    assert proposed(history) is None


def test_the_version_says_what_a_session_was_done_on_and_no_clock_does() -> None:
    """A gateway's clock may be behind the server's, which stamps the approval."""
    approved_late = program().model_copy(update={"approved_at": APPROVED + timedelta(days=2)})
    assert the(proposed([outcome(d, 64.0) for d in (1.5, 3, 8)], approved_late)).rule == "progress_range"


def test_pain_on_an_older_version_that_came_to_light_after_the_approval_eases() -> None:
    late = the(proposed([*WELL, outcome(9, pain=8, version=VERSION - 1)]))
    assert (late.rule, late.after.dose.target_excursion_deg) == ("ease_pain", 55)
    assert "Heard of later: 29 April on program version 3, pain 8/10, effort 4/10." in late.evidence
    approved_late = program().model_copy(update={"approved_at": APPROVED + timedelta(days=2)})
    before = outcome(1.5, pain=8, version=VERSION - 1, heard=1)
    assert the(proposed([before], approved_late)).rule == "ease_pain", "done before the approval, and not known then"
    hurt = outcome(9, pain=None, version=VERSION - 1, hurt=True)
    assert proposed([*WELL, hurt]) is None


def test_pain_that_was_known_at_the_approval_does_not_ease_again() -> None:
    approved_late = program().model_copy(update={"approved_at": APPROVED + timedelta(days=1.9)})
    considered = outcome(1.5, pain=8, version=VERSION - 1)
    assert proposed([considered], approved_late) is None
    assert the(proposed([considered, *WELL], approved_late)).rule == "progress_range"


def test_a_session_that_hurt_is_said_in_the_evidence() -> None:
    made = the(proposed([*WELL[:2], outcome(8, pain=7, hurt=True)]))
    assert "Said to hurt on 28 April, without a number." in made.evidence


def test_a_third_of_the_prescribed_repetitions_must_reach_the_target() -> None:
    for reached, grows in ((8, True), (7, False)):
        assert (proposed([outcome(d, 64.0, reached=reached) for d in (2, 5, 8)]) is not None) == grows


def test_after_a_long_break_nothing_grows() -> None:
    made_for = program()
    after_break = NOW + timedelta(days=9)
    arguments = (made_for, made_for.prescriptions[0], WELL, None)
    assert propose(*arguments, now=NOW, proposal_id=IDENTIFIER) is not None
    assert propose(*arguments, now=after_break, proposal_id=IDENTIFIER) is None


def test_form_that_was_never_judged_does_not_stand_in_the_way() -> None:
    made = the(proposed([outcome(d, 64.0, correct=None) for d in (2, 5, 8)]))
    assert "Form was not judged." in made.evidence


def test_the_order_in_which_sessions_are_told_does_not_matter() -> None:
    assert proposed(WELL[::-1]) == proposed(WELL)


def test_repetitions_follow_where_range_has_no_room() -> None:
    at_limit = the(proposed([outcome(d, 91.0) for d in (2, 5, 8)], program(target_deg=90)))
    assert (at_limit.rule, at_limit.after.dose.repetitions) == ("progress_repetitions", 10)
    assert at_limit.rejected_alternatives[0] == "A larger target: 90° is the limit for this patient and exercise."
    restricted = the(proposed(WELL, program(limit(60))))
    assert (restricted.rule, restricted.after.dose.target_excursion_deg) == ("progress_repetitions", 60)
    nothing_left = program(target_deg=90, repetitions=15)
    assert proposed([outcome(d, 91.0, repetitions=45, reached=45) for d in (2, 5, 8)], nothing_left) is None


def test_a_restriction_shortens_the_step() -> None:
    assert the(proposed(WELL, program(limit(62)))).after.dose.target_excursion_deg == 62


def test_nothing_beyond_the_forecast_is_asked() -> None:
    assert the(proposed(WELL, forecast=ahead(63.4))).after.dose.target_excursion_deg == 63
    full = the(proposed(WELL, forecast=ahead(58.0)))
    assert full.rule == "progress_repetitions"
    assert full.rejected_alternatives[0] == "A larger target: 60° is what the forecast reaches (58°)."


def test_a_new_restriction_lowers_the_target_at_once_whatever_the_history() -> None:
    for history in ((), WELL, [outcome(8, pain=8)]):
        made = the(proposed(history, program(limit(45))))
        assert (made.rule, made.after.dose.target_excursion_deg) == ("restriction", 45)
        assert "restricts the movement to 45°" in made.reason
    assert proposed((), program(limit(45, date(2025, 4, 30)))) is None


def test_pain_lowers_the_target_first_then_repetitions_then_sets() -> None:
    hurts = [outcome(8, pain=7)]
    made = the(proposed(hurts))
    assert (made.rule, made.after.dose.target_excursion_deg) == ("ease_pain", 55)
    assert made.reason == "Pain 7/10 at the last report, above the tolerated 5/10: target from 60° to 55°."
    assert "Also repetitions per set from 8 to 6" in made.rejected_alternatives[1]
    assert "swelling" in made.rejected_alternatives[2]
    assert the(proposed(hurts, program(target_deg=20))).after.dose.repetitions == 6
    assert the(proposed(hurts, program(target_deg=20, repetitions=5))).after.dose.sets == 2
    assert proposed(hurts, program(target_deg=20, repetitions=5, sets=1)) is None


def test_effort_lowers_repetitions_first() -> None:
    made = the(proposed([outcome(5, effort=9), outcome(8, effort=10)]))
    assert (made.rule, made.after.dose.repetitions) == ("ease_effort", 6)
    assert made.reason == "Effort 9/10 and 10/10 at the last 2 reports: repetitions per set from 8 to 6."


def test_the_envelope_has_the_last_word(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reason for a change that the envelope forbids leads to no proposal, whatever made it."""

    def reckless(dose: Dose, *_: object, **__: object) -> Change:
        return Change(dose.model_copy(update={"target_excursion_deg": 85.0}), "progress_range", "because", ())

    monkeypatch.setattr(room, "grow", reckless)
    assert proposed(WELL) is None

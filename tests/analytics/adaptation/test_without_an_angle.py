"""An exercise that is followed by its pattern has no range to grow or ease; pain, effort and the dose still decide."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from analytics.adaptation.history import SessionOutcome
from analytics.adaptation.proposal import propose
from analytics.domain.exercise import Side
from analytics.domain.program import Dose, Prescription, Program, Restriction
from analytics.domain.recovery import Proposal
from analytics.safety.rules import load_rules
from analytics.safety.session import eased
from analytics.safety.today import dose_today

APPROVED = datetime(2025, 4, 20, 10, tzinfo=UTC)
PENDULUM = Prescription(
    exercise="shoulder.pendulum",
    side=Side.LEFT,
    dose=Dose(sets=3, repetitions=8, target_excursion_deg=None),
)
LIMIT = Restriction(exercise="shoulder.pendulum", largest_excursion_deg=30, set_by="Surgeon")
WELL = SessionOutcome(
    program_version=4, started_at=APPROVED, repetitions=24, reached=None, range_deg=None, correct_fraction=None,
    pain=2, effort=4, hurt_unrated=False, known_at=APPROVED,
)  # fmt: skip


def proposed(*sessions: SessionOutcome, restrictions: tuple[Restriction, ...] = ()) -> Proposal | None:
    program = Program(
        patient_id="p", version=4, phase="early", prescriptions=(PENDULUM,), restrictions=restrictions,
        approved_by="A physiotherapist", approved_at=APPROVED, reason="for the test",
    )  # fmt: skip
    history = [replace(one, started_at=APPROVED + timedelta(days=3 * day)) for day, one in enumerate(sessions)]
    return propose(program, PENDULUM, history, None, now=APPROVED + timedelta(days=10), proposal_id=UUID(int=1))


def test_what_is_done_and_tolerated_grows_by_repetitions() -> None:
    made = proposed(WELL, WELL, WELL)
    assert made is not None
    assert made.after.dose == PENDULUM.dose.model_copy(update={"repetitions": 10})
    assert made.rule == "progress_repetitions"
    assert made.reason.startswith("What was asked for was done in the last 3 sessions, with pain up to 2/10")
    assert made.evidence[1] == "Repetitions 24, 24, 24 of 24, counted by their pattern: no angle was followed."


def test_what_is_not_done_does_not_grow() -> None:
    assert proposed(WELL, WELL, replace(WELL, repetitions=12)) is None


def test_pain_eases_the_repetitions() -> None:
    made = proposed(WELL, replace(WELL, pain=7))
    assert made is not None
    assert (made.rule, made.after.dose.repetitions, made.after.dose.target_excursion_deg) == ("ease_pain", 6, None)


def test_a_limit_of_movement_asks_for_no_target() -> None:
    assert proposed(restrictions=(LIMIT,)) is None
    assert dose_today(PENDULUM, (LIMIT,), APPROVED.date()) == PENDULUM.dose
    assert eased(PENDULUM.dose, load_rules()).target_excursion_deg is None

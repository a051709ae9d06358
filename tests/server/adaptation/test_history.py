"""What the stored sessions amount to, and on which version of the program each was done."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from analytics.adaptation.history import SessionOutcome
from analytics.domain.program import Prescription
from analytics.domain.session import Form, FormLabel, PainMoment
from analytics.simulation.patient import simulate_clinic
from server.adaptation.history import outcomes
from server.adaptation.service import reconsider
from server.patients import service as patients
from server.programs import service as programs
from server.sessions import closing
from server.settings import REJECTION_HOLDS


async def history(api, prescription: Prescription) -> list[SessionOutcome]:
    async with api.database.reading() as db:
        return await outcomes(db, "p1", prescription)


async def exercise(api, number: int, version: int) -> None:
    """A painless session beyond the target, as the gateway reports it whenever it is online again."""
    opening = api.make.opening(number, program_version=version)
    assert (await api.put_word(f"sessions/{opening.id}", opening)).status_code == 201
    report = api.make.report(opening=opening, excursion_deg=71.0)
    assert (await api.put_word(f"sessions/{opening.id}/report", report)).status_code == 201
    answer = api.make.feedback(number)
    assert (await api.put_word(f"me/feedback/{answer.id}", answer, "patient")).status_code == 201


async def waiting(api) -> dict | None:
    return (await api("GET", "patients/p1", "physiotherapist")).json()["proposal"]


async def test_sessions_of_a_gateway_that_was_offline_do_not_justify_the_next_increase(api) -> None:
    """They came after the approval, and were done before the gateway knew of it: on the old, easier dose."""
    api.clock.now = datetime(2026, 9, 13, 12, tzinfo=UTC)
    for number in (-2, -1, 0):
        await exercise(api, number, version=1)
    body = {"approve": True, "reason": "Agreed."}
    proposal = await waiting(api)
    decided = await api("POST", f"proposals/{proposal['id']}/decision", "physiotherapist", json=body)
    assert decided.json()["after"]["dose"]["target_excursion_deg"] == 65
    for number in (1, 2, 3):
        api.clock.now = api.make.opening(number).started_at + timedelta(minutes=10)
        await exercise(api, number, version=1)
    assert await waiting(api) is None
    for number in (4, 5, 6):
        api.clock.now = api.make.opening(number).started_at + timedelta(minutes=10)
        await exercise(api, number, version=2)
    assert (await waiting(api))["after"]["dose"]["target_excursion_deg"] == 70


async def test_a_session_becomes_an_outcome(api, make) -> None:
    forms = [FormLabel.CORRECT] * 6 + [FormLabel.TOO_FAST] * 2 + [FormLabel.NOT_JUDGED] * 2
    done = [
        make.repetition(k + 1, 64.0).model_copy(update={"form": Form(label=label)}) for k, label in enumerate(forms)
    ]
    report, _ = await api.put_session(1, repetitions=tuple(done))
    answers = make.feedback(1, pain=3, effort=6), make.feedback(1, pain=2, effort=5, id=make.opening(9).id)
    for minutes, answer in enumerate(answers):
        later = answer.model_copy(update={"given_at": answer.given_at + timedelta(minutes=minutes)})
        await api.put_word(f"me/feedback/{later.id}", later, "patient")
    (outcome,) = await history(api, make.prescription())
    assert (outcome.program_version, outcome.started_at, outcome.repetitions) == (1, report.started_at, 10)
    assert (outcome.reached, outcome.hurt_unrated) == (10, False)
    assert outcome.range_deg == pytest.approx(65.0)
    assert outcome.correct_fraction == pytest.approx(6 / 8)
    assert (outcome.pain, outcome.effort) == (2, 5), "of two answers the later one counts"


async def done(api, number: int, code: str, *repetitions, form_model: str | None = None) -> SessionOutcome:
    """A session of another exercise, as it is read again."""
    opening = api.make.opening(number, exercise=code)
    assert (await api.put_word(f"sessions/{opening.id}", opening)).status_code == 201
    report = api.make.report(opening=opening, repetitions=repetitions, form_model=form_model)
    assert (await api.put_word(f"sessions/{opening.id}/report", report)).status_code == 201
    (outcome,) = await history(api, api.make.prescription().model_copy(update={"exercise": code}))
    return outcome


async def test_an_exercise_without_an_angle_has_a_dose_and_no_range(api, make) -> None:
    nothing = {
        "excursion_deg": None,
        "excursion_error_deg": None,
        "peak_flexion_deg": None,
        "peak_velocity_deg_s": None,
    }
    swing = make.repetition(1, 0.0).model_copy(update={**nothing, "form": Form(label=FormLabel.NOT_JUDGED, reason="-")})
    outcome = await done(api, 1, "shoulder.pendulum", *([swing] * 5))
    assert (outcome.repetitions, outcome.reached, outcome.range_deg, outcome.correct_fraction) == (5, None, None, None)
    assert (await api("GET", "patients/p1", "physiotherapist")).json()["course"]["points"] == []


async def test_another_exercise_has_its_own_range_and_is_no_part_of_the_knees_course(api, make) -> None:
    short = Form(label=FormLabel.LOW_AMPLITUDE, reason="Stopped at 40°, target 60°.")
    squats = [make.repetition(k + 1, 40.0).model_copy(update={"form": short}) for k in range(4)]
    outcome = await done(api, 1, "knee.squat", *squats)
    assert outcome.range_deg == pytest.approx(40.5)
    assert outcome.correct_fraction is None, "what falls short is told by its range; nothing judged the others"
    overview = (await api("GET", "patients/p1", "physiotherapist")).json()
    assert overview["course"]["points"] == []
    assert overview["sessions"][0]["range_deg"] == pytest.approx(40.5)


@pytest.mark.parametrize(
    ("said", "after", "pain", "unrated"),
    [
        ((9,), 1, 9, False),
        ((2, 4), 5, 5, False),
        ((9,), None, 9, False),
        ((None, 3), None, 3, True),
        ((None,), 2, 2, True),
    ],
)
async def test_pain_is_the_worst_of_what_was_said_during_the_session_and_afterwards(
    api, make, said: tuple[int | None, ...], after: int | None, pain: int, unrated: bool
) -> None:
    hurts = tuple(PainMoment(time_s=20.0 + k, pain=number) for k, number in enumerate(said))
    await api.put_session(1, hurts=hurts)
    if after is not None:
        answer = make.feedback(1, pain=after)
        await api.put_word(f"me/feedback/{answer.id}", answer, "patient")
    (outcome,) = await history(api, make.prescription())
    assert (outcome.pain, outcome.hurt_unrated) == (pain, unrated)
    (shown,) = (await api("GET", "patients/p1", "physiotherapist")).json()["sessions"]
    during = after is None or pain > after
    assert (shown["pain"], shown["pain_told_during"], shown["hurt_unrated"]) == (pain, during, unrated)


async def test_repetitions_that_reached_the_target_are_counted_by_the_version_the_session_was_done_on(
    api, make
) -> None:
    await api.put_session(1, excursion_deg=59.0)  # 59.0, 59.5 and 60.0 in turn; the target is 60
    harder = make.program(version=2, prescriptions=(make.prescription(target_excursion_deg=59.5),))
    async with api.database.writing() as db:
        await programs.add_version(db, harder)
    opening = make.opening(2, program_version=2)
    await api.put_word(f"sessions/{opening.id}", opening)
    await api.put_word(f"sessions/{opening.id}/report", make.report(opening=opening, excursion_deg=59.0))
    assert [outcome.reached for outcome in await history(api, make.prescription())] == [10, 20]


async def test_it_is_known_when_the_clinic_heard_of_it_and_not_when_it_was_done(api, make) -> None:
    await api.put_session(1)
    assert [outcome.known_at for outcome in await history(api, make.prescription())] == [make.now]
    api.clock.advance(minutes=5)
    answer = make.feedback(1)
    await api.put_word(f"me/feedback/{answer.id}", answer, "patient")
    assert [outcome.known_at for outcome in await history(api, make.prescription())] == [api.clock.now]


async def test_a_session_that_says_little_is_an_outcome_without_figures(api, make) -> None:
    await api.put_session(1, count=0)
    (outcome,) = await history(api, make.prescription())
    assert (outcome.range_deg, outcome.correct_fraction, outcome.pain, outcome.effort) == (None, None, None, None)


async def test_of_a_simulated_clinic_some_get_a_step_up_some_a_step_down_and_most_stay(api, make) -> None:
    rules: Counter[str] = Counter()
    async with api.database.writing() as db:
        for person in simulate_clinic(30, 8, make.now.date(), seed=1):
            await patients.add_patient(
                db, id=person.id, name=person.name, diagnosis=person.diagnosis, side=person.side, simulated=True,
                surgery_on=person.surgery_on, goal_deg=person.goal_deg, program=person.programs[0],
            )  # fmt: skip
            for program in person.programs[1:]:
                await programs.add_version(db, program)
            await closing.store_history(db, person.id, person.reports, person.feedbacks)
            made = await reconsider(db, person.id, forecast=None, rejection_holds=REJECTION_HOLDS, now=make.now)
            rules[made.rule if made else "none"] += 1
    assert rules["progress_range"] >= 3
    assert rules["ease_pain"] >= 2
    assert rules["none"] >= 10

"""What follows from a session: course, forecast, proposal, decision, the next program, the next fetch."""

import asyncio
import time
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from sqlalchemy import func, select

from analytics.domain.exercise import Side
from analytics.domain.recovery import Forecast
from analytics.recovery.growth import GrowthModel
from server.patients import service as patients
from server.recovery.records import ForecastRecord, GrowthModelRecord
from server.sessions import closing


async def overview(api, patient_id: str = "p1") -> dict:
    return (await api("GET", f"patients/{patient_id}", "physiotherapist")).json()


async def with_proposal(api) -> dict:
    """Three painless sessions beyond the target: the rule for more range applies."""
    for number in (1, 2, 3):
        feedback = api.make.feedback(number)
        assert (await api.put_word(f"me/feedback/{feedback.id}", feedback, "patient")).status_code == 201
        _, answer = await api.put_session(number, excursion_deg=66.0)
        assert answer.status_code == 201
    found = await overview(api)
    assert found["proposal"] is not None
    return found["proposal"]


async def test_a_patient_does_not_see_a_change_before_it_is_decided(api) -> None:
    """The physiotherapist decides first: nobody is to exercise by what may be rejected."""
    proposal = await with_proposal(api)
    assert (await overview(api))["summary"]["proposal_waiting"] is True
    for answered in (await api("GET", "patients/p1", "patient"), await api("GET", "patients", "patient")):
        assert proposal["id"] not in answered.text
        assert '"proposal_waiting":false' in answered.text
    assert (await api("GET", "patients/p1", "patient")).json()["proposal"] is None
    assert (await decide(api, proposal, approve=True)).status_code == 200
    own = (await api("GET", "patients/p1", "patient")).json()
    assert own["program"]["prescriptions"] == [proposal["after"]]


async def decide(api, proposal: dict, approve: bool, reason: str = "Seen and agreed."):
    body = {"approve": approve, "reason": reason}
    return await api("POST", f"proposals/{proposal['id']}/decision", "physiotherapist", json=body)


async def test_a_patient_without_sessions_has_a_page_too(api) -> None:
    found = await overview(api)
    assert (found["course"]["points"], found["forecast"], found["proposal"], found["sessions"]) == ([], None, None, [])
    assert found["summary"] | {"name": "", "diagnosis": ""} == {
        "id": "p1",
        "name": "",
        "diagnosis": "",
        "side": "right",
        "surgery_on": "2026-08-10",
        "day": 42,
        "program_version": 1,
        "last_session_at": None,
        "latest_range_deg": None,
        "goal_deg": 85.0,
        "proposal_waiting": False,
        "simulated": False,
    }


async def test_a_report_adds_a_point_and_a_forecast_that_names_its_model(api) -> None:
    report, _ = await api.put_session(1, excursion_deg=64.0)
    found = await overview(api)
    (point,) = found["course"]["points"]
    assert point["value"] == 65.0, "the median of the best three of 64.0, 64.5 and 65.0, ten times each"
    assert point["session_id"] == str(report.id)
    assert point["day"] == pytest.approx(
        (report.started_at - datetime(2026, 8, 10, tzinfo=UTC)).days + 9 / 24, abs=0.01
    )
    assert found["summary"]["latest_range_deg"] == 65.0
    (line,) = found["sessions"]
    assert {key: line[key] for key in ("repetitions", "correct", "not_judged", "samples_lost", "range_deg")} == {
        "repetitions": 30,
        "correct": 30,
        "not_judged": 0,
        "samples_lost": 3,
        "range_deg": 65.0,
    }
    forecast = Forecast.model_validate(found["forecast"])
    assert (forecast.goal, forecast.measurements_used) == (85.0, 1)
    assert forecast.points[-1].day == 84
    async with api.database.reading() as db:
        model = await db.get(GrowthModelRecord, forecast.model_sha256)
    assert GrowthModel.from_json(model.document).sha256 == forecast.model_sha256


async def test_too_few_repetitions_measure_nothing_but_are_a_session(api) -> None:
    await api.put_session(1, count=2)
    found = await overview(api)
    assert found["course"]["points"] == []
    assert (found["sessions"][0]["repetitions"], found["sessions"][0]["range_deg"]) == (2, None)
    assert found["forecast"]["points"] == []


async def test_the_same_report_again_adds_nothing(api) -> None:
    report, _ = await api.put_session(1)
    before = await overview(api)
    assert (await api.put_word(f"sessions/{report.id}/report", report)).status_code == 200
    assert await overview(api) == before


async def test_a_report_whose_follow_up_fails_is_not_stored_either(api, make, monkeypatch) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(closing.adaptation, "reconsider", broken)
        report, answer = await api.put_session(1)
        assert answer.status_code == 500
    found = await overview(api)
    assert (found["sessions"], found["course"]["points"], found["forecast"]) == ([], [], None)
    assert (await api.put_word(f"sessions/{report.id}/report", report)).status_code == 201


async def test_the_model_is_fitted_again_when_there_is_more_to_learn_from(api, make) -> None:
    async def models() -> int:
        async with api.database.reading() as db:
            return await db.scalar(select(func.count()).select_from(GrowthModelRecord))

    counts = []
    for number in range(1, 8):
        await api.put_session(number, excursion_deg=50 + 2 * number)
        # The fitted model's name is its content: another patient makes it another model.
        opening = make.opening(number + 50, patient_id="p2", started_at=make.opening(number).started_at)
        await api.put_word(f"sessions/{opening.id}", opening, "other_gateway")
        report = make.report(opening=opening, excursion_deg=40 + number)
        assert (await api.put_word(f"sessions/{opening.id}/report", report, "other_gateway")).status_code == 201
        counts.append(await models())
    assert counts[0] < counts[1] < counts[3], "doubled: 1, 2, 4, 8 points"
    assert counts[-1] < 7, "but not at every session"


async def test_feedback_before_its_session_is_kept_and_counts(api, make) -> None:
    feedback = make.feedback(1, pain=3, effort=6)
    path = f"me/feedback/{feedback.id}"
    assert [(await api.put_word(path, feedback, "patient")).status_code for _ in range(2)] == [201, 200]
    other = make.feedback(1, pain=4, effort=6)
    assert (await api.put_word(path, other, "patient")).status_code == 409
    report, _ = await api.put_session(1)
    line = (await overview(api))["sessions"][0]
    assert (line["pain"], line["effort"]) == (3, 6)
    view = (await api("GET", f"sessions/{report.id}", "patient")).json()
    assert view["feedback"] == feedback.model_dump(mode="json")


async def test_feedback_of_another_patient_never_shows(api, make) -> None:
    early = make.feedback(1, pain=9)
    assert (await api.put_word(f"me/feedback/{early.id}", early, "other_patient")).status_code == 201
    await api.put_session(1)
    assert (await overview(api))["sessions"][0]["pain"] is None
    late = make.feedback(1, pain=9, id=UUID(int=1234))
    assert (await api.put_word(f"me/feedback/{late.id}", late, "other_patient")).status_code == 404


async def test_a_proposal_is_approved_and_reaches_the_gateway(api) -> None:
    proposal = await with_proposal(api)
    first = await api("GET", "gateway/assignment", "gateway")
    unchanged = await api("GET", "gateway/assignment", "gateway", headers={"If-None-Match": first.headers["etag"]})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert proposal["after"]["dose"]["target_excursion_deg"] > proposal["before"]["dose"]["target_excursion_deg"]

    decided = await decide(api, proposal, True)
    assert decided.status_code == 200
    assert {k: decided.json()[k] for k in ("status", "decided_by", "decision_reason")} == {
        "status": "approved",
        "decided_by": "Physiotherapist",
        "decision_reason": "Seen and agreed.",
    }
    known = {"If-None-Match": f'"other", W/{first.headers["etag"]}'}
    second = await api("GET", "gateway/assignment", "gateway", headers=known)
    assert second.status_code == 200
    program = second.json()["program"]
    assert (program["version"], program["approved_by"]) == (2, "Physiotherapist")
    assert program["prescriptions"] == [proposal["after"]]
    assert "Seen and agreed." in program["reason"]
    found = await overview(api)
    assert (found["proposal"], found["summary"]["program_version"]) == (None, 2)
    assert (await api("GET", "me/assignment", "patient")).json() == second.json()


@pytest.mark.parametrize("first", [True, False])
async def test_what_is_decided_stays_decided(api, first: bool) -> None:
    proposal = await with_proposal(api)
    assert (await decide(api, proposal, first)).status_code == 200
    version = (await overview(api))["program"]["version"]
    assert version == (2 if first else 1)
    for again in (True, False):
        answer = await decide(api, proposal, again)
        assert (answer.status_code, answer.json()["type"]) == (409, "already-decided")
    assert (await overview(api))["program"]["version"] == version


async def test_two_who_approve_at_once_make_one_version(api) -> None:
    proposal = await with_proposal(api)
    answers = await asyncio.gather(*(decide(api, proposal, True) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    assert (await overview(api))["program"]["version"] == 2


async def test_a_newer_session_replaces_the_waiting_proposal(api) -> None:
    old = await with_proposal(api)
    await api.put_session(4, excursion_deg=66.0)
    new = (await overview(api))["proposal"]
    assert new["id"] != old["id"]
    answer = await decide(api, old, True)
    assert (answer.status_code, answer.json()["type"]) == (409, "already-decided")
    assert "Newer measurements" in answer.json()["detail"]
    assert (await decide(api, new, True)).status_code == 200


async def test_strong_pain_takes_back_a_proposal_to_do_more(api, make) -> None:
    more = await with_proposal(api)
    hurts = make.feedback(3, pain=8, id=UUID(int=555), given_at=make.now)
    assert (await api.put_word(f"me/feedback/{hurts.id}", hurts, "patient")).status_code == 201
    now = (await overview(api))["proposal"]
    assert now is None or now["after"]["dose"]["target_excursion_deg"] <= more["before"]["dose"]["target_excursion_deg"]
    assert (await decide(api, more, True)).status_code == 409


async def test_an_unknown_proposal_is_not_found(api) -> None:
    assert (await decide(api, {"id": UUID(int=4)}, True)).status_code == 404


async def test_a_whole_clinics_history_is_stored_fast(api, make) -> None:
    """720 simulated sessions of 30 patients within five seconds, with forecasts and proposals."""
    surgery = date(2026, 7, 20)
    histories = []
    for patient in range(30):
        reports, feedbacks = [], []
        for index in range(24):
            number = 1000 + patient * 100 + index
            started = datetime(2026, 7, 25 if index < 7 else 26, 8 + index % 12, tzinfo=UTC)
            opening = make.opening(number, patient_id=f"s{patient}", started_at=started.replace(month=8, day=1 + index))
            reports.append(make.report(opening=opening, excursion_deg=45 + index + patient / 3, simulated=True))
            feedbacks.append(make.feedback(number))
        histories.append((reports, feedbacks))
    started_s = time.perf_counter()
    async with api.database.writing() as db:
        for patient, (reports, feedbacks) in enumerate(histories):
            await patients.add_patient(
                db,
                id=f"s{patient}",
                name=f"Simulated {patient}",
                diagnosis="Total knee replacement",
                side=Side.RIGHT,
                surgery_on=surgery,
                goal_deg=80,
                program=make.program(f"s{patient}"),
                simulated=True,
            )
            await closing.store_history(db, f"s{patient}", reports, feedbacks)
        for patient in range(30):
            await closing.follow(db, f"s{patient}", now=make.now, refit_after=10_000)
    spent_s = time.perf_counter() - started_s
    async with api.database.reading() as db:
        assert await db.scalar(select(func.count()).select_from(ForecastRecord)) == 30
        assert await db.scalar(select(func.count()).select_from(GrowthModelRecord)) == 1
    found = await overview(api, "s7")
    assert (len(found["sessions"]), len(found["course"]["points"]), found["summary"]["simulated"]) == (24, 24, True)
    assert spent_s < 5

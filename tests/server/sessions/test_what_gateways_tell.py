"""What a gateway asked and eased reaches the clinic: red flags on the patient's page, ratings as feedback."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from analytics.domain.check_in import CheckIn, RedFlag
from analytics.domain.program import Dose
from analytics.domain.session import Easing, EasingAction, PainMoment, Rating

NOW = datetime(2026, 9, 20, 18, tzinfo=UTC)
FLAGGED = CheckIn(red_flags=(RedFlag.CALF_PAIN, RedFlag.NUMBNESS), given_at=NOW)
REFUSED = Easing(time_s=2, action=EasingAction.STOPPED, rule="red_flag.calf_pain", reason="Do not exercise.")


async def shown(api, who: str = "physiotherapist") -> list[dict]:
    return (await api("GET", "patients/p1", who)).json()["sessions"]


async def test_a_red_flag_is_one_line_on_the_patients_page(api) -> None:
    _, answer = await api.put_session(1, count=0, check_in=FLAGGED, easings=(REFUSED,))
    assert answer.status_code == 201
    (session,) = await shown(api)
    assert session["stopped"] == "Red flag, did not exercise: calf pain, numbness"


async def test_pain_that_stopped_is_told_with_its_number(api) -> None:
    stopped = Easing(time_s=60, action=EasingAction.STOPPED, rule="hurts_now", reason="Your pain is 8 of 10.")
    await api.put_session(1, hurts=(PainMoment(time_s=59, pain=8),), easings=(stopped,))
    before = CheckIn(pain_now=2, pain_this_morning=7, given_at=NOW)
    refused = stopped.model_copy(update={"rule": "before_session"})
    await api.put_session(2, count=0, check_in=before, easings=(refused,))
    eased = Easing(
        time_s=60, action=EasingAction.EASED, rule="hurts_now", reason="It hurt.",
        dose=Dose(sets=3, repetitions=7, target_excursion_deg=50),
    )  # fmt: skip
    await api.put_session(3, easings=(eased,))
    assert {session["stopped"] for session in await shown(api)} == {
        "Stopped: pain 8/10 during the session",
        "Did not exercise: pain 7/10 before the session",
        None,
    }


async def test_a_rating_told_to_the_gateway_is_feedback_until_the_phone_tells_another(api, make) -> None:
    report, _ = await api.put_session(1, felt=Rating(pain=3, effort=6))
    (session,) = await shown(api)
    assert (session["pain"], session["effort"]) == (3, 6)
    later = make.feedback(1, given_at=report.ended_at + timedelta(minutes=1), pain=5, effort=7)
    assert (await api.put_word(f"me/feedback/{later.id}", later, "patient")).status_code == 201
    (session,) = await shown(api)
    assert (session["pain"], session["effort"]) == (5, 7)
    again, answer = await api.put_session(1, felt=Rating(pain=3, effort=6))
    assert (again, answer.status_code) == (report, 200)


async def test_a_rating_without_both_numbers_is_no_feedback(api) -> None:
    await api.put_session(1, felt=Rating(pain=3))
    (session,) = await shown(api)
    assert (session["pain"], session["effort"]) == (None, None)

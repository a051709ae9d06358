"""The whole app without its window, against the real server and the real local API of a gateway."""

import json
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from patient_scenes import (
    PASSWORD,
    PATIENT,
    SESSION,
    finished,
    repetition,
    session_until,
    snapshot,
    until,
)

from analytics.domain.check_in import RedFlag
from analytics.domain.live import Command, RepetitionEvent, SessionState
from analytics.domain.session import Easing, EasingAction
from mobile_app.account import MemoryTokens
from mobile_app.clients.clinic import Clinic
from mobile_app.clients.follow import Link
from mobile_app.phone import Phone
from mobile_app.store import Store


class Pocket:
    """A phone that can be taken out again after the app has ended: the store's folder stays."""

    def __init__(self, folder, clinic_url) -> None:
        self.folder, self.url = folder, clinic_url
        self.later = timedelta()

    async def __aenter__(self) -> Phone:
        self.store = Store.open(self.folder, now=datetime.now(UTC))
        self.clinic = await Clinic(self.url, timeout_s=5).__aenter__()
        self.phone = Phone(
            self.store, self.clinic, MemoryTokens(), now=lambda: datetime.now(UTC) + self.later, random=Random(1)
        )
        self.phone.start()
        return self.phone

    async def __aexit__(self, *_) -> None:
        await self.phone.close()
        await self.clinic.__aexit__(None, None, None)
        self.store.close()
        assert self.phone.tasks.failures == []


@pytest.fixture
def pocket(tmp_path, real_clinic, home_gateway) -> Pocket:
    answer = real_clinic.put("gateway/presence", json.dumps(home_gateway.presence()))
    assert answer.status_code == 204
    return Pocket(tmp_path / "phone", real_clinic.url)


async def sign_in(phone: Phone, login: str = "maria") -> None:
    phone.sign_in.login, phone.sign_in.password = login, PASSWORD
    phone.sign_in.submit()
    await until(lambda: phone.screen == "today")


async def begin_exercise(phone: Phone) -> None:
    await until(lambda: phone.today.can_start)
    phone.start_exercise()
    await until(lambda: phone.exercise.link is Link.CONNECTED)


def answer_well(phone: Phone) -> None:
    """Every question before exercising: no red flag, a pain of 1, swollen as before."""
    asked = phone.exercise.check_in
    while asked.stage:
        if asked.stage == "pain":
            asked.rate(1)
        else:
            asked.choose(next(option for option in asked.options if option.startswith("No")))


async def heard(home_gateway) -> list[Command]:
    await until(lambda: home_gateway.commands)
    return home_gateway.commands


async def test_a_red_flag_is_told_to_the_gateway_and_nothing_is_asked_afterwards(pocket, home_gateway):
    async with pocket as phone:
        await sign_in(phone)
        await begin_exercise(phone)
        phone.exercise.act()
        phone.exercise.check_in.choose("Yes")
        assert phone.exercise.check_in.stage == "refused"
        assert "emergency number" in phone.exercise.check_in.reason
        (start,) = await heard(home_gateway)
        flags = start.check_in.red_flags
        assert flags == (RedFlag.CHEST_PAIN_OR_BREATHLESSNESS,)
        stopped = Easing(time_s=0, action=EasingAction.STOPPED, rule=f"red_flag.{flags[0]}", reason="Do not exercise.")
        told = finished(0)
        report = told.report.model_copy(update={"check_in": start.check_in, "easings": (stopped,), "repetitions": ()})
        home_gateway.tell(told.model_copy(update={"report": report}))
        await until(lambda: phone.exercise.state is SessionState.FINISHED)
        assert phone.screen == "exercise"
        phone.exercise.check_in.close()
        assert (phone.screen, phone.today.unrated_session) == ("today", None)


async def test_from_signing_in_to_feedback_at_the_clinic(pocket, real_clinic, home_gateway):
    async with pocket as phone:
        await sign_in(phone)
        await begin_exercise(phone)
        await until(lambda: phone.exercise.action == "start")
        phone.exercise.act()
        answer_well(phone)
        (start,) = await heard(home_gateway)
        assert (start.command, start.check_in.pain_now, start.check_in.red_flags) == ("start", 1, ())
        home_gateway.tell(*session_until(12))
        await until(lambda: phone.exercise.total == 12)
        assert len(pocket.store.session(SESSION).repetitions) == 12
        home_gateway.tell(finished(12))
        await until(lambda: phone.screen == "after")
        assert phone.after.did.startswith("You did 12 of 30 repetitions")
        phone.after.pain, phone.after.effort = 2, 6
        phone.after.send()
        await until(lambda: phone.after.stage == "sent")
        assert real_clinic.feedback() == [(2, 6)]
        phone.show_today()
        assert (phone.screen, phone.today.waiting, phone.today.unrated_session) == ("today", "", None)


async def test_a_wrong_password_stays_on_the_screen_with_a_sentence(pocket):
    async with pocket as phone:
        phone.sign_in.submit()
        assert "login and your password" in phone.sign_in.message
        phone.sign_in.login, phone.sign_in.password = "maria", "wrong"
        phone.sign_in.submit()
        await until(lambda: phone.sign_in.message)
        assert (phone.screen, phone.sign_in.busy) == ("sign_in", False)
        assert "wrong" in phone.sign_in.message


async def test_a_clinicians_login_is_not_taken(pocket):
    async with pocket as phone:
        phone.sign_in.login, phone.sign_in.password = "petra", PASSWORD
        phone.sign_in.submit()
        await until(lambda: phone.sign_in.message)
        assert "not a patient's" in phone.sign_in.message
        assert phone.screen == "sign_in"


async def test_without_a_network_nothing_is_lost(pocket, real_clinic, home_gateway):
    async with pocket as phone:
        await sign_in(phone)
        await begin_exercise(phone)
        home_gateway.tell(*session_until(3))
        await until(lambda: phone.exercise.total == 3)
        real_clinic.stop()
        home_gateway.tell(finished(3))
        await until(lambda: phone.screen == "after")
        phone.after.pain, phone.after.effort = 1, 2
        phone.after.send()
        assert "Saved on this phone" in phone.after.message
        phone.show_today()
        await until(lambda: phone.today.notice)
        assert "No network" in phone.today.notice
        assert phone.today.waiting.startswith("1 answer saved")
        assert phone.today.can_start
    async with pocket as phone:  # the app ended and is started again, still without a network
        assert phone.screen == "sign_in"
        assert len(pocket.store.waiting_feedback(PATIENT)) == 1
        real_clinic.start()
        await sign_in(phone)
        await until(real_clinic.feedback)
        await until(lambda: phone.today.waiting == "")
        assert real_clinic.feedback() == [(1, 2)]


async def test_the_line_breaks_and_the_end_is_not_heard(pocket, home_gateway):
    async with pocket as phone:
        await sign_in(phone)
        await begin_exercise(phone)
        home_gateway.tell(*session_until(5))
        await until(lambda: phone.exercise.total == 5)
        await home_gateway.stop()
        await until(lambda: phone.exercise.link is Link.UNREACHABLE)
        assert phone.exercise.action == "retry"
        home_gateway.tell(snapshot(SessionState.FINISHED))
        await home_gateway.start()
        phone.exercise.act()
        await until(lambda: phone.screen == "after")
        assert phone.after.did.startswith("You did 5 of 30")


async def test_the_app_is_killed_in_mid_session_and_goes_on(pocket, home_gateway):
    async with pocket as phone:
        await sign_in(phone)
        await begin_exercise(phone)
        home_gateway.tell(*session_until(5))
        await until(lambda: phone.exercise.total == 5)
    async with pocket as phone:
        await sign_in(phone)
        assert phone.today.unrated_session == SESSION
        await begin_exercise(phone)
        await until(lambda: phone.exercise.total == 5)
        home_gateway.tell(RepetitionEvent(sequence=0, set_number=1, count_in_set=6, repetition=repetition(6)))
        home_gateway.tell(finished(6))
        await until(lambda: phone.screen == "after")
        assert [r.number for r in pocket.store.session(SESSION).repetitions] == [1, 2, 3, 4, 5, 6]


async def test_a_session_that_was_not_rated_can_be_rated_later(pocket, real_clinic, home_gateway):
    async with pocket as phone:
        await sign_in(phone)
        await begin_exercise(phone)
        home_gateway.tell(*session_until(2))
        await until(lambda: phone.exercise.total == 2)
        home_gateway.tell(finished(2))
        await until(lambda: phone.screen == "after")
    async with pocket as phone:
        await sign_in(phone)
        phone.answer_about_last_session()
        assert phone.screen == "after"
        phone.after.pain, phone.after.effort = 3, 3
        phone.after.send()
        await until(lambda: phone.after.stage == "sent")
    pocket.later = timedelta(hours=25)
    async with pocket as phone:
        await sign_in(phone)
        assert phone.today.unrated_session is None


async def test_pain_is_asked_before_the_questions_after(pocket, home_gateway):
    async with pocket as phone:
        await sign_in(phone)
        await begin_exercise(phone)
        home_gateway.tell(*session_until(2))
        await until(lambda: phone.exercise.total == 2)
        phone.exercise.it_hurts()
        await until(lambda: home_gateway.commands)
        home_gateway.tell(finished(2))
        await until(lambda: phone.exercise.state is SessionState.FINISHED)
        assert phone.screen == "exercise"
        phone.exercise.rate_pain(8)
        assert (phone.screen, phone.after.pain) == ("after", 8)


async def test_pain_without_a_gateway_is_told_when_it_is_back(pocket, home_gateway):
    async with pocket as phone:
        await sign_in(phone)
        await begin_exercise(phone)
        await home_gateway.stop()
        await until(lambda: phone.exercise.link is Link.UNREACHABLE)
        phone.exercise.it_hurts()
        await until(lambda: "as soon as it answers" in phone.exercise.unheard)
        phone.exercise.rate_pain(5)
        await home_gateway.start()
        await until(lambda: home_gateway.commands)
        assert home_gateway.commands == [Command(command="hurts", pain=5)]
        assert phone.exercise.unheard == ""


async def test_signing_out_wipes_nothing(pocket, real_clinic, home_gateway):
    async with pocket as phone:
        await sign_in(phone)
        await begin_exercise(phone)
        home_gateway.tell(*session_until(2))
        await until(lambda: phone.exercise.total == 2)
        phone.sign_out()
        assert phone.screen == "sign_in"
        assert len(pocket.store.session(SESSION).repetitions) == 2
        assert pocket.store.assignment(PATIENT) is not None
        await sign_in(phone, "bert")
        assert phone.today.unrated_session is None  # what Maria did is not shown to Bert


async def test_a_sign_in_that_ended_leads_back_to_it(pocket, real_clinic):
    async with pocket as phone:
        await sign_in(phone)
        await until(lambda: phone.today.can_start)
        await pocket.clinic.sign_out(phone._tokens.recall().token)
        phone.refresh()
        await until(lambda: phone.screen == "sign_in")
        assert "Please sign in again" in phone.sign_in.notice


async def test_a_patient_without_a_gateway_is_told_so(pocket):
    async with pocket as phone:
        await sign_in(phone, "bert")
        await until(lambda: phone.today.can_start)
        phone.start_exercise()
        await until(lambda: phone.exercise.link is Link.UNREACHABLE)
        assert phone.exercise.banner_text.endswith(".")
        phone.exercise.leave()
        assert phone.screen == "today"


async def test_a_full_phone_goes_on_counting_and_says_so(pocket, home_gateway):
    async with pocket as phone:
        await sign_in(phone)
        await begin_exercise(phone)
        pages = pocket.store._db.execute("PRAGMA page_count").fetchone()[0]
        pocket.store._db.execute(f"PRAGMA max_page_count = {pages}")
        home_gateway.tell(*session_until(60))
        await until(lambda: phone.exercise.total == 60)
        assert "Free some space" in phone.exercise.unheard
        assert phone.exercise.link is Link.CONNECTED

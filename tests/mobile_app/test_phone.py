"""The whole app without its window, against the real server and the real local API of a gateway."""

from datetime import UTC, datetime, timedelta

from patient_scenes import (
    PASSWORD,
    PATIENT,
    SESSION,
    assignment,
    finished,
    repetition,
    report,
    session_until,
    snapshot,
    until,
)
from pocket import answer_well, begin_exercise, heard, sign_in

from analytics.domain.exercise import Side
from analytics.domain.live import RepetitionEvent, SessionState
from mobile_app.clients.follow import Link


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


async def test_start_asks_for_the_exercise_that_is_shown(pocket, home_gateway):
    program = assignment().program
    left = program.prescriptions[0].model_copy(update={"side": Side.LEFT})
    both = program.model_copy(update={"prescriptions": (*program.prescriptions, left)})
    async with pocket as phone:
        await sign_in(phone)
        await until(lambda: phone.today.can_start)
        phone._assignment = assignment().model_copy(update={"program": both})
        told = report(30).model_copy(update={"started_at": datetime.now(UTC)})
        pocket.store.save_report(told, now=datetime.now(UTC))
        phone._show_assignment()
        home_gateway.tell(snapshot(SessionState.FINISHED))  # of the exercise that is done
        await begin_exercise(phone)
        await until(lambda: phone.exercise.action == "start")
        assert (phone.exercise.joint, phone.exercise.side) == ("Left knee", Side.LEFT)
        phone.exercise.act()
        answer_well(phone)
        (start,) = await heard(home_gateway)
        assert (start.exercise, start.side) == ("knee.extension.seated", Side.LEFT)


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

"""Pain and red flags: the clinic hears of them, whatever the line does."""

from patient_scenes import PATIENT, finished, session_until, snapshot, until
from pocket import begin_exercise, heard, sign_in

from analytics.domain.base import uuid7
from analytics.domain.check_in import RedFlag
from analytics.domain.live import Command, Cue, CueEvent, CueLevel, FinishedEvent, SessionState
from analytics.domain.session import Easing, EasingAction
from mobile_app.clients.follow import Link
from mobile_app.phone import Phone

HURTS = CueEvent(cue=Cue(code="hurts", text="Stop. Rest the joint.", level=CueLevel.STOP))


def refused_report(start: Command) -> FinishedEvent:
    told = finished(0)
    easing = Easing(time_s=0, action=EasingAction.STOPPED, rule="red_flag", reason="Do not exercise.")
    report = told.report.model_copy(update={"check_in": start.check_in, "easings": (easing,), "repetitions": ()})
    return told.model_copy(update={"report": report})


async def say_a_red_flag_into_the_void(phone: Phone, home_gateway) -> None:
    """With the gateway away; the patient reads what to do, and closes it."""
    await sign_in(phone)
    await begin_exercise(phone)
    await until(lambda: phone.exercise.action == "start")
    phone.exercise.act()
    await home_gateway.stop()
    await until(lambda: phone.exercise.link is Link.UNREACHABLE)
    phone.exercise.check_in.choose("Yes")
    await until(lambda: phone.exercise.check_in.unheard)
    for said in (phone.exercise.check_in.unheard, phone.exercise.unheard):
        assert "try again" not in said
        assert "kept on this phone" in said
    phone.exercise.check_in.close()
    assert phone.screen == "today"
    assert "has not reached your gateway" in phone.today.waiting


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
        home_gateway.tell(refused_report(start))
        await until(lambda: phone.exercise.state is SessionState.FINISHED)
        assert phone.screen == "exercise"
        phone.exercise.check_in.close()
        assert (phone.screen, phone.today.unrated_session) == ("today", None)
        assert pocket.store.untold(PATIENT) == []


async def test_pain_without_a_gateway_is_told_when_it_is_back(pocket, home_gateway):
    async with pocket as phone:
        await sign_in(phone)
        await begin_exercise(phone)
        home_gateway.tell(*session_until(2))
        await until(lambda: phone.exercise.total == 2)
        await home_gateway.stop()
        await until(lambda: phone.exercise.link is Link.UNREACHABLE)
        phone.exercise.it_hurts()
        await until(lambda: "as soon as your gateway answers" in phone.exercise.unheard)
        phone.exercise.rate_pain(5)
        phone.exercise.end()  # the line is down: back to today
        assert phone.screen == "today"
        await home_gateway.start()
        phone.exercise._on_retry()
        await until(lambda: len(home_gateway.commands) == 2)
        assert home_gateway.commands == [Command(command="hurts"), Command(command="hurts", pain=5)]
        assert phone.exercise.unheard == ""
        home_gateway.tell(HURTS, HURTS)
        await until(lambda: phone.today.waiting == "")
        assert pocket.store.untold(PATIENT) == []


async def test_pain_of_one_session_does_not_stop_another(pocket, home_gateway):
    async with pocket as phone:
        await sign_in(phone)
        await begin_exercise(phone)
        home_gateway.tell(*session_until(2))
        await until(lambda: phone.exercise.total == 2)
        await home_gateway.stop()
        await until(lambda: phone.exercise.link is Link.UNREACHABLE)
        phone.exercise.it_hurts()
        home_gateway.tell(snapshot(SessionState.EXERCISING, session=uuid7()))
        await home_gateway.start()
        phone.exercise._on_retry()
        await until(lambda: not pocket.store.untold(PATIENT))
        assert home_gateway.commands == []


async def test_a_red_flag_said_while_the_line_is_down_is_told_when_it_is_back(pocket, home_gateway):
    async with pocket as phone:
        await say_a_red_flag_into_the_void(phone, home_gateway)
        (owed,) = pocket.store.untold(PATIENT)
        await home_gateway.start()
        phone.exercise._on_retry()
        (start,) = await heard(home_gateway)
        assert (start.command, start.exercise, start.check_in) == ("start", None, owed.command.check_in)
        home_gateway.tell(refused_report(start))
        await until(lambda: phone.today.waiting == "")
        assert (pocket.store.untold(PATIENT), phone.screen) == ([], "today")
        await until(lambda: home_gateway.hub.listeners == 0)  # there is nothing more to follow


async def test_a_red_flag_outlives_the_app_and_a_gateway_that_did_not_take_it(pocket, home_gateway):
    async with pocket as phone:
        await say_a_red_flag_into_the_void(phone, home_gateway)
    await home_gateway.start()
    async with pocket as phone:
        await sign_in(phone)
        (start,) = await heard(home_gateway)
    async with pocket as phone:  # the line took it, but nothing shows that the gateway did
        await sign_in(phone)
        await until(lambda: len(home_gateway.commands) == 2)
        assert home_gateway.commands[1] == start
        phone.sign_out()
        await sign_in(phone, "bert")
        assert phone.today.waiting == ""

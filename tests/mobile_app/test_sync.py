"""What the patient says reaches the clinic once, now or later, and only as that patient."""

import asyncio
from datetime import UTC, datetime
from random import Random

import pytest
from patient_scenes import NOW, PASSWORD, PATIENT, SESSION, until

from analytics.domain.base import uuid7
from analytics.domain.session import Feedback
from mobile_app.account import Account, MemoryTokens
from mobile_app.clients.clinic import Clinic
from mobile_app.store import Store
from mobile_app.sync import FeedbackSync, Outcome


class Sending:
    def __init__(self, store, clinic) -> None:
        self.store, self.clinic, self.tokens = store, clinic, MemoryTokens()
        self.outcomes: list[Outcome] = []
        self.sync = FeedbackSync(
            store, clinic, self.tokens, now=lambda: datetime.now(UTC), random=Random(1), on_round=self.outcomes.append
        )

    async def sign_in(self, login: str) -> None:
        signed_in = await self.clinic.sign_in(login, PASSWORD)
        self.tokens.keep(Account(patient_id=signed_in.patient_id, name=signed_in.name, token=signed_in.token))

    def say(self, pain: int, patient: str = PATIENT) -> Feedback:
        feedback = Feedback(id=uuid7(), session_id=SESSION, pain=pain, effort=5, given_at=NOW)
        self.store.queue_feedback(patient, feedback)
        return feedback


@pytest.fixture
async def sending(real_clinic, tmp_path):
    store = Store.open(tmp_path / "phone", now=NOW)
    async with Clinic(real_clinic.url, timeout_s=5) as clinic:
        yield Sending(store, clinic)
    store.close()


async def test_it_waits_while_the_clinic_is_away_and_arrives_once(real_clinic, sending):
    await sending.sign_in("maria")
    real_clinic.stop()
    sending.say(4)
    assert await sending.sync.send_waiting() is Outcome.LATER
    assert len(sending.store.waiting_feedback(PATIENT)) == 1
    real_clinic.start()
    assert await sending.sync.send_waiting() is Outcome.ALL_SENT
    assert await sending.sync.send_waiting() is Outcome.ALL_SENT
    assert real_clinic.feedback() == [(4, 5)]


async def test_an_answer_that_got_lost_is_sent_again_and_stored_once(real_clinic, sending):
    await sending.sign_in("maria")
    said = sending.say(4)
    await sending.clinic.put_feedback(sending.tokens.recall().token, said)  # stored, but the phone died before noting
    assert await sending.sync.send_waiting() is Outcome.ALL_SENT
    assert real_clinic.feedback() == [(4, 5)]


async def test_nobody_sends_for_another(real_clinic, sending):
    sending.say(4)
    await sending.sign_in("bert")
    assert await sending.sync.send_waiting() is Outcome.ALL_SENT
    assert real_clinic.feedback() == []
    assert len(sending.store.waiting_feedback(PATIENT)) == 1


async def test_a_refusal_is_kept_and_does_not_hold_up_the_rest(real_clinic, sending):
    await sending.sign_in("maria")
    taken = sending.say(1)
    await sending.clinic.put_feedback(sending.tokens.recall().token, taken.model_copy(update={"pain": 9}))
    sending.say(2)
    assert await sending.sync.send_waiting() is Outcome.ALL_SENT
    assert sending.store.feedback_outcome(taken.id)[1]
    assert sorted(real_clinic.feedback()) == [(2, 5), (9, 5)]


async def test_an_ended_sign_in_keeps_everything(real_clinic, sending):
    await sending.sign_in("maria")
    await sending.clinic.sign_out(sending.tokens.recall().token)
    sending.say(3)
    assert await sending.sync.send_waiting() is Outcome.SIGN_IN_AGAIN
    assert len(sending.store.waiting_feedback(PATIENT)) == 1
    sending.tokens.forget()
    assert await sending.sync.send_waiting() is Outcome.SIGN_IN_AGAIN


async def test_running_sends_when_woken(real_clinic, sending):
    await sending.sign_in("maria")
    running = asyncio.create_task(sending.sync.run())
    sending.say(6)
    sending.sync.wake()
    await until(lambda: sending.outcomes)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert sending.outcomes == [Outcome.ALL_SENT]
    assert real_clinic.feedback() == [(6, 5)]

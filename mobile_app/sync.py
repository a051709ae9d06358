"""Sending what the patient said: at once, or when the network is back, and never twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from enum import StrEnum
from random import Random

from .account import TokenStore
from .clients.clinic import Clinic, ClinicUnreachable, NotFound, Refused, SignInRefused
from .store import Store, StoreError

FIRST_WAIT_S, LONGEST_WAIT_S = 2.0, 300.0


class Outcome(StrEnum):
    """How the last round of sending went."""

    ALL_SENT = "all_sent"
    LATER = "later"
    SIGN_IN_AGAIN = "sign_in_again"


class FeedbackSync:
    """Empties the outbox of the signed-in patient. Another patient's feedback waits for that patient."""

    def __init__(
        self,
        store: Store,
        clinic: Clinic,
        tokens: TokenStore,
        *,
        now: Callable[[], datetime],
        random: Random,
        on_round: Callable[[Outcome], None] = lambda outcome: None,
    ) -> None:
        self._store = store
        self._clinic = clinic
        self._tokens = tokens
        self._now = now
        self._random = random
        self._on_round = on_round
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """There is something new to send, or reason to believe that the network is back."""
        self._wake.set()

    async def run(self) -> None:
        """Send until cancelled, waiting longer after each failure."""
        wait_s: float | None = None
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), wait_s)
            self._wake.clear()
            try:
                outcome = await self.send_waiting()
            except StoreError:
                outcome = Outcome.LATER  # sent but not noted: the clinic takes the same again as the same
            self._on_round(outcome)
            if outcome is Outcome.LATER:
                wait_s = min(2 * (wait_s or FIRST_WAIT_S / 2), LONGEST_WAIT_S) * self._random.uniform(0.9, 1.1)
            else:
                wait_s = None

    async def send_waiting(self) -> Outcome:
        """One round through what waits, oldest first."""
        account = self._tokens.recall()
        if account is None:
            return Outcome.SIGN_IN_AGAIN
        outcome = Outcome.ALL_SENT
        for feedback in self._store.waiting_feedback(account.patient_id):
            try:
                await self._clinic.put_feedback(account.token, feedback)
            except SignInRefused:
                return Outcome.SIGN_IN_AGAIN
            except ClinicUnreachable:
                return Outcome.LATER
            except NotFound:
                # The gateway has not brought the session to the clinic yet; what comes after may go before.
                outcome = Outcome.LATER
            except Refused as refusal:
                self._store.mark_refused(feedback.id, str(refusal))
            else:
                self._store.mark_sent(feedback.id, now=self._now())
        return outcome

"""Brings what the gateway has stored to the clinic, in order, through any network, however often it has to be tried.

The store says what is still to go and the server's own list says what has arrived, so a lost answer, a killed server or
a restored backup costs a repetition at most. What the server refuses for good is marked and shown, never deleted, and
tried again each day.

Sessions go up in the order in which they were kept, whatever their dates say, and of each its chunks in order, then its
report. Only a session that is running does not wait for a long way behind others: after each of them, what it has goes.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import random
import time
from collections.abc import Awaitable, Callable
from uuid import UUID

from device_gateway.conditions import Conditions
from device_gateway.errors import (
    GatewayError,
    RefusedError,
    ShutOutError,
    StoreError,
    UnclaimedError,
    UnreachableError,
)
from device_gateway.storage.store import SessionUpload, Store

from .clinic import Clinic, Presence, missing_chunks
from .dates import Dates, dated_as
from .logs import HealthLog
from .standing import Standing

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 180.0
"""After weeks without internet, it is back for three minutes at most before anything goes up."""
LONG_TRIED = 99
"""So many failures count for a gateway that is shut out, where trying sooner is no use."""
HEARTBEAT_S = 3600.0
"""With nothing to send, the clinic still hears that this gateway lives, and this gateway whether it is let in."""
TRY_REFUSED_AGAIN_S = 86400.0

log = logging.getLogger(__name__)


def pause_s(failures: int, rng: random.Random) -> float:
    """How long to wait after so many failures in a row: doubling, jittered so that a clinic's gateways spread out."""
    return min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(failures - 1, 16)) * rng.uniform(0.5, 1.0)


class Uplink:
    """Runs beside the sessions. `wake` it when something new is stored; `problem` says why it is waiting, if it is.

    sleep, now: the machine's own seconds; a network does not live faster in a replay.
    """

    def __init__(
        self,
        store: Store,
        clinic: Clinic,
        *,
        presence: Presence | None,
        rng: random.Random,
        conditions: Conditions,
        dates: Dates,
        health: HealthLog,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.problem: str | None = None
        self._store = store
        self._clinic = clinic
        self._presence = presence
        self._rng = rng
        self._standing = Standing(conditions, now)
        self._dates = dates
        self._health = health
        self._sleep = sleep
        self._now = now
        self._announced = False
        self._progress = False
        self._compared: set[UUID] = set()
        self._refused_s: dict[UUID, float] = {}
        self._news = asyncio.Event()
        self._settled = asyncio.Event()

    def wake(self) -> None:
        self._settled.clear()
        self._news.set()

    def announce(self, presence: Presence | None) -> None:
        """Where phones find this gateway has changed: tell the clinic; None while they cannot."""
        self._presence = presence
        self._announced = False
        self.wake()

    async def run(self) -> None:
        """Upload for as long as the gateway lives."""
        failures = 0
        while True:
            self._news.clear()
            try:
                await self._bring_all()
            except Exception as trouble:
                failures = 1 if self._progress else failures + 1
                self._progress = False
                self._announced = False
                self._compared.clear()
                self._take_trouble(trouble, first=failures == 1)
                if isinstance(trouble, UnreachableError):
                    await self._tell_unreachable()
                shut_out = isinstance(trouble, ShutOutError)
                if shut_out or isinstance(trouble, UnclaimedError):
                    self._settled.set()  # tried again later all the same, but nobody need wait for it
                await self._sleep(pause_s(LONG_TRIED if shut_out else failures, self._rng))
            else:
                failures, self.problem = 0, None
                if not self._news.is_set():
                    self._settled.set()
                await self._wait_for_news()

    async def drain(self, timeout_s: float) -> bool:
        """Wait until all that is stored has been tried; True when all of it is at the clinic."""
        self.wake()
        try:
            await asyncio.wait_for(self._settled.wait(), timeout_s)
        except TimeoutError:
            return False
        return not await self._store.waiting()

    async def _bring_all(self) -> None:
        await self._dates.look()
        await self._clinic.claim()
        await self._say_where()
        tried: set[UUID] = set()
        while True:
            waiting = await self._store.waiting()
            due = [session.id for session in waiting if session.id not in tried and self._is_due(session.id)]
            if not due:
                self._standing.refused(waiting)
                await self._say_how()  # last, for nothing that is recorded shall wait for it
                return
            tried.add(due[0])
            await self._bring(due[0])
            if not waiting[-1].finished and waiting[-1].id in due[1:]:
                await self._bring(waiting[-1].id)

    async def _say_where(self) -> None:
        if self._announced:
            return
        self._announced = True  # before it is: what changes meanwhile is told as well
        clinic_time = await self._clinic.time()
        self._standing.reached()
        await self._dates.compare(clinic_time)
        if self._presence is None:
            return
        try:
            await self._clinic.put_presence(self._presence)
        except ShutOutError:
            raise
        except RefusedError as refusal:  # phones must find another way; what is recorded goes up all the same
            log.error("The clinic does not take where this gateway is (HTTP %s).", refusal.status)

    async def _say_how(self) -> None:
        if not self._health.is_due:
            return
        try:
            await self._clinic.put_health(await self._health.health())
        except ShutOutError:
            raise
        except RefusedError as refusal:  # a clinic of an older release; it is asked again tomorrow
            log.info("The clinic does not take this gateway's health (HTTP %s).", refusal.status)
        self._health.told()

    def _is_due(self, session_id: UUID) -> bool:
        """What was refused is tried once after each start, and once a day."""
        refused_s = self._refused_s.get(session_id)
        return refused_s is None or self._now() - refused_s >= TRY_REFUSED_AGAIN_S

    async def _bring(self, session_id: UUID) -> None:
        upload = await self._store.upload(session_id)
        if upload is None:
            return
        try:
            if not upload.opening_uploaded:
                clinic_time = await self._clinic.time()
                await self._dates.look()  # now, for signing in takes its time
                await self._dates.compare(clinic_time)
                upload = await self._store.upload(session_id) or upload
                await self._clinic.put_opening(upload.opening)
                await self._store.mark(upload.id, opening_uploaded=True)
            if upload.id not in self._compared:
                await self._store.mark_chunks(upload.id, await self._clinic.received_chunks(upload.id))
                self._compared.add(upload.id)
                upload = await self._store.upload(session_id) or upload
            self._standing.reached()
            for number in upload.chunks_waiting:
                await self._bring_chunk(upload.id, number)
            if upload.report is not None:
                await self._clinic.put_report(dated_as(upload.opening, upload.report))
                await self._store.mark(upload.id, report_uploaded=True)
                self._health.count(upload.report)
                self._compared.discard(upload.id)
            elif upload.problem is not None:
                await self._store.mark(upload.id, problem="")
            self._refused_s.pop(upload.id, None)
        except ShutOutError:
            raise
        except RefusedError as refusal:
            await self._take_refusal(upload, refusal)

    async def _bring_chunk(self, session_id: UUID, number: int) -> None:
        data, sha256 = await self._store.chunk(session_id, number)
        if hashlib.sha256(data).digest() != sha256:
            raise RefusedError(f"Chunk {number} is not what was written: this gateway's disk is failing.", 0, {})
        await self._clinic.put_chunk(session_id, number, data, sha256)
        await self._store.mark_chunk(session_id, number)
        self._progress = True

    async def _take_refusal(self, upload: SessionUpload, refusal: RefusedError) -> None:
        """Tell what a further try can mend from what it cannot."""
        if missing_chunks(refusal) is not None:
            # After a failure the server's list is asked for again, and decides what goes again.
            raise UnreachableError("The clinic's server misses chunks of a session; they are sent again.") from refusal
        if refusal.status == 404 and upload.opening_uploaded:
            await self._store.mark(upload.id, opening_uploaded=False)
            raise UnreachableError("The clinic's server no longer knows a session; it is sent again.") from refusal
        log.error("The clinic does not take session %s (HTTP %s).", upload.id, refusal.status)
        self._refused_s[upload.id] = self._now()
        await self._store.mark(upload.id, problem=f"The clinic does not take session {upload.id}: {refusal}")

    def _take_trouble(self, trouble: Exception, *, first: bool) -> None:
        self.problem = str(trouble)
        if isinstance(trouble, ShutOutError):
            self._standing.shut_out(str(trouble))
        if not isinstance(trouble, GatewayError):  # a fault of ours must not end uploading for good
            self.problem = "Uploading met a fault in this program and is tried again; please report it."
            log.error("Uploading met a fault.", exc_info=trouble)
        elif first and not isinstance(trouble, UnclaimedError):  # which is told where the claim is made
            log.warning("Uploads wait: %s", trouble)

    async def _tell_unreachable(self) -> None:
        try:
            self._standing.unreachable(await self._store.waiting())
        except StoreError as trouble:
            log.warning("How much waits is not known: %s", trouble)

    async def _wait_for_news(self) -> None:
        """Or for the hour at which the clinic is told that this gateway lives."""
        news, hour = asyncio.ensure_future(self._news.wait()), asyncio.ensure_future(self._sleep(HEARTBEAT_S))
        try:
            await asyncio.wait({news, hour}, return_when=asyncio.FIRST_COMPLETED)
            if hour.done():
                self._announced = False
        finally:
            for waiting in (news, hour):
                waiting.cancel()
            await asyncio.gather(news, hour, return_exceptions=True)

"""Brings what the gateway has stored to the clinic, in order, through any network, however often it has to be tried.

The store says what is still to go and the server's own list says what has arrived, so a lost answer, a killed server or
a restored backup costs a repetition at most. What the server refuses for good is marked and shown, never deleted.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import random
from uuid import UUID

from analytics.domain.program import Assignment
from device_gateway.errors import GatewayError, RefusedError, ShutOutError, StoreError, UnreachableError
from device_gateway.storage.store import SessionUpload, Store

from .clinic import Clinic, Presence, missing_chunks

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 60.0

log = logging.getLogger(__name__)


def pause_s(failures: int, rng: random.Random) -> float:
    """How long to wait after so many failures in a row: doubling, jittered so that a clinic's gateways spread out."""
    return min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(failures - 1, 16)) * rng.uniform(0.5, 1.0)


class Uplink:
    """Runs beside the sessions. `wake` it when something new is stored; `problem` says why it is waiting, if it is."""

    def __init__(self, store: Store, clinic: Clinic, presence: Presence, rng: random.Random) -> None:
        self.problem: str | None = None
        self._store = store
        self._clinic = clinic
        self._presence = presence
        self._rng = rng
        self._announced = False
        self._progress = False
        self._compared: set[UUID] = set()
        self._news = asyncio.Event()
        self._settled = asyncio.Event()

    def wake(self) -> None:
        self._settled.clear()
        self._news.set()

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
                self.problem = str(trouble)
                if not isinstance(trouble, GatewayError):  # a fault of ours must not end uploading for good
                    self.problem = "Uploading met a fault in this program and is tried again; please report it."
                    log.exception("Uploading met a fault.")
                elif failures == 1:
                    log.warning("Uploads wait: %s", trouble)
                if isinstance(trouble, ShutOutError):
                    self._settled.set()  # tried again later all the same, but nobody need wait for it
                await asyncio.sleep(pause_s(failures, self._rng))
            else:
                failures, self.problem = 0, None
                if not self._news.is_set():
                    self._settled.set()
                await self._news.wait()

    async def drain(self, timeout_s: float) -> bool:
        """Wait until all that is stored has been tried; True when all of it is at the clinic."""
        self.wake()
        try:
            await asyncio.wait_for(self._settled.wait(), timeout_s)
        except TimeoutError:
            return False
        return not await self._store.uploads()

    async def assignment(self) -> Assignment:
        """What the patient is to do: the clinic's word where it can be had, else the last one kept.

        Raises GatewayError where there is neither, and ShutOutError where the clinic wants nothing to go on here.
        """
        kept = await self._store.setting("assignment")
        trouble: GatewayError
        try:
            news = await self._clinic.assignment(await self._store.setting("assignment_etag") if kept else None)
            if news is not None:
                await self._keep(*news)
                return news[0]
        except ShutOutError:
            raise
        except (UnreachableError, RefusedError) as refusal:
            trouble = refusal
            log.warning("The program could not be refreshed: %s", refusal)
        else:
            trouble = GatewayError("the clinic's server says that nothing has changed")
        if kept is None:
            raise GatewayError(f"There is no program to exercise by yet: {trouble}") from trouble
        return Assignment.model_validate_json(kept)

    async def _keep(self, assignment: Assignment, etag: str | None) -> None:
        try:
            await self._store.keep_settings(assignment=assignment.model_dump_json(), assignment_etag=etag or "")
        except StoreError as trouble:
            log.warning("The program is used but not kept: %s", trouble)

    async def _bring_all(self) -> None:
        if not self._announced:
            await self._clinic.put_presence(self._presence)
            self._announced = True
        for upload in await self._store.uploads():
            if upload.problem is None:
                await self._bring(upload)

    async def _bring(self, upload: SessionUpload) -> None:
        try:
            if not upload.opening_uploaded:
                await self._clinic.put_opening(upload.opening)
                await self._store.mark(upload.id, opening_uploaded=True)
            if upload.id not in self._compared:
                await self._store.mark_chunks(upload.id, await self._clinic.received_chunks(upload.id))
                self._compared.add(upload.id)
                self._news.set()  # look again at what is waiting, now that the server's list is known
                return
            for number in upload.chunks_waiting:
                await self._bring_chunk(upload.id, number)
            if upload.report is not None:
                await self._clinic.put_report(upload.report)
                await self._store.mark(upload.id, report_uploaded=True)
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
        await self._store.mark(upload.id, problem=f"The clinic does not take session {upload.id}: {refusal}")

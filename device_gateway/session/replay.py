"""Closes sessions whose gateway died: what was stored is scored again, and the report goes up like any other.

Left is what had reached the disk, and what the sensors could send again of the time since (rest.py). Of those that
cannot, the movement of the last chunk that was being collected (ten seconds at most) is gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from analytics.domain.exercise import Segment
from analytics.domain.live import Command
from analytics.domain.session import SessionOpening, SessionReport
from analytics.signals.chunk import ChunkError, SensorBlock, decode_chunk
from analytics.signals.samples import FloatArray, ImuSamples
from device_gateway.clocks.sensor_clock import keep_forwards
from device_gateway.errors import GatewayError, StoreError
from device_gateway.live.hub import LiveHub
from device_gateway.storage.digests import root_sha256
from device_gateway.storage.plan import SessionPlan
from device_gateway.storage.store import Store, UnfinishedSession

from .care import Hurts
from .exercise_session import ExerciseSession
from .library import SHIPPED, Library
from .rest import Rest
from .scoring import exercise_session

PIECE_S = 0.5
"""Samples are given in pieces of this length, both sensors in turn as they came, so that a session which runs meanwhile
waits for a piece and not for a chunk."""

Piece = tuple[Segment, float, ImuSamples, FloatArray]
"""Segment, sampling rate, a run of samples and their session times (n,)."""

RETRY_S = 60.0

log = logging.getLogger(__name__)


async def _forget(*_: object) -> None:
    """Nobody wants to know."""


async def close_unfinished(
    store: Store,
    unfinished: Sequence[UnfinishedSession],
    on_stored: Callable[[], None],
    library: Library = SHIPPED,
    *,
    rest: Rest | None = None,
    on_said: Callable[[Command, datetime], Awaitable[None]] = _forget,
    on_report: Callable[[SessionReport], Awaitable[None]] = _forget,
    retry_s: float = RETRY_S,
) -> None:
    """Make and keep the report of each, after its `rest`; what the disk refuses is tried again until it is taken.

    `on_said` and `on_report` hear what the next session must know; what the patient said before anything else, for
    whoever waits for the sensors must not begin without it.
    """
    try:
        for session in unfinished:
            for given in session.commands:
                said_at = session.opening.started_at + timedelta(seconds=given.time_s)
                try:
                    await on_said(given.command, said_at)
                except Exception:  # must not keep every session open, at every start
                    log.exception("What was said in session %s cannot be remembered.", session.opening.id)
        if rest is not None:
            unfinished = await rest.fetch()
    finally:
        if rest is not None:
            rest.end()
    left = await _close_each(store, unfinished, on_stored, library, on_report)
    while left:
        await asyncio.sleep(retry_s)
        left = await _close_each(store, left, on_stored, library, on_report)


async def _close_each(
    store: Store,
    unfinished: Sequence[UnfinishedSession],
    on_stored: Callable[[], None],
    library: Library,
    on_report: Callable[[SessionReport], Awaitable[None]],
) -> list[UnfinishedSession]:
    """Those that the disk refused."""
    refused = []
    for session in unfinished:
        try:
            report = (await _Replay(store, session, library).report()).model_copy(update={"cut_short": True})
            await on_report(report)
            await store.keep_report(report)
        except StoreError as trouble:
            log.warning("Session %s cannot be closed yet: %s", session.opening.id, trouble)
            refused.append(session)
        except Exception:  # one that meets a fault must not keep the others open
            log.exception("Session %s cannot be closed because of a fault in this program.", session.opening.id)
        else:
            log.warning("Session %s was cut short and is closed with what was stored.", session.opening.id)
            on_stored()
    return refused


class _Replay:
    """One session, scored again from its chunks."""

    def __init__(self, store: Store, unfinished: UnfinishedSession, library: Library) -> None:
        self._store = store
        self._unfinished = unfinished
        self._commands = deque(unfinished.commands)
        self._rates_hz = {sensor.address: sensor.rate_hz for sensor in unfinished.sensors}
        self._placed_s: dict[str, float] = {}
        self._ended_s = 0.0
        self._hurts = Hurts()
        plan = unfinished.plan
        self._session = _session(unfinished.opening, plan, library) if plan else None

    async def report(self) -> SessionReport:
        """What was done; without repetitions where nothing says what was to be done."""
        digests = []
        for number in self._unfinished.chunks:
            data, sha256 = await self._store.chunk(self._unfinished.opening.id, number)
            digests.append(sha256)
            for piece in self._pieces(data):
                self._take(*piece)
                await asyncio.sleep(0)
        self._obey_until(math.inf)
        opening, plan = self._unfinished.opening, self._unfinished.plan
        closing: dict[str, Any] = {
            "ended_at": opening.started_at + timedelta(seconds=self._ended_s),
            "sensors": self._unfinished.sensors,
            "chunk_count": len(digests),
            "chunks_sha256": root_sha256(digests),
        }
        if self._session is None or plan is None:
            return SessionReport(
                **opening.model_dump(), **closing, repetitions=(), calibration=None, hurts=self._hurts.moments
            )
        self._session.finish()
        return self._session.report(**closing, simulated=plan.simulated)

    def _pieces(self, data: bytes) -> list[Piece]:
        """A chunk in the order in which its samples came, placed as they were by the clocks written beside them."""
        try:
            blocks = decode_chunk(data)
        except ChunkError as trouble:
            log.warning("A chunk of session %s cannot be read: %s", self._unfinished.opening.id, trouble)
            return []
        pieces = [piece for block in blocks for piece in self._cut(block)]
        return sorted(pieces, key=lambda piece: float(piece[3][-1]))

    def _cut(self, block: SensorBlock) -> Iterator[Piece]:
        samples, rate_hz = block.samples, self._rates_hz.get(block.address, 0.0)
        if not len(samples) or not rate_hz:
            return
        time_s = self._place(block)
        step = max(1, round(PIECE_S * rate_hz))
        for first in range(0, len(samples), step):
            part = slice(first, first + step)
            yield (
                Segment(block.segment),
                rate_hz,
                ImuSamples(
                    samples.sensor_time_us[part],
                    samples.acc_m_s2[part],
                    samples.gyr_rad_s[part],
                    samples.lost_before if first == 0 else 0,
                ),
                time_s[part],
            )

    def _place(self, block: SensorBlock) -> FloatArray:
        """Session time [s] of a block's samples (n,), never before those of the block before."""
        sensor_time_us = block.samples.sensor_time_us
        floor_s = self._placed_s.get(block.address, -math.inf)
        model_s = 1e-6 * (block.clock_offset_us + block.clock_rate * sensor_time_us.astype(np.float64))
        time_s = keep_forwards(model_s, sensor_time_us, floor_s)
        self._placed_s[block.address] = float(time_s[-1])
        return time_s

    def _take(self, segment: Segment, rate_hz: float, samples: ImuSamples, time_s: FloatArray) -> None:
        self._obey_until(float(time_s[0]))
        self._ended_s = max(self._ended_s, float(time_s[-1]))
        if self._session is not None:
            self._session.take(segment, rate_hz, samples, time_s)

    def _obey_until(self, time_s: float) -> None:
        while self._commands and self._commands[0].time_s <= time_s:
            given = self._commands.popleft()
            self._ended_s = max(self._ended_s, given.time_s)
            if given.command.command == "hurts":
                self._hurts.add(given.time_s, given.command.pain)
            elif given.command.command == "resume":
                self._hurts.resumed()
            if self._session is not None:
                with contextlib.suppress(GatewayError):  # what could not be done then cannot be done now
                    self._session.obey(given.command, given.time_s)


def _session(opening: SessionOpening, plan: SessionPlan, library: Library) -> ExerciseSession:
    return exercise_session(
        opening,
        plan.dose,
        plan.limit_deg,
        LiveHub(),
        guided=plan.guided,
        library=library,
        standing=plan.standing,
        worn=plan.worn,
        rest_pose_deg=plan.rest_pose_deg,
    )

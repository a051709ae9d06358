"""Writes a session down: a chunk of all sensors every ten seconds, in order, each durable before it counts.

While the disk refuses, chunks wait in memory (a 30-minute session of five sensors is about 6 MB), scoring goes on, and
`problem` says so; as soon as the disk takes them again they are written in their order.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from analytics.domain.exercise import Segment
from analytics.domain.session import SensorRecord, SessionOpening, SessionReport
from analytics.signals.chunk import SensorBlock, encode_chunk
from analytics.signals.samples import ImuSamples, Resolution
from device_gateway.clocks.clock import SensorClock
from device_gateway.errors import StoreError

from .plan import GivenCommand, SessionPlan
from .store import Store

CHUNK_S = 10.0
RETRY_S = 2.0

FAULT = "Recording met a fault in this program and is tried again; please report it."

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Chunk:
    data: bytes
    sensors: tuple[SensorRecord, ...]


Item = SessionOpening | GivenCommand | _Chunk | SessionReport


@dataclass(slots=True)
class _Run:
    """Samples of one sensor with no gap inside, on one connection's clock."""

    address: str
    segment: Segment
    resolution: Resolution
    clock: SensorClock
    parts: list[ImuSamples] = field(default_factory=list)

    def block(self) -> SensorBlock:
        offset_us, rate = self.clock.line()
        samples = ImuSamples(
            np.concatenate([part.sensor_time_us for part in self.parts]),
            np.concatenate([part.acc_m_s2 for part in self.parts]),
            np.concatenate([part.gyr_rad_s for part in self.parts]),
            self.parts[0].lost_before,
        )
        return SensorBlock(self.address, self.segment, self.resolution, offset_us, rate, samples)


class Recorder:
    """Collects samples of one session.

    `on_stored` is called when something more is on disk, `on_problem` with one sentence when the disk begins to refuse.
    `plan`, and what `sensors` tells at each chunk's end, are kept for who must close the session after a crash.
    """

    def __init__(
        self,
        opening: SessionOpening,
        store: Store,
        on_stored: Callable[[], None],
        on_problem: Callable[[str], None],
        *,
        plan: SessionPlan | None = None,
        sensors: Callable[[], Sequence[SensorRecord]] = tuple,
    ) -> None:
        self.problem: str | None = None
        self.chunks_stored = 0
        self._session_id = opening.id
        self._store = store
        self._on_stored = on_stored
        self._on_problem = on_problem
        self._plan = plan
        self._sensors = sensors
        self._runs: dict[str, list[_Run]] = {}
        self._chunk_began_s = 0.0
        self._digests: list[bytes] = []
        self._waiting: deque[Item] = deque()
        self._news = asyncio.Event()
        self._settled = asyncio.Event()
        self._queue(opening)
        self._task = asyncio.create_task(self._write(), name="recorder")

    def add(
        self,
        samples: ImuSamples,
        *,
        address: str,
        segment: Segment,
        resolution: Resolution,
        clock: SensorClock,
        now_s: float,
    ) -> None:
        """Take a run of samples at this session time; begin a new chunk when ten seconds are full."""
        runs = self._runs.setdefault(address, [])
        if not runs or samples.lost_before or runs[-1].clock is not clock:
            runs.append(_Run(address, segment, resolution, clock))
        runs[-1].parts.append(samples)
        if now_s - self._chunk_began_s >= CHUNK_S:
            self.flush()
            self._chunk_began_s = now_s

    def flush(self) -> None:
        """End the chunk that is being collected, if it holds anything."""
        blocks = [run.block() for runs in self._runs.values() for run in runs]
        self._runs.clear()
        if blocks:
            data = encode_chunk(blocks)
            self._digests.append(hashlib.sha256(data).digest())
            self._queue(_Chunk(data, tuple(self._sensors())))

    @property
    def chunk_count(self) -> int:
        return len(self._digests)

    @property
    def chunks_sha256(self) -> str:
        """Hex SHA-256 over the chunks' digests in order."""
        return hashlib.sha256(b"".join(self._digests)).hexdigest()

    @property
    def waits(self) -> bool:
        """Whether anything is not on disk yet."""
        return bool(self._waiting)

    def keep_command(self, given: GivenCommand) -> None:
        self._queue(given)

    def keep_report(self, report: SessionReport) -> None:
        """Write the report after all chunks."""
        self._queue(report)

    async def written(self) -> bool:
        """Wait until all is on disk (True), or until the disk refuses (False; it will be tried again)."""
        await self._settled.wait()
        return not self._waiting

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def _queue(self, item: Item) -> None:
        self._waiting.append(item)
        self._settled.clear()
        self._news.set()

    async def _write(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            while self._waiting:
                try:
                    await self._keep(self._waiting[0])
                except Exception as trouble:  # whatever it is, this task must live, for others wait for it
                    if not isinstance(trouble, StoreError):
                        log.exception("Recording met a fault.")
                    sentence = str(trouble) if isinstance(trouble, StoreError) else FAULT
                    if self.problem is None:
                        self._on_problem(sentence)
                    self.problem = sentence
                    self._settled.set()
                    await asyncio.sleep(RETRY_S)
                else:
                    self.problem = None
                    self._waiting.popleft()
                    self._on_stored()
            self._settled.set()

    async def _keep(self, item: Item) -> None:
        match item:
            case SessionReport():
                await self._store.keep_report(item)
            case SessionOpening():
                await self._store.keep_opening(item, self._plan)
            case GivenCommand():
                await self._store.keep_command(self._session_id, item)
            case _Chunk():
                await self._store.keep_chunk(self._session_id, self.chunks_stored, item.data, item.sensors)
                self.chunks_stored += 1

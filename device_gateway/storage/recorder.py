"""Writes a session down: a chunk of all sensors every ten seconds, in order, each durable before it counts.

A chunk also ends with the first samples of a connection, so that what comes after them can be fetched from the sensor
if this gateway dies (session/rest.py): beside each chunk stands where every stream was at its end.

While the disk refuses, chunks wait in memory (a 30-minute session of five sensors is about 6 MB), scoring goes on, and
`problem` says so; as soon as the disk takes them again they are written in their order. When the memory for that is
full too, new samples are not recorded; the next run that is says how many those were, and so does the report.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from analytics.domain.exercise import Segment
from analytics.domain.session import SensorRecord, SessionOpening, SessionReport
from analytics.signals.chunk import encode_chunk
from analytics.signals.samples import ImuSamples, Resolution
from device_gateway.conditions import Trouble
from device_gateway.errors import StoreError
from firmware_interface.driver_kit.decoder import Bookmark

from .digests import root_sha256
from .plan import GivenCommand, SessionPlan
from .runs import Line, Run
from .store import Store

CHUNK_S = 10.0
RETRY_S = 2.0
LARGEST_WAITING_BYTES = 32 * 2**20
"""Of all sessions together: about two and a half hours of five sensors at 100 Hz."""

FAULT = "Recording met a fault in this program and is tried again; please report it."
OVERFLOW = (
    "The gateway's disk takes nothing, and what waits for it fills the memory set aside for that: what is measured now "
    "is counted but not recorded. Free some space on the disk, or replace it, and leave the gateway on."
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Chunk:
    """is_whole: False where runs were left out that cannot be written."""

    data: bytes
    sensors: tuple[SensorRecord, ...]
    bookmarks: Mapping[str, Bookmark]
    is_whole: bool


Item = SessionOpening | GivenCommand | _Chunk | SessionReport


class Recorder:
    """Collects samples of one session.

    `on_stored` is called when something more is on disk, `on_problem` with one sentence when the disk begins to refuse.
    `plan`, and what `sensors` and `bookmarks` tell at each chunk's end, are kept for who must close the session after a
    crash.
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
        bookmarks: Callable[[], Mapping[str, Bookmark]] = dict,
    ) -> None:
        self.problem: str | None = None
        self.chunks_stored = 0
        self._session_id = opening.id
        self._store = store
        self._on_stored = on_stored
        self._on_problem = on_problem
        self._plan = plan
        self._sensors = sensors
        self._bookmarks = bookmarks
        self._clocks: dict[str, Line] = {}
        self._runs: dict[str, list[Run]] = {}
        self._missed: Counter[str] = Counter()
        self._unrecorded: Counter[str] = Counter()
        self._unrecorded_gaps: Counter[str] = Counter()
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
        clock: Line,
        now_s: float,
    ) -> None:
        """Take a run of samples at this session time; end the chunk when ten seconds are full, or the clock is new."""
        runs = self._runs.setdefault(address, [])
        if not runs or not runs[-1].continues_with(samples, clock):
            runs.append(Run(address, segment, resolution, clock, self._missed.pop(address, 0)))
        runs[-1].parts.append(samples)
        before, self._clocks[address] = self._clocks.get(address), clock
        if clock is not before or now_s - self._chunk_began_s >= CHUNK_S:
            self.flush()
            self._chunk_began_s = now_s

    def flush(self) -> None:
        """End the chunk that is being collected, if it holds anything."""
        runs = [run for runs in self._runs.values() for run in runs]
        self._runs.clear()
        if not runs:
            return
        data, recorded = _encode(runs)
        self._miss([run for run in runs if all(run is not other for other in recorded)], FAULT)
        if data is None:
            return
        if self._store.waiting_bytes + len(data) > LARGEST_WAITING_BYTES:
            self._miss(recorded, OVERFLOW)
            return
        self._digests.append(hashlib.sha256(data).digest())
        self._store.waiting_bytes += len(data)
        self._queue(_Chunk(data, self.records(), self._bookmarks(), is_whole=len(recorded) == len(runs)))

    def records(self) -> tuple[SensorRecord, ...]:
        """What the sensors have delivered; what of it could not be recorded counts as lost."""
        return tuple(
            record.model_copy(
                update={
                    "samples_received": max(0, record.samples_received - self._unrecorded[record.address]),
                    "samples_lost": record.samples_lost + self._unrecorded[record.address],
                    "gaps": record.gaps + self._unrecorded_gaps[record.address],
                }
            )
            for record in self._sensors()
        )

    @property
    def chunk_count(self) -> int:
        return len(self._digests)

    @property
    def chunks_sha256(self) -> str:
        """Hex SHA-256 over the chunks' digests in order."""
        return root_sha256(self._digests)

    @property
    def waits(self) -> bool:
        """Whether anything is not on disk yet."""
        return bool(self._waiting)

    @property
    def alive(self) -> bool:
        """False only where it is closed or this program is broken."""
        return not self._task.done()

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

    def _miss(self, runs: Sequence[Run], sentence: str) -> None:
        for run in runs:
            if not run.missed and not self._missed[run.address]:
                self._unrecorded_gaps[run.address] += 1
            self._missed[run.address] += run.lost_before + len(run)
            self._unrecorded[run.address] += len(run)
        if runs:
            self._store.conditions.set(Trouble.RECORDING_FAULT, sentence)

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
                    if isinstance(trouble, StoreError):  # the store has told the register
                        sentence = str(trouble)
                    else:
                        log.exception("Recording met a fault.")
                        self._store.conditions.set(Trouble.RECORDING_FAULT, FAULT)
                        sentence = FAULT
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
                self._store.conditions.clear(Trouble.RECORDING_FAULT)
            case SessionOpening():
                await self._store.keep_opening(item, self._plan)
            case GivenCommand():
                await self._store.keep_command(self._session_id, item)
            case _Chunk():
                await self._store.keep_chunk(
                    self._session_id, self.chunks_stored, item.data, item.sensors, item.bookmarks
                )
                self.chunks_stored += 1
                self._store.waiting_bytes -= len(item.data)
                if item.is_whole:
                    self._store.conditions.clear(Trouble.RECORDING_FAULT)


def _encode(runs: Sequence[Run]) -> tuple[bytes | None, Sequence[Run]]:
    """A chunk of all of these that can be written, and which those are; None where there is none."""
    try:
        return encode_chunk([run.block() for run in runs]), runs
    except Exception:  # whatever it is, it must not cost the others
        log.exception("A chunk cannot be written.")
    sound = [run for run in runs if _can_be_written(run)]
    return _encode(sound) if 0 < len(sound) < len(runs) else (None, [])


def _can_be_written(run: Run) -> bool:
    try:
        encode_chunk([run.block()])
    except Exception:
        return False
    return True

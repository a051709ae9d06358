"""Fetches what the sensors still hold of a session that its gateway's death cut short.

Their streams go on while nobody listens, and sensors that can send again what was missed keep the last of it. What they
took between the last chunk on disk and now is asked for once, before anybody else takes the sensors, and written down
behind that chunk. It is placed by the line by which the clock placed the last samples: within the minutes for which a
sensor remembers, its crystal wanders off by a few milliseconds at most.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from analytics.domain.exercise import Segment
from analytics.domain.live import Cue, CueLevel
from analytics.domain.session import SensorRecord
from analytics.signals.chunk import ChunkError, SensorBlock, decode_chunk, encode_chunk
from analytics.signals.samples import ImuSamples
from device_gateway.errors import GatewayError, StoreError
from device_gateway.links.fetching import Fetching
from device_gateway.links.radio import Central
from device_gateway.storage.recorder import RETRY_S
from device_gateway.storage.runs import Run
from device_gateway.storage.store import Store, UnfinishedSession

PATIENCE = Cue(
    code="gateway.fetching",
    text="The gateway was switched off in the middle of your last session and is fetching what the sensors still hold "
    "of it. This takes up to a minute.",
    level=CueLevel.INFO,
)
LAST_CHUNKS = 64
"""What has a bookmark has samples in one of these, or was silent for so long that it holds nothing of the session."""
SWITCHED_OFF = "The gateway is being switched off: begin when it is on again."

log = logging.getLogger(__name__)


class Rest:
    """Of the last of these sessions, for only its streams can go on.

    `fetch` once; whoever wants the sensors waits until that is `over`.
    """

    def __init__(self, store: Store, central: Central, unfinished: Sequence[UnfinishedSession]) -> None:
        self._store = store
        self._central = central
        self._unfinished = unfinished
        self._over = asyncio.Event()
        self._switched_off = False
        self._anything = central.sensors_outlive and bool(unfinished) and bool(unfinished[-1].bookmarks)
        if not self._anything:
            self._over.set()

    async def over(self, tell: Callable[[Cue], None]) -> None:
        """Wait until nothing is fetched any more; the patient is told so. Raises GatewayError at the gateway's end."""
        if not self._over.is_set():
            tell(PATIENCE)
        await self._over.wait()
        if self._switched_off:
            raise GatewayError(SWITCHED_OFF)

    def end(self) -> None:
        """The sensors are needed for this no more."""
        self._over.set()

    def switch_off(self) -> None:
        """The gateway ends: nobody needs to wait."""
        self._switched_off = True
        self._over.set()

    async def fetch(self) -> Sequence[UnfinishedSession]:
        """The same sessions, the last with what its sensors still hold."""
        if not self._anything:
            return self._unfinished
        *earlier, last = self._unfinished
        try:
            last = await self._fetch(last)
        except Exception:  # a session is closed without its rest rather than not at all
            log.exception("The rest of session %s cannot be fetched: a fault in this program.", last.opening.id)
        return [*earlier, last]

    async def _fetch(self, session: UnfinishedSession) -> UnfinishedSession:
        """On disk before the streams are stopped, so that another death meanwhile costs nothing."""
        fetched = _Fetched(self._store, session)
        for address, end in (await self._ends(session)).items():
            last_us = int(end.samples.sensor_time_us[-1])
            fetched.of[address] = end, Fetching(self._central, address, session.bookmarks[address], last_us)
        fetchings = [fetching for _, fetching in fetched.of.values()]
        running = [asyncio.create_task(fetching.run()) for fetching in fetchings]
        try:
            await asyncio.gather(*(fetching.caught_up.wait() for fetching in fetchings))
            with contextlib.suppress(StoreError):  # the disk is asked again once the sensors are free
                await fetched.keep()
            for fetching in fetchings:
                fetching.let_go()
            await asyncio.gather(*running)
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
        self.end()
        while True:
            try:
                await fetched.keep()
            except StoreError as trouble:
                log.warning("What was fetched of session %s waits for the disk: %s", session.opening.id, trouble)
                await asyncio.sleep(RETRY_S)
            else:
                return fetched.session

    async def _ends(self, session: UnfinishedSession) -> dict[str, SensorBlock]:
        """By address, the last that is on disk of each sensor whose stream can be taken up again."""
        ends: dict[str, SensorBlock] = {}
        for number in reversed(session.chunks[-LAST_CHUNKS:]):
            if ends.keys() >= session.bookmarks.keys():
                break
            data, _ = await self._store.chunk(session.opening.id, number)
            try:
                blocks = decode_chunk(data)
            except ChunkError:  # and closing the session tells
                continue
            in_chunk = {block.address: block for block in blocks if block.address in session.bookmarks}
            ends = in_chunk | ends
        return ends


class _Fetched:
    """`keep` writes down what has come of all sensors as one chunk: all of it with its count, or nothing.

    of: by address, the last run on disk, by whose clock the rest is placed, and who fetches. The rest of seven sensors
    is at most 16383 samples of each, less than a clinic takes in one chunk.
    """

    def __init__(self, store: Store, session: UnfinishedSession) -> None:
        self.session = session
        self.of: dict[str, tuple[SensorBlock, Fetching]] = {}
        self._store = store
        self._waiting: dict[str, list[ImuSamples]] = defaultdict(list)

    async def keep(self) -> None:
        """Raises StoreError, and has what was taken wait for the next time."""
        session, bookmarks = self.session, {}
        for address, (_, fetching) in self.of.items():
            self._waiting[address] += fetching.take()
            bookmarks[address] = fetching.bookmark
        runs = [run for address, (end, _) in self.of.items() for run in _runs(end, self._waiting[address])]
        if not runs:
            return
        number = max(session.chunks, default=-1) + 1
        sensors = tuple(_with(record, self._waiting[record.address]) for record in session.sensors)
        data = encode_chunk([run.block() for run in runs])
        await self._store.keep_chunk(session.opening.id, number, data, sensors, bookmarks)
        self._waiting.clear()
        self.session = replace(session, chunks=(*session.chunks, number), sensors=sensors, bookmarks=bookmarks)


def _runs(end: SensorBlock, rest: Sequence[ImuSamples]) -> list[Run]:
    line, runs = _Line(end.clock_offset_us, end.clock_rate), list[Run]()
    for samples in rest:
        if not runs or not runs[-1].continues_with(samples, line):
            runs.append(Run(end.address, Segment(end.segment), end.resolution, line))
        runs[-1].parts.append(samples)
    return runs


@dataclass(frozen=True, slots=True)
class _Line:
    offset_us: int
    rate: float

    def line(self) -> tuple[int, float]:
        return self.offset_us, self.rate


def _with(record: SensorRecord, rest: Sequence[ImuSamples]) -> SensorRecord:
    return record.model_copy(
        update={
            "samples_received": record.samples_received + sum(len(samples) for samples in rest),
            "samples_lost": record.samples_lost + sum(samples.lost_before for samples in rest),
            "gaps": record.gaps + sum(samples.lost_before > 0 for samples in rest),
            "clipped_samples": record.clipped_samples
            + sum(int(samples.clipped.sum()) for samples in rest if samples.clipped is not None),
        }
    )

"""One session as it runs in a home: its sensors' links, its record on disk, and the exercise session they feed."""

from __future__ import annotations

import asyncio
import logging
import math
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import timedelta

from analytics.domain.exercise import Segment
from analytics.domain.live import Command, Cue, CueEvent, CueLevel, SensorEvent, SessionState
from analytics.domain.session import SensorRecord, SessionReport
from analytics.signals.samples import FloatArray, ImuSamples
from device_gateway.clocks.clock import Clock
from device_gateway.clocks.sensor_clock import SensorClock
from device_gateway.conditions import Trouble
from device_gateway.errors import GatewayError
from device_gateway.links.link import SensorLink
from device_gateway.links.radio import Central
from device_gateway.links.state import LinkState
from device_gateway.live.hub import LiveHub
from device_gateway.storage.plan import GivenCommand, SessionPlan
from device_gateway.storage.recorder import Recorder
from device_gateway.storage.store import Store
from firmware_interface.driver_kit.decoder import Bookmark

from .exercise_session import ABANDONED_S, ExerciseSession
from .knock import INVITATION, KnockCheck
from .wording import HURTS

TICK_S = 0.25
"""Of the machine's time: rests and unanswered questions end by time, whether or not samples come."""
SCORING_FAULT = (  # and nobody moves on or ends a session that is not followed: it is ended like one that is abandoned
    "Counting has stopped because of a fault in this program, and nothing warns any more of a movement that goes too "
    "far; your movement is still recorded."
)

log = logging.getLogger(__name__)


class SessionRun:
    """Begins when made. `finish` ends it and gives the report, which is then on disk or waits for the disk.

    `on_over` is called once, when the conversation has come to its end by itself and `finish` is due.
    """

    def __init__(
        self,
        session: ExerciseSession,
        sensors: Mapping[str, Segment],
        *,
        central: Central,
        clock: Clock,
        store: Store,
        hub: LiveHub,
        on_stored: Callable[[], None],
        on_over: Callable[[], None],
        simulated: bool,
    ) -> None:
        self.session = session
        self.recorder = Recorder(
            session.opening,
            store,
            on_stored,
            self._warn,
            plan=SessionPlan(
                dose=session.dose,
                limit_deg=session.limit_deg,
                standing=session.care.standing,
                simulated=simulated,
                guided=session.guided,
                worn=tuple(sensors.values()),
                rest_pose_deg=session.rest_pose_deg,
            ),
            sensors=self.records,
            bookmarks=self._bookmarks,
        )
        self.links: list[SensorLink] = []
        self._sensors = sensors
        self._central = central
        self._on_over = on_over
        self._over = False
        self._clock = clock
        self._began = clock.now()
        self._hub = hub
        self._simulated = simulated
        self._scoring = True
        self._faulted_s = math.inf
        self._knock: KnockCheck | None = None
        self._knocking = False
        self._conditions = store.conditions
        self._conditions.clear(Trouble.SCORING_FAULT)
        if session.step is not SessionState.CHECKING_IN:
            self._connect()
        session.begin([link.sensor_state() for link in self.links])
        self._ticking = asyncio.create_task(self._tick(), name="session time")

    def now_s(self) -> float:
        """Session time."""
        return self._clock.now() - self._began

    def obey(self, command: Command) -> None:
        """Do what a listener asks of the running session, and have it written down."""
        time_s = self.now_s()
        if command.command == "knock":
            self._listen_for_knock(time_s)
            return
        self.recorder.keep_command(GivenCommand(time_s=time_s, command=command))
        try:
            self.session.obey(command, time_s)
        except GatewayError:
            raise
        except Exception:
            if command.command == "hurts":
                self._hub.publish(CueEvent(cue=HURTS))
            self._stop_scoring()
        finally:
            self._go_on()

    def records(self) -> list[SensorRecord]:
        """What each sensor has delivered so far."""
        offsets_ms = self._knock.offsets_ms if self._knock is not None else {}
        return [
            link.record().model_copy(update={"knock_offset_ms": offsets_ms.get(link.segment)}) for link in self.links
        ]

    def _bookmarks(self) -> dict[str, Bookmark]:
        """Of those whose streams could be taken up again."""
        bookmarks = {link.address: link.bookmark() for link in self.links}
        return {address: bookmark for address, bookmark in bookmarks.items() if bookmark is not None}

    async def finish(self) -> SessionReport:
        """Stop the streams, take in all that was sent, and close the session."""
        self._over = True
        self._ticking.cancel()
        await asyncio.gather(self._ticking, return_exceptions=True)
        await asyncio.gather(*(link.close() for link in self.links))
        duration_s = self.now_s()
        self._score(self.session.finish)
        self.recorder.flush()
        report = self.session.report(
            # The session's own clock, because the calendar may be set right in mid-session.
            ended_at=self.session.opening.started_at + timedelta(seconds=duration_s),
            sensors=self.recorder.records(),
            chunk_count=self.recorder.chunk_count,
            chunks_sha256=self.recorder.chunks_sha256,
            simulated=self._simulated,
        )
        self.recorder.keep_report(report)
        await self.recorder.written()
        return report

    def _connect(self) -> None:
        """Look for the sensors from now on."""
        groups: defaultdict[str, SensorClock] = defaultdict(SensorClock)
        self.links = [
            SensorLink(
                address,
                segment,
                central=self._central,
                now_s=self.now_s,
                on_samples=self._take,
                on_change=self._tell_sensor,
                groups=groups,
            )
            for address, segment in self._sensors.items()
        ]

    def _tell_sensor(self, link: SensorLink) -> None:
        self._hub.publish(SensorEvent(sensor=link.sensor_state()))

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self._score(lambda: self.session.tick(self.now_s()))
            self._go_on()

    def _go_on(self) -> None:
        """See to what the conversation has come to: sensors are looked for after the questions, an end ends it."""
        step = self.session.step
        if step is SessionState.FINISHED or self.now_s() - self._faulted_s >= ABANDONED_S:
            over, self._over = self._over, True
            if not over:
                self._on_over()
        elif step is not SessionState.CHECKING_IN and not self.links and not self._over:
            self._connect()
            for link in self.links:
                self._tell_sensor(link)

    def _take(self, link: SensorLink, samples: ImuSamples, time_s: FloatArray) -> None:
        assert link.stream is not None
        stream = link.stream
        self.recorder.add(
            samples,
            address=link.address,
            segment=link.segment,
            resolution=stream.resolution,
            clock=link.clock,
            now_s=self.now_s(),
        )
        if self._knocking and self._knock is not None:
            self._score(lambda: self._hear_knock(link.segment, samples, time_s))
        self._score(lambda: self.session.take(link.segment, stream.rate_hz, samples, time_s))

    def _listen_for_knock(self, time_s: float) -> None:
        streaming = tuple(link.segment for link in self.links if link.state is LinkState.STREAMING)
        if len(streaming) < 2:
            raise GatewayError("Fewer than two sensors are connected: wait until all are, and try again.")
        self._knock, self._knocking = KnockCheck(streaming, time_s), True
        self._hub.publish(CueEvent(cue=INVITATION))

    def _hear_knock(self, segment: Segment, samples: ImuSamples, time_s: FloatArray) -> None:
        assert self._knock is not None
        told = self._knock.take(segment, samples.acc_m_s2, time_s)
        if told is not None:
            self._knocking = False
            self._hub.publish(CueEvent(cue=told))

    def _score(self, step: Callable[[], None]) -> None:
        """Samples are on their way to disk before scoring sees them, and a fault in scoring must not stop that."""
        if not self._scoring:
            return
        try:
            step()
        except Exception:
            self._stop_scoring()

    def _stop_scoring(self) -> None:
        """Of the exception that is being handled; a listener's command is answered by this sentence too."""
        self._scoring, self._faulted_s = False, self.now_s()
        log.exception("Live scoring has stopped.")
        self._conditions.set(Trouble.SCORING_FAULT, SCORING_FAULT)
        self._warn(SCORING_FAULT)

    def _warn(self, sentence: str) -> None:
        log.warning("%s", sentence)
        self._hub.publish(CueEvent(cue=Cue(code="gateway.problem", text=sentence, level=CueLevel.WARN)))

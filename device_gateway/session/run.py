"""One session as it runs in a home: its sensors' links, its record on disk, and the exercise session they feed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import timedelta

from analytics.domain.exercise import Segment
from analytics.domain.live import Command, Cue, CueEvent, CueLevel, SensorEvent
from analytics.domain.session import SessionReport
from analytics.signals.samples import FloatArray, ImuSamples
from device_gateway.clocks.clock import Clock
from device_gateway.links.link import SensorLink
from device_gateway.links.radio import Central
from device_gateway.live.hub import LiveHub
from device_gateway.storage.plan import GivenCommand, SessionPlan
from device_gateway.storage.recorder import Recorder
from device_gateway.storage.store import Store

from .exercise_session import ExerciseSession

log = logging.getLogger(__name__)


class SessionRun:
    """Begins when made. `finish` ends it and gives the report, which is then on disk or waits for the disk."""

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
        simulated: bool,
    ) -> None:
        self.session = session
        self.recorder = Recorder(
            session.opening,
            store,
            on_stored,
            self._warn,
            plan=SessionPlan(dose=session.dose, limit_deg=session.limit_deg, simulated=simulated),
            sensors=lambda: [link.record() for link in self.links],
        )
        self._clock = clock
        self._began = clock.now()
        self._hub = hub
        self._simulated = simulated
        self._scoring = True
        self.links = [
            SensorLink(
                address,
                segment,
                central=central,
                now_s=self.now_s,
                on_samples=self._take,
                on_change=lambda link: hub.publish(SensorEvent(sensor=link.sensor_state())),
            )
            for address, segment in sensors.items()
        ]
        session.begin([link.sensor_state() for link in self.links])

    def now_s(self) -> float:
        """Session time."""
        return self._clock.now() - self._began

    def obey(self, command: Command) -> None:
        """Do what a listener asks of the running session, and have it written down."""
        time_s = self.now_s()
        self.recorder.keep_command(GivenCommand(time_s=time_s, command=command))
        self.session.obey(command, time_s)

    async def finish(self) -> SessionReport:
        """Stop the streams, take in all that was sent, and close the session."""
        await asyncio.gather(*(link.close() for link in self.links))
        duration_s = self.now_s()
        self._score(self.session.finish)
        self.recorder.flush()
        report = self.session.report(
            # The session's own clock, because the calendar may be set right in mid-session.
            ended_at=self.session.opening.started_at + timedelta(seconds=duration_s),
            sensors=[link.record() for link in self.links],
            chunk_count=self.recorder.chunk_count,
            chunks_sha256=self.recorder.chunks_sha256,
            simulated=self._simulated,
        )
        self.recorder.keep_report(report)
        await self.recorder.written()
        return report

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
        self._score(lambda: self.session.take(link.segment, stream.rate_hz, samples, time_s))

    def _score(self, step: Callable[[], None]) -> None:
        """Samples are on their way to disk before scoring sees them, and a fault in scoring must not stop that."""
        if not self._scoring:
            return
        try:
            step()
        except Exception:
            self._scoring = False
            log.exception("Live scoring has stopped.")
            self._warn("Counting has stopped because of a fault in this program; your movement is still recorded.")

    def _warn(self, sentence: str) -> None:
        log.warning("%s", sentence)
        self._hub.publish(CueEvent(cue=Cue(code="gateway.problem", text=sentence, level=CueLevel.WARN)))

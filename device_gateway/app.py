"""The gateway itself: who it is, what it serves, and the one session that may run at a time."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import AsyncIterator, Awaitable, Mapping
from typing import Any

from analytics.domain.exercise import Segment
from analytics.domain.live import Command, ConditionsEvent, Cue, CueEvent, CueLevel, SessionState
from analytics.domain.program import Assignment
from analytics.domain.session import SessionOpening, SessionReport

from .clocks import calendar
from .clocks.clock import Clock
from .conditions import Conditions
from .errors import GatewayError
from .links import worn
from .links.assigning import Assigning
from .links.radio import Central, Radio
from .links.synchronising import Synchronising
from .live.control import Control
from .live.hub import LiveHub
from .live.service import LocalService
from .operations.status import GatewayStatus, with_state
from .operations.stored import days_left, stored_of
from .operations.watchdog import first_dead
from .session.replay import close_unfinished
from .session.rest import Rest
from .session.sessions import Sessions
from .session.terminal import Terminal
from .settings import GatewaySettings
from .storage.retention import Retention
from .storage.store import Store
from .uplink.assignments import Assignments
from .uplink.clinic import Clinic, Presence
from .uplink.dates import Dates
from .uplink.identity import Credentials
from .uplink.live_view import LiveView
from .uplink.logs import HealthLog
from .uplink.releases import Releases
from .uplink.uplink import Uplink
from .uplink.wire import Wire

NOBODY_EXERCISES = {SessionState.IDLE, SessionState.CHOOSING, SessionState.FINISHED}

log = logging.getLogger(__name__)


class Gateway:
    """`start`, then sessions by `start_session` and `finish_session` or by a listener's commands, then `close`.

    radio: None for this computer's own Bluetooth. clock: how fast time runs, for replays. sensors: Bluetooth address to
    body segment. Every refusal is a GatewayError with one sentence that says what to do.
    """

    def __init__(
        self,
        settings: GatewaySettings,
        *,
        sensors: Mapping[str, Segment],
        radio: Radio | None = None,
        clock: Clock | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self.hub = LiveHub()
        self.conditions = Conditions(lambda now: self.hub.publish(ConditionsEvent(conditions=now)))
        self.control = Control(settings.home)
        self._began_s = time.monotonic()
        self._settings = settings
        self._sensors = {address.upper(): segment for address, segment in sensors.items()}
        self._clock = clock or Clock()
        self._rng = rng or random.Random()  # noqa: S311 - jitter, not a secret
        self._central = Central(radio, conditions=self.conditions, slots=settings.adapter_slots)
        self._assigning = Assigning(
            self._sensors,
            central=self._central,
            busy=lambda: self.hub.snapshot.state not in NOBODY_EXERCISES,
            keep=self._keep_sensors,
            tell=lambda cue: self.hub.publish(CueEvent(cue=cue)),
        )
        self._synchronising = Synchronising(
            self._sensors,
            central=self._central,
            busy=lambda: self.hub.snapshot.state not in NOBODY_EXERCISES,
            tell=lambda cue: self.hub.publish(CueEvent(cue=cue)),
        )
        self._taking = asyncio.Lock()
        self._wire = Wire(settings.server_url)
        self._store: Store | None = None
        self._local: LocalService | None = None
        self._uplink: Uplink | None = None
        self._live_view: LiveView | None = None
        self._refreshing: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._dating: asyncio.Task[None] | None = None
        self._uploading: asyncio.Task[None] | None = None
        self._retention: Retention | None = None
        self._releases: Releases | None = None
        self._making_room: asyncio.Task[None] | None = None
        self._closing_unfinished: asyncio.Task[None] | None = None
        self._sessions: Sessions | None = None
        self._rest: Rest | None = None

    @property
    def live_url(self) -> str:
        """Where phones listen; empty while the port cannot be had."""
        return self._local.url if self._local is not None else ""

    @property
    def live_token(self) -> str:
        """What lets in a phone that is signed in at the clinic."""
        return self._local.phones.clinic_token if self._local is not None else ""

    @property
    def certificate_sha256(self) -> str:
        return self._local.certificate_sha256 if self._local is not None else ""

    async def start(self) -> None:
        """Open the store, watch Bluetooth, listen, claim if need be, and begin to upload what waits."""
        try:
            await self._start()
        except BaseException:
            await self.close()
            raise

    async def _start(self) -> None:
        settings = self._settings
        store = self._store = await Store.open(settings.home, self.conditions)
        self._retention = Retention.of(settings, store, self.conditions)
        self._making_room = asyncio.create_task(self._retention.run(), name="retention")
        worn.recall(self._sensors, await store.setting(worn.SETTING))
        cut_short = await store.unfinished()
        self._rest = Rest(store, self._central, cut_short)
        releases = self._releases = Releases(store, self.conditions)
        await releases.load()
        self._watching = asyncio.create_task(self._central.watch(), name="bluetooth")
        watch = calendar.CalendarWatch(self.conditions, await store.setting(calendar.SETTING))
        dating = calendar.watch_calendar(self._clock, watch, self._keep_confirmed)
        self._dating = asyncio.create_task(dating, name="calendar")
        self._local = LocalService(
            settings, store, self.hub, self.conditions, self.obey, now=self._clock.utc, on_change=self._announce
        )
        self._local.offer(self.control)
        self.control.offer("status", self._tell_status)
        self.control.offer("exercise", Terminal(self.hub, self._try).answer)
        await self._local.start()
        await self.control.start()
        credentials = Credentials(
            self._wire, store, self.conditions, name=settings.name, claim_code=settings.claim_code
        )
        await credentials.start(settings.home)
        clinic = Clinic(self._wire, credentials)
        self._uplink = Uplink(
            store,
            clinic,
            presence=self._presence(),
            rng=self._rng,
            conditions=self.conditions,
            dates=Dates(store, self.conditions, confirm=watch.confirm),
            health=HealthLog(store, self.conditions, settings.home),
        )
        self._live_view = LiveView(self.hub, settings.server_url, clinic.token, self._rng)
        self._sessions = Sessions(
            self._sensors,
            central=self._central,
            clock=self._clock,
            store=store,
            hub=self.hub,
            assignment=Assignments(store, clinic, self.conditions, releases.exercise, releases.know).current,
            on_stored=self._uplink.wake,
            simulated=settings.simulated,
            library=releases,
            on_begin=self._show,
        )
        self._refreshing = asyncio.create_task(releases.run(clinic), name="releases")
        self._uploading = asyncio.create_task(self._uplink.run(), name="uplink")
        closing = close_unfinished(
            store, cut_short, self._uplink.wake, releases, rest=self._rest,
            on_said=self._sessions.remember_said, on_report=self._sessions.remember_report,
        )  # fmt: skip
        self._closing_unfinished = asyncio.create_task(closing)

    async def start_session(self) -> SessionOpening:
        """Begin the first exercise of the patient's program; sensors are looked for from now on."""
        async with self._handing_over():
            return await self._known_sessions().start()

    async def finish_session(self) -> SessionReport:
        """End the session: streams are stopped, every packet on its way is taken in, the report is made and stored."""
        return await self._known_sessions().finish()

    async def drain(self, timeout_s: float) -> bool:
        """Wait until all that was recorded is on disk and at the clinic; False when it is not within the time."""
        if self._uplink is None or self._closing_unfinished is None:
            return False
        _, unfinished = await asyncio.wait([self._closing_unfinished], timeout=timeout_s)
        return not unfinished and await self._uplink.drain(timeout_s)

    async def problems(self) -> list[str]:
        """What is not well now, one sentence each."""
        found = self._sessions.problems() if self._sessions is not None else []
        if self._uplink is not None and self._uplink.problem:
            found.append(self._uplink.problem)
        if self._store is not None:
            found += [upload.problem for upload in await self._store.uploads() if upload.problem]
        return found

    async def status(self) -> GatewayStatus:
        """How it is now, for `sinew gateway status`, /healthz and /metrics."""
        return GatewayStatus(
            server_url=self._settings.server_url,
            now=self._clock.utc(),
            running_s=time.monotonic() - self._began_s,
            session=self.hub.snapshot.state,
            sensors=with_state(self._sensors.values(), self.hub.snapshot.sensors),
            records=self._sessions.records() if self._sessions is not None else (),
            listeners=self.hub.listeners,
            versions=self._releases.versions() if self._releases is not None else {},
            stored=await stored_of(self._store, self._settings.home),
            days_left=await days_left(self._retention),
            conditions=self.conditions.now(),
        )

    async def _tell_status(self, _: object) -> dict[str, Any]:
        return (await self.status()).model_dump(mode="json")

    async def pulse(self) -> str | None:
        """What of it is dead although it should live as long as the gateway does, or None; the watchdog asks."""
        tasks = {
            "the uplink": self._uploading,
            "the watch over Bluetooth": self._watching,
            "the watch over the disk": self._making_room,
        }
        alive = {name: task is not None and not task.done() for name, task in tasks.items()}
        return await first_dead(self._store, {"the recorder": self._known_sessions().alive, **alive})

    async def obey(self, command: Command) -> None:
        """Do what a listener asks. What cannot be done is answered with a cue that says why."""
        await self._try(command)

    async def _try(self, command: Command) -> str | None:
        """The sentence of what cannot be done."""
        try:
            sessions = self._known_sessions()
            if command.command == "stop" and await self._let_go():
                return None
            if command.command not in ("assign", "synchronise", "start"):
                await sessions.obey(command)
                return None
            async with self._handing_over():
                if command.command == "assign":
                    await self._assigning.begin(command)
                elif command.command == "synchronise":
                    await self._synchronising.begin()
                else:
                    await sessions.obey(command)
        except GatewayError as trouble:
            cue = Cue(code="gateway.refused", text=str(trouble), level=CueLevel.WARN)
            self.hub.publish(CueEvent(cue=cue))
            return str(trouble)
        return None

    async def close(self) -> None:
        """Finish the session if one runs, and stop. What is not uploaded yet goes up after the next start."""
        if self._rest is not None:
            self._rest.switch_off()
        if self._sessions is not None:
            await _ended(self._sessions.finish_if_running())
        if self._local is not None:
            await _ended(self.control.close())
            await _ended(self._local.close())
        await _ended(self._let_go())
        if self._sessions is not None:
            await _ended(self._sessions.close())  # a last command may have begun another session
        if self._live_view is not None:
            await _ended(self._live_view.close())
        watches = (self._watching, self._dating, self._making_room)
        running = (self._closing_unfinished, self._uploading, self._refreshing, *watches)
        tasks = [task for task in running if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._wire.close()
        if self._store is not None:
            await self._store.close()
            self._store = None

    def _presence(self) -> Presence | None:
        """What the clinic hands on to the patient's phone; None while no phone could come."""
        local = self._local
        if local is None or not local.url:
            return None
        return Presence(
            live_url=local.url,
            certificate_sha256=local.certificate_sha256,
            live_token=local.phones.clinic_token,
            pairing_code=local.codes.clinic,
        )

    @contextlib.asynccontextmanager
    async def _handing_over(self) -> AsyncIterator[None]:
        """To whoever takes the sensors in this; nobody else holds them then, or begins to before it is done."""
        async with self._taking:
            if self._rest is not None:
                await self._rest.over(lambda cue: self.hub.publish(CueEvent(cue=cue)))
            await self._let_go()
            yield

    async def _let_go(self) -> bool:
        """Whether anybody held the sensors but a session."""
        return await self._assigning.stop() | await self._synchronising.stop()

    async def _keep_sensors(self, sensors: str) -> None:
        if self._store is not None:
            await self._store.keep_settings(**{worn.SETTING: sensors})

    async def _keep_confirmed(self, at: str) -> None:
        if self._store is not None:
            await self._store.keep_settings(**{calendar.SETTING: at})

    def _show(self, assignment: Assignment) -> None:
        if assignment.live_view and self._live_view is not None:
            self._live_view.begin()

    def _announce(self) -> None:
        if self._uplink is not None:
            self._uplink.announce(self._presence())

    def _known_sessions(self) -> Sessions:
        if self._sessions is None:
            raise GatewayError("The gateway has not been started.")
        return self._sessions


async def _ended(ending: Awaitable[object]) -> None:
    """A part that cannot be ended in order must not keep the others, and what the store still writes, from it."""
    try:
        await ending
    except Exception:
        log.exception("A part of the gateway could not be ended in order.")

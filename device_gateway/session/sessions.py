"""Sessions, one at a time: chosen, begun, obeyed and finished; their recorders are kept while the disk refuses."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime

from analytics.domain.check_in import CheckIn
from analytics.domain.exercise import Segment
from analytics.domain.live import Command, SessionState, Snapshot, StateEvent
from analytics.domain.program import Assignment
from analytics.domain.session import SensorRecord, SessionOpening, SessionReport
from analytics.safety.rules import load_rules
from analytics.safety.session import refuses
from device_gateway.clocks.clock import Clock
from device_gateway.errors import GatewayError, StoreError
from device_gateway.links.radio import Central
from device_gateway.live.hub import LiveHub
from device_gateway.storage.recorder import Recorder
from device_gateway.storage.store import Store

from .choosing import choices, chosen, day_of_restrictions, prepare
from .conversation import Cause, Conversation
from .earlier import SETTLE, EarlierSessions
from .library import SHIPPED, Library
from .run import SessionRun

RUNNING = "A session is running already: stop it before you start another."
NOT_RUNNING = "No session is running: start one first."
NOT_CLOSED = (
    "The session met a fault in this program and its report could not be made: what was recorded is kept, and it is "
    "closed when the gateway starts again."
)

log = logging.getLogger(__name__)


class Sessions:
    """`assignment` gives what is to be done.

    `on_stored` is called whenever more is on disk, `on_begin` when a session has begun.
    """

    def __init__(
        self,
        sensors: Mapping[str, Segment],
        *,
        central: Central,
        clock: Clock,
        store: Store,
        hub: LiveHub,
        assignment: Callable[[], Awaitable[Assignment]],
        on_stored: Callable[[], None],
        simulated: bool,
        library: Library = SHIPPED,
        on_begin: Callable[[Assignment], None] = lambda _: None,
    ) -> None:
        self._sensors = sensors
        self._central = central
        self._clock = clock
        self._store = store
        self._hub = hub
        self._assignment = assignment
        self._on_stored = on_stored
        self._simulated = simulated
        self._library = library
        self._on_begin = on_begin
        self._talk = Conversation()
        self._earlier: EarlierSessions | None = None
        self._news: list[Callable[[EarlierSessions], EarlierSessions]] = []
        self._run: SessionRun | None = None
        self._recorders: list[Recorder] = []
        self._last: SessionReport | GatewayError | None = None
        self._ending: asyncio.Task[None] | None = None
        self._changing = asyncio.Lock()

    async def obey(self, command: Command) -> None:
        """Do what a listener asks. Raises GatewayError, saying why, where it cannot be done."""
        if command.command == "check_in" and command.check_in is not None:
            await self.remember_answers(command.check_in, self._clock.utc())
        match command.command:
            case "choose":
                await self.choose()
            case "start":
                await self.start(command)
            case "stop" if self._talk.step is SessionState.CHOOSING:
                self._talk.advance(Cause.STOP)
                self._hub.publish(Snapshot(state=self._talk.step))
            case "stop":
                await self.finish()
            case _ if self._run is None:
                raise GatewayError(NOT_RUNNING)
            case _:
                self._run.obey(command)

    async def choose(self) -> None:
        """Tell listeners what there is to do today; whoever asks is then also asked before the exercise."""
        async with self._changing:
            if self._run is not None:
                raise GatewayError(RUNNING)
            program, earlier = (await self._assignment()).program, await self._earlier_sessions()
            self._talk.advance(Cause.CHOOSE)
            today = self._today()
            found = choices(program, earlier, today, self._library, self._restricted_on(today))
            self._hub.publish(Snapshot(state=self._talk.step, choices=found))

    async def start(self, command: Command | None = None) -> SessionOpening:
        """Begin an exercise of the patient's program, by default the first that is not done today.

        Who has chosen before, or answers the questions now, is led through; otherwise it begins at once, unless
        something that was told before speaks against it. Answers are remembered before anything can fail.
        """
        command = command or Command(command="start")
        async with self._changing:
            now, today = self._clock.utc(), self._today()
            if command.check_in is not None:
                await self.remember_answers(command.check_in, now)
            if self._run is not None:
                raise GatewayError(RUNNING)
            standing = (await self._earlier_sessions()).standing(today, load_rules())
            guided = self._talk.step is SessionState.CHOOSING or command.check_in is not None
            if not guided and standing.advice is not None:
                then = f" {SETTLE}" if standing.flag else ""
                raise GatewayError(f"{standing.advice.reason}{then}")
            try:
                assignment = await self._assignment()
                earlier = await self._earlier_sessions()
                asked = chosen(assignment.program, command, earlier, today, self._library)
                session = prepare(
                    assignment,
                    asked,
                    self._sensors,
                    last_up=earlier.last_up(self._sensors, asked.exercise),
                    started_at=now,
                    hub=self._hub,
                    simulated=self._simulated,
                    library=self._library,
                    guided=guided,
                    restricted_on=self._restricted_on(today),
                    standing=standing,
                    refused=command.check_in is not None and refuses(command.check_in, load_rules()),
                )
            except GatewayError as trouble:
                if standing.advice is None:
                    raise
                raise GatewayError(standing.advice.reason) from trouble  # what counts more than why it cannot begin
            await self._let_go_of_recorders()
            self._talk.advance(Cause.START)
            self._talk = Conversation()  # the session has its own from here on
            self._last = None
            run = self._run = SessionRun(
                session,
                self._sensors,
                central=self._central,
                clock=self._clock,
                store=self._store,
                hub=self._hub,
                on_stored=self._on_stored,
                on_over=self._end,
                simulated=self._simulated,
            )
            self._recorders.append(run.recorder)
            self._on_begin(assignment)
            if command.check_in is not None:
                run.obey(Command(command="check_in", check_in=command.check_in))
            return session.opening

    async def finish(self) -> SessionReport:
        """End the session: streams are stopped, every packet on its way is taken in, the report is made and stored."""
        async with self._changing:
            if self._run is None:
                if isinstance(self._last, SessionReport):
                    return self._last
                raise self._last or GatewayError(NOT_RUNNING)
            try:
                report = await self._run.finish()
            except Exception as fault:
                log.exception("A session could not be closed.")
                self._hub.publish(StateEvent(state=SessionState.FINISHED))
                self._last = GatewayError(NOT_CLOSED)
                raise self._last from fault
            finally:
                self._run = None
            await self.remember_report(report)
            self._last = report
            return report

    async def finish_if_running(self) -> None:
        """A session that cannot be finished is told and logged where that is found; nobody else is kept from it."""
        async with self._changing:
            running = self._run is not None
        if running:
            with contextlib.suppress(GatewayError):
                await self.finish()

    @property
    def alive(self) -> bool:
        """Whether everything that is recorded finds its way to the disk as far as this program goes."""
        return all(recorder.alive for recorder in self._recorders)

    def records(self) -> tuple[SensorRecord, ...]:
        """What each sensor of the running session has delivered so far."""
        return tuple(self._run.records()) if self._run is not None else ()

    def problems(self) -> list[str]:
        """What the disk says of the sessions so far, one sentence each."""
        return [recorder.problem for recorder in self._recorders if recorder.problem]

    async def close(self) -> None:
        """Finish the session if one runs, and stop writing."""
        await self.finish_if_running()
        if self._ending is not None:
            await self._ending
        for recorder in self._recorders:
            await recorder.close()

    def _end(self) -> None:
        """A session that has come to its end by itself is finished like one that is stopped."""
        self._ending = asyncio.create_task(self.finish_if_running(), name="session's end")

    async def _earlier_sessions(self) -> EarlierSessions:
        if self._earlier is None:
            kept = await self._store.setting("earlier_sessions")
            if self._earlier is None:  # still: two may have waited for it
                self._earlier = EarlierSessions.model_validate_json(kept) if kept else EarlierSessions()
        news, self._news = self._news, []
        for change in news:
            self._earlier = change(self._earlier)
        self._earlier = self._earlier.dated(self._today())
        return self._earlier

    async def remember_answers(self, check_in: CheckIn, at: datetime) -> None:
        """What a patient answered, also of a session that cannot begin or whose gateway died."""
        today = self._today()
        await self._remember(lambda earlier: earlier.answered(check_in, at, load_rules(), today))

    async def remember_said(self, said: Command, at: datetime) -> None:
        """What a patient said in a session whose gateway died: it counts before that session can be closed.

        It may be older than what is known, so that it adds to what stands and clears nothing.
        """
        if said.check_in is not None:
            flags = said.check_in.red_flags or None
            await self.remember_answers(said.check_in.model_copy(update={"red_flags": flags}), at)
        if said.command == "hurts" and said.pain is not None:
            pain, today = said.pain, self._today()
            await self._remember(lambda earlier: earlier.hurt(pain, at, load_rules(), today))

    async def remember_report(self, report: SessionReport) -> None:
        today = self._today()
        await self._remember(lambda earlier: earlier.and_then(report, today))

    async def _remember(self, change: Callable[[EarlierSessions], EarlierSessions]) -> None:
        """A disk that refuses this refuses the report too, and says so there; it is known until the gateway ends."""
        self._news.append(change)
        with contextlib.suppress(StoreError):
            earlier = await self._earlier_sessions()
            await self._store.keep_settings(earlier_sessions=earlier.model_dump_json())

    def _today(self) -> date:
        return self._clock.utc().astimezone().date()

    def _restricted_on(self, today: date) -> date:
        return day_of_restrictions(today, self._store.conditions)

    async def _let_go_of_recorders(self) -> None:
        """Of the sessions before: a recorder stays only while it still waits for the disk."""
        done = [recorder for recorder in self._recorders if not recorder.waits]
        self._recorders = [recorder for recorder in self._recorders if recorder.waits]
        for recorder in done:
            await recorder.close()

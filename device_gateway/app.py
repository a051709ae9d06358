"""The gateway itself: who it is, what it serves, and the one session that may run at a time."""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
import socket
from collections.abc import Callable, Mapping

from analytics.domain.base import uuid7
from analytics.domain.exercise import Segment
from analytics.domain.live import Command, ConditionsEvent, Cue, CueEvent, CueLevel
from analytics.domain.program import Assignment
from analytics.domain.session import SessionOpening, SessionReport
from analytics.exercises.catalogue import UnknownExercise, exercise
from analytics.safety.envelope import restricted_to
from analytics.safety.today import dose_today

from .clocks.clock import Clock
from .conditions import Conditions
from .errors import GatewayError, RefusedError
from .links.radio import Central, Radio
from .live.api import PATH, LocalApi
from .live.certificate import load_or_make
from .live.hub import LiveHub
from .session.exercise_session import ExerciseSession
from .session.replay import close_unfinished
from .session.run import SessionRun
from .session.scoring import exercise_session
from .settings import GatewaySettings
from .storage.recorder import Recorder
from .storage.store import Store
from .uplink.clinic import Clinic, Identity, Presence
from .uplink.uplink import Uplink

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
        self.live_url = ""
        self.live_token = ""
        self.certificate_sha256 = ""
        self._settings = settings
        self._sensors = {address.upper(): segment for address, segment in sensors.items()}
        self._clock = clock or Clock()
        self._rng = rng or random.Random()  # noqa: S311 - jitter, not a secret
        self._central = Central(radio)
        self._clinic = Clinic(settings.server_url)
        self._store: Store | None = None
        self._api: LocalApi | None = None
        self._uplink: Uplink | None = None
        self._uploading: asyncio.Task[None] | None = None
        self._closing_unfinished: asyncio.Task[None] | None = None
        self._run: SessionRun | None = None
        self._recorders: list[Recorder] = []
        self._finished: asyncio.Future[SessionReport] | None = None
        self._changing = asyncio.Lock()

    async def start(self) -> None:
        """Open the store, check Bluetooth, listen, claim if need be, and begin to upload what waits."""
        try:
            await self._start()
        except BaseException:
            await self.close()
            raise

    async def _start(self) -> None:
        settings = self._settings
        store = self._store = await Store.open(settings.home)
        cut_short = await store.unfinished()
        certificate = load_or_make(settings.home, self._clock.utc())
        await self._central.check()
        self.live_token = await store.setting("live_token") or await _new_token(store)
        self._api = LocalApi(self.hub, self.live_token, self.obey)
        port = await self._api.start(settings.host, settings.port, certificate.context)
        self.live_url = f"wss://{settings.advertised_host or _reachable_host(settings.host)}:{port}{PATH}"
        self.certificate_sha256 = certificate.certificate_sha256
        self._clinic.token = (await self._identify(store)).token
        presence = Presence(
            live_url=self.live_url, certificate_sha256=self.certificate_sha256, live_token=self.live_token
        )
        self._uplink = Uplink(store, self._clinic, presence, self._rng)
        self._uploading = asyncio.create_task(self._uplink.run(), name="uplink")
        self._closing_unfinished = asyncio.create_task(close_unfinished(store, cut_short, self._uplink.wake))

    async def run(self, on_started: Callable[[], None] = lambda: None) -> None:
        """Serve listeners' commands until cancelled; `on_started` is called once it is known where they listen."""
        await self.start()
        try:
            on_started()
            await asyncio.Event().wait()
        finally:
            await self.close()

    async def run_session(self) -> SessionReport:
        """One session, until a listener says stop or `finish_session` is called elsewhere."""
        await self.start_session()
        assert self._finished is not None
        return await asyncio.shield(self._finished)

    async def start_session(self) -> SessionOpening:
        """Begin the first exercise of the patient's program; sensors are looked for from now on."""
        async with self._changing:
            if self._run is not None:
                raise GatewayError("A session is running already: stop it before you start another.")
            if self._store is None or self._uplink is None:
                raise GatewayError("The gateway has not been started.")
            assignment = await self._uplink.assignment()
            session = self._prepare(assignment)
            await self._let_go_of_recorders()
            self._finished = asyncio.get_running_loop().create_future()
            self._run = SessionRun(
                session,
                self._sensors,
                central=self._central,
                clock=self._clock,
                store=self._store,
                hub=self.hub,
                on_stored=self._uplink.wake,
                simulated=self._settings.simulated,
            )
            self._recorders.append(self._run.recorder)
            return session.opening

    async def finish_session(self) -> SessionReport:
        """End the session: streams are stopped, every packet on its way is taken in, the report is made and stored."""
        async with self._changing:
            if self._run is None:
                if self._finished is not None and self._finished.done():
                    return self._finished.result()
                raise GatewayError("No session is running: start one first.")
            report = await self._run.finish()
            self._run = None
            if self._finished is not None:
                self._finished.set_result(report)
            return report

    async def drain(self, timeout_s: float) -> bool:
        """Wait until all that was recorded is on disk and at the clinic; False when it is not within the time."""
        if self._uplink is None or self._closing_unfinished is None:
            return False
        _, unfinished = await asyncio.wait([self._closing_unfinished], timeout=timeout_s)
        return not unfinished and await self._uplink.drain(timeout_s)

    async def problems(self) -> list[str]:
        """What is not well now, one sentence each."""
        found = [recorder.problem for recorder in self._recorders if recorder.problem]
        if self._uplink is not None and self._uplink.problem:
            found.append(self._uplink.problem)
        if self._store is not None:
            found += [upload.problem for upload in await self._store.uploads() if upload.problem]
        return found

    async def obey(self, command: Command) -> None:
        """Do what a listener asks. What cannot be done is answered with a cue that says why."""
        try:
            await self._obey(command)
        except GatewayError as trouble:
            cue = Cue(code="gateway.refused", text=str(trouble), level=CueLevel.WARN)
            self.hub.publish(CueEvent(cue=cue))

    async def close(self) -> None:
        """Finish the session if one runs, and stop. What is not uploaded yet goes up after the next start."""
        await self._finish_if_running()
        if self._api is not None:
            await self._api.close()
            await self._finish_if_running()  # a last command may have begun another
        tasks = [task for task in (self._closing_unfinished, self._uploading) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for recorder in self._recorders:
            await recorder.close()
        await self._clinic.close()
        if self._store is not None:
            await self._store.close()
            self._store = None

    async def _let_go_of_recorders(self) -> None:
        """Of the sessions before: a recorder stays only while it still waits for the disk."""
        done = [recorder for recorder in self._recorders if not recorder.waits]
        self._recorders = [recorder for recorder in self._recorders if recorder.waits]
        for recorder in done:
            await recorder.close()

    async def _finish_if_running(self) -> None:
        async with self._changing:
            running = self._run is not None
        if running:
            await self.finish_session()

    async def _obey(self, command: Command) -> None:
        match command.command:
            case "start":
                await self.start_session()
            case "stop":
                await self.finish_session()
            case _ if self._run is None:
                raise GatewayError("No session is running: start one first.")
            case _:
                self._run.obey(command)

    async def _identify(self, store: Store) -> Identity:
        """Who this gateway is: what the home holds, else what the clinic says to the claim code."""
        kept = await store.setting("identity")
        if kept is not None:
            server_url = await store.setting("server_url")
            if server_url != self._clinic.url:
                raise GatewayError(
                    f"{self._settings.home} belongs to a gateway of {server_url}: give that address with --server, "
                    "or another folder with --home."
                )
            return Identity.model_validate_json(kept)
        code = self._settings.claim_code
        if not code:
            raise GatewayError(
                "This gateway belongs to no patient yet: make a claim code on the clinic's Gateways page, and "
                "start the gateway with --claim CODE."
            )
        try:
            identity = await self._clinic.claim(code, self._settings.name)
        except RefusedError as refusal:
            raise GatewayError(
                f"The clinic does not accept the claim code {code}: make a new one on its Gateways page. ({refusal})"
            ) from refusal
        await store.keep_settings(identity=identity.model_dump_json(), server_url=self._clinic.url)
        return identity

    def _prepare(self, assignment: Assignment) -> ExerciseSession:
        prescription = assignment.program.prescriptions[0]
        try:
            prescribed = exercise(prescription.exercise)
        except UnknownExercise as unknown:
            raise GatewayError(f"The program asks for what this gateway cannot do: {unknown} Update it.") from unknown
        needed = [prescribed.proximal_segment(prescription.side), prescribed.distal_segment(prescription.side)]
        missing = [segment for segment in needed if segment not in self._sensors.values()]
        if missing:
            option = f"--side {prescription.side}" if self._settings.simulated else f"--sensor ADDRESS={missing[0]}"
            raise GatewayError(
                f"{prescribed.name} needs a sensor on the {' and the '.join(missing).replace('_', ' ')}: start the "
                f"gateway with {option}."
            )
        opening = SessionOpening(
            id=uuid7(),
            patient_id=assignment.patient_id,
            program_version=assignment.program.version,
            exercise=prescribed.code,
            side=prescription.side,
            started_at=self._clock.utc(),
        )
        today = opening.started_at.astimezone().date()  # the patient's day, as on the phone
        limit_deg = restricted_to(prescription, assignment.program.restrictions, today)
        dose = dose_today(prescription, assignment.program.restrictions, today)
        return exercise_session(opening, dose, limit_deg, self.hub)


async def _new_token(store: Store) -> str:
    token = secrets.token_urlsafe(32)
    await store.keep_settings(live_token=token)
    return token


def _reachable_host(host: str) -> str:
    """The address others reach this computer by, where it listens on all of them."""
    if host not in {"0.0.0.0", "::"}:  # noqa: S104 - compared with, not bound to
        return host
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(
                ("192.0.2.1", 9)
            )  # asks the routing table (RFC 5737 address); a datagram socket sends nothing
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])

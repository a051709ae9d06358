"""A real clinic on a real port, the real local API of a gateway, and a window to tap on."""

from __future__ import annotations

import asyncio
import atexit
import json
import shutil
import socket
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn
from fastapi import FastAPI

from mobile_app.environment import open_window, prepare

_kivy_home = Path(tempfile.mkdtemp(prefix="sinew-kivy-"))
atexit.register(shutil.rmtree, _kivy_home, ignore_errors=True)
prepare(_kivy_home, offscreen=True)  # before any test module imports Kivy

sys.path.insert(0, str(Path(__file__).parent))

import patient_scenes as scenes  # noqa: E402
from pocket import Pocket  # noqa: E402

from analytics.domain.exercise import Side  # noqa: E402
from analytics.domain.live import Command, LiveEvent  # noqa: E402
from device_gateway.live.api import PATH, LocalApi  # noqa: E402
from device_gateway.live.certificate import GatewayCertificate, load_or_make  # noqa: E402
from device_gateway.live.codes import Codes  # noqa: E402
from device_gateway.live.hub import LiveHub  # noqa: E402
from device_gateway.live.pairing import Pairing  # noqa: E402
from device_gateway.live.phones import Phones  # noqa: E402
from device_gateway.storage.store import Store  # noqa: E402
from server.access import service as access  # noqa: E402
from server.access.words import Role  # noqa: E402
from server.app import create_app  # noqa: E402
from server.database import Database  # noqa: E402
from server.devices import service as devices  # noqa: E402
from server.patients import service as patients  # noqa: E402
from server.settings import Settings  # noqa: E402


class ClinicServer:
    """The real server, listening on one port for all its life, so that it can go away and be back."""

    def __init__(self, home: Path, gateway_token: str) -> None:
        self.home = home
        self.gateway_token = gateway_token
        self.port = 0
        self._thread: threading.Thread | None = None
        self._uvicorn: uvicorn.Server | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        listener = socket.create_server(("127.0.0.1", self.port))
        self.port = listener.getsockname()[1]
        app = create_app(Settings(home=self.home))
        config = uvicorn.Config(app, lifespan="off", log_config=None, log_level="critical", access_log=False)
        self._uvicorn = uvicorn.Server(config)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(app, listener)))
        self._thread.start()  # who connects before it accepts waits in the listener's queue

    async def _serve(self, app: FastAPI, listener: socket.socket) -> None:
        async with app.router.lifespan_context(app):
            await self._uvicorn.serve(sockets=[listener])

    def stop(self) -> None:
        if self._thread is not None:
            self._uvicorn.should_exit = self._uvicorn.force_exit = True
            self._thread.join()
            self._thread = None

    def put(self, path: str, body: str) -> httpx2.Response:
        """Say something as the patient's gateway."""
        headers = {"Authorization": f"Bearer {self.gateway_token}", "Content-Type": "application/json"}
        return httpx2.put(f"{self.url}/api/v1/{path}", content=body, headers=headers)

    def feedback(self) -> list[tuple[int, int]]:
        """(pain, effort) of all that is stored, read past the server."""
        with sqlite3.connect(self.home / "clinic.sqlite3") as db:
            rows = db.execute("SELECT pain, effort FROM feedback ORDER BY given_at").fetchall()
        db.close()
        return rows


async def _seed_clinic(home: Path) -> str:
    now = datetime.now(UTC)
    async with Database(home / "clinic.sqlite3") as database, database.writing() as db:
        for patient_id, name in ((scenes.PATIENT, "Maria Lindqvist"), ("patient-2", "Bert Sample")):
            program = scenes.assignment().program.model_copy(update={"patient_id": patient_id, "version": 1})
            await patients.add_patient(
                db, id=patient_id, name=name, diagnosis="Knee replacement", side=Side.RIGHT,
                surgery_on=scenes.NOW.date(), goal_deg=85, program=program,
            )  # fmt: skip
        for login, role, patient_id in (
            ("maria", Role.PATIENT, scenes.PATIENT),
            ("bert", Role.PATIENT, "patient-2"),
            ("petra", Role.PHYSIOTHERAPIST, None),
        ):
            await access.create_account(
                db, login=login, password=scenes.PASSWORD, name=login.title(), role=role, patient_id=patient_id, now=now
            )
        code = await devices.make_claim_code(db, scenes.PATIENT, now)
        claimed = await devices.claim(db, code, "Kitchen", public_key=bytes(32), now=now)
        return await access.issue_token(db, claimed.gateway_id, now=now, lifetime=None)


@pytest.fixture(scope="session")
def seeded_clinic(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    home = tmp_path_factory.mktemp("seeded-clinic")
    return home, asyncio.run(_seed_clinic(home))


@pytest.fixture
def real_clinic(seeded_clinic: tuple[Path, str], tmp_path: Path) -> Iterator[ClinicServer]:
    seed, gateway_token = seeded_clinic
    home = tmp_path / "clinic"
    shutil.copytree(seed, home)
    clinic = ClinicServer(home, gateway_token)
    clinic.start()
    yield clinic
    clinic.stop()


@dataclass
class HomeGateway:
    """The local API of a real gateway with a real certificate; a test publishes what the session would."""

    certificate: GatewayCertificate
    phones: Phones
    codes: Codes
    hub: LiveHub = field(default_factory=LiveHub)
    commands: list[Command] = field(default_factory=list)
    port: int = 0
    api: LocalApi | None = None

    async def start(self) -> None:
        async def obey(command: Command) -> None:
            self.commands.append(command)

        pairing = Pairing(
            self.codes, self.phones, name="Kitchen", certificate_sha256=self.certificate.certificate_sha256
        )
        self.api = LocalApi(self.hub, self.phones, pairing, obey)
        self.port = await self.api.start("127.0.0.1", self.port, self.certificate.context)

    async def stop(self) -> None:
        if self.api is not None:
            await self.api.close()
            self.api = None

    def tell(self, *events: LiveEvent) -> None:
        for event in events:
            self.hub.publish(event)

    def presence(self) -> dict[str, Any]:
        return {
            "live_url": f"wss://127.0.0.1:{self.port}{PATH}",
            "certificate_sha256": self.certificate.certificate_sha256,
            "live_token": self.phones.clinic_token,
        }


@pytest.fixture(scope="session")
def home_certificate(tmp_path_factory: pytest.TempPathFactory) -> GatewayCertificate:
    return load_or_make(tmp_path_factory.mktemp("home-gateway"), datetime.now(UTC))


@pytest.fixture
async def home_gateway(home_certificate: GatewayCertificate, tmp_path: Path) -> AsyncIterator[HomeGateway]:
    store = await Store.open(tmp_path / "gateway")
    await store.keep_settings(live_token=scenes.LIVE_TOKEN)
    phones, codes = Phones(store, lambda: datetime.now(UTC)), Codes(store, time.monotonic)
    await phones.load()
    await codes.load()
    gateway = HomeGateway(home_certificate, phones, codes)
    await gateway.start()
    yield gateway
    await gateway.stop()
    await store.close()


@pytest.fixture
def pocket(tmp_path: Path, real_clinic: ClinicServer, home_gateway: HomeGateway) -> Pocket:
    answer = real_clinic.put("gateway/presence", json.dumps(home_gateway.presence()))
    assert answer.status_code == 204
    return Pocket(tmp_path / "phone", real_clinic.url)


@pytest.fixture(scope="session")
def phone_window() -> Any:
    """A window of a phone's size; the test skips where nothing can be drawn."""
    if not open_window():
        pytest.skip("no OpenGL to draw with: install libegl1, libgl1-mesa-dri and libgles2")
    from kivy.core.window import Window  # noqa: PLC0415

    return Window

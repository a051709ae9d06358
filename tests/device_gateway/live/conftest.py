"""The local API on a real port with a real certificate and a real store."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection, connect

from analytics.domain import pairing
from analytics.domain.live import Command
from device_gateway.live.api import LocalApi
from device_gateway.live.certificate import GatewayCertificate, load_or_make
from device_gateway.live.codes import Codes
from device_gateway.live.hub import LiveHub
from device_gateway.live.pairing import Pairing
from device_gateway.live.phones import Phones
from device_gateway.storage.store import Store


def pinned_context(host: str, port: int, certificate_sha256: str) -> ssl.SSLContext:
    """As a phone does it: take the certificate that is shown, compare its digest, then trust that one alone."""
    pem = ssl.get_server_certificate((host, port))
    if hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest() != certificate_sha256:
        raise ValueError("another certificate than the pinned one")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(cadata=pem)
    return context


class HandClock:
    """Monotonic time that only a test moves."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class Served:
    hub: LiveHub
    phones: Phones
    codes: Codes
    store: Store
    certificate: GatewayCertificate
    clock: HandClock
    commands: list[Command] = field(default_factory=list)
    clinic_codes_renewed: list[str] = field(default_factory=list)
    port: int = 0
    hold: asyncio.Event = field(default_factory=asyncio.Event)
    """Cleared: a command is being obeyed until it is set again."""

    @property
    def certificate_sha256(self) -> str:
        return self.certificate.certificate_sha256

    async def join(self, token: str | None = None, pin: str | None = None, path: str = "/live") -> ClientConnection:
        context = await asyncio.to_thread(
            pinned_context, "127.0.0.1", self.port, pin or self.certificate.certificate_sha256
        )
        headers = {"Authorization": f"Bearer {self.phones.clinic_token if token is None else token}"}
        return await connect(f"wss://127.0.0.1:{self.port}{path}", ssl=context, additional_headers=headers)


Serve = Callable[..., object]


@pytest.fixture
def serve(tmp_path: Path) -> Serve:
    """`async with serve(stuck_s=…)`: the local API of one gateway."""

    @asynccontextmanager
    async def serving(home: Path = tmp_path, stuck_s: float = 30.0) -> AsyncIterator[Served]:
        store = await Store.open(home)
        clock = HandClock()
        renewed: list[str] = []
        phones = Phones(store, lambda: datetime.now(UTC))
        codes = Codes(store, clock, lambda: renewed.append(codes.clinic))
        await phones.load()
        await codes.load()
        served = Served(LiveHub(), phones, codes, store, load_or_make(home, datetime.now(UTC)), clock)
        served.clinic_codes_renewed = renewed
        served.hold.set()

        async def obey(command: Command) -> None:
            served.commands.append(command)
            await served.hold.wait()

        letting_in = Pairing(codes, phones, name="Kitchen", certificate_sha256=served.certificate_sha256)
        api = LocalApi(served.hub, phones, letting_in, obey, stuck_s=stuck_s)
        served.port = await api.start("127.0.0.1", 0, served.certificate.context)
        try:
            yield served
        finally:
            await api.close()
            await store.close()

    return serving


@pytest.fixture
async def served(serve: Serve) -> AsyncIterator[Served]:
    async with serve() as served:
        yield served


@pytest.fixture
def cheap_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same protocol at a thousandth of scrypt's cost: what a key costs is not the point of a hundred tries."""
    monkeypatch.setattr(pairing, "SCRYPT_COST", 16)

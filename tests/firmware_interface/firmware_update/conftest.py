"""A maker, a sensor that runs version 1.3.2 of its firmware, and a link that breaks where a test wants it to."""

import contextlib
from collections.abc import AsyncIterator

import pytest
from bleak import BleakClient
from firmware_maker import Maker

from firmware_interface.firmware_update import read_image, read_public_key, update
from firmware_interface.virtual.bootloader import Bootloader
from firmware_interface.virtual.link import SoftwareLink
from firmware_interface.virtual.radio import SoftwareRadio
from firmware_interface.virtual.updatable import UpdatableSensor

ADDRESS = "C4:64:E3:00:00:01"


class BrittleLink(SoftwareLink):
    """Counts what goes to the sensor, and loses it each time that another of the `cuts` is reached."""

    def __init__(self) -> None:
        super().__init__(supervision_timeout_s=0.05)
        self.sent_bytes = 0
        self.cuts: list[int] = []
        self.on_cut = lambda: None

    def send_acl_data(self, sender_controller, destination_address, transport, data):
        if str(destination_address).startswith(ADDRESS):
            self.sent_bytes += len(data)
            if self.cuts and self.sent_bytes >= self.cuts[0]:
                self.cuts.pop(0)
                self.on_cut()
        super().send_acl_data(sender_controller, destination_address, transport, data)


class World:
    """One sensor, one radio. Options: see Bootloader and SmpServer."""

    def __init__(self, *, slot_bytes: int = 1 << 20, fails_at: int | None = None, **server_options) -> None:
        self.maker = Maker()
        self.key = read_public_key(self.maker.public_pem)
        running = self.maker.image("1.3.2")
        self.bootloader = Bootloader(running, self.key, slot_bytes=slot_bytes, fails_at=fails_at)
        self.link = BrittleLink()
        self.radio = SoftwareRadio(self.link)
        self.sensor = UpdatableSensor(ADDRESS, self.bootloader, self.link, reset_delay_s=0.01, **server_options)
        self.link.on_cut = self.sensor.go_missing
        self.connects = 0

    async def connect(self, on_gone):
        self.connects += 1
        client = BleakClient(
            ADDRESS, disconnected_callback=lambda _: on_gone(), backend=self.radio.client_backend, timeout=5
        )
        await client.connect()
        return client

    def image(self, version, **options):
        return read_image(self.maker.image(version, **options), self.key)

    @property
    def running(self):
        return next(str(state["version"]) for state in self.bootloader.states() if state["active"])


@contextlib.asynccontextmanager
async def running_world(**options) -> AsyncIterator[World]:
    world = World(**options)
    async with world.radio, world.sensor:
        yield world


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr(update, "PAUSE_S", 0.01)


@pytest.fixture(scope="session")
def new_world():
    """A world for a test that brings its own event loop, or wants options."""
    return running_world


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with running_world() as world:
        yield world

"""A sensor in software whose firmware can be updated over Bluetooth, as one on Zephyr with MCUboot.

Source: Zephyr, "SMP Transport Specification", and subsys/mgmt/mcumgr/transport/src/smp_bt.c.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self
from weakref import WeakKeyDictionary

from bumble import core
from bumble.core import UUID, AdvertisingData
from bumble.device import Connection, Device
from bumble.gatt import Characteristic, CharacteristicValue, Service
from smpclient.transport import SMP_CHARACTERISTIC_UUID, SMP_SERVICE_UUID

from .bootloader import Bootloader
from .controller import SoftwareController, make_device
from .link import SoftwareLink
from .smp_server import HEADER, SmpServer

_ADVERTISING_INTERVAL_MS = 50.0
_ATT_NOTIFICATION_OVERHEAD = 3
_SERVICE = UUID(str(SMP_SERVICE_UUID))


def smp_service(server: SmpServer) -> Service:
    """The GATT service through which a virtual sensor's firmware is managed."""
    unfinished: WeakKeyDictionary[Connection, bytearray] = WeakKeyDictionary()

    async def on_write(connection: Connection, piece: bytes) -> None:
        received = unfinished.setdefault(connection, bytearray())
        received += piece
        for frame in _whole_frames(received) if server.reassembles else [piece]:
            await notify(connection, server.answer(frame) or b"")

    async def notify(connection: Connection, answer: bytes) -> None:
        size = connection.att_mtu - _ATT_NOTIFICATION_OVERHEAD
        with contextlib.suppress(core.BaseBumbleError):  # the link may end meanwhile
            for start in range(0, len(answer), size):
                await connection.device.notify_subscriber(connection, characteristic, answer[start : start + size])

    characteristic: Characteristic[bytes] = Characteristic(
        UUID(str(SMP_CHARACTERISTIC_UUID)),
        Characteristic.Properties.WRITE_WITHOUT_RESPONSE | Characteristic.Properties.NOTIFY,
        Characteristic.WRITEABLE,
        CharacteristicValue(write=on_write),
    )
    return Service(_SERVICE, [characteristic])


class UpdatableSensor:
    """Advertises, and restarts when told. server_options: see SmpServer."""

    def __init__(
        self,
        address: str,
        bootloader: Bootloader,
        link: SoftwareLink,
        *,
        reset_delay_s: float = 0.25,
        **server_options: Any,
    ) -> None:
        self.address = address
        self.bootloader = bootloader
        self.boots = 0
        self._link = link
        self._reset_delay_s = reset_delay_s
        self.server = SmpServer(bootloader, self._restart_soon, **server_options)
        self.device: Device | None = None
        self.controller: SoftwareController | None = None

    async def start(self) -> None:
        """Switch on and advertise."""
        self.device, self.controller = make_device("Updatable", self.address, self._link)
        self.device.add_services([smp_service(self.server)])
        await self.device.power_on()
        await self.device.start_advertising(
            auto_restart=True,
            advertising_interval_min=_ADVERTISING_INTERVAL_MS,
            advertising_interval_max=_ADVERTISING_INTERVAL_MS,
            advertising_data=bytes(
                AdvertisingData(
                    [
                        (AdvertisingData.FLAGS, bytes([0x06])),
                        (AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS, bytes(_SERVICE)),
                    ]
                )
            ),
        )

    async def stop(self) -> None:
        """Switch off for good."""
        device, controller = self.device, self.controller
        self.device = self.controller = None
        if device is None or controller is None:
            return
        for connection in list(device.connections.values()):
            with contextlib.suppress(core.BaseBumbleError):
                await connection.disconnect()
        await device.power_off()
        self._link.remove_controller(controller)
        controller.le_legacy_advertiser.stop()  # bumble's goes on advertising when its host is switched off

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop()

    def restart(self) -> None:
        """Lose power and start anew. No goodbye: the other end notices at the link's supervision timeout."""
        self.boots += 1
        self.bootloader.boot()
        self.go_missing()

    def go_missing(self) -> None:
        """Be out of range just long enough for the link to be lost."""
        if self.controller is not None:
            self._link.out_of_range(self.controller)
            loop = asyncio.get_running_loop()
            loop.call_later(self._link.supervision_timeout_s, self._link.in_range, self.controller)

    def _restart_soon(self) -> None:
        asyncio.get_running_loop().call_later(self._reset_delay_s, self.restart)


def _whole_frames(received: bytearray) -> Iterator[bytes]:
    """Take the frames off that are complete."""
    while len(received) >= HEADER.size and len(received) >= (end := HEADER.size + HEADER.unpack_from(received)[2]):
        frame = bytes(received[:end])
        del received[:end]
        yield frame

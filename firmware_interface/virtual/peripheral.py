"""The Bluetooth side of a virtual sensor: advertising, the services of the open profile, one connection."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from bumble import att, core
from bumble.controller import Controller
from bumble.core import UUID, AdvertisingData
from bumble.device import Connection, Device
from bumble.gatt import Characteristic, CharacteristicValue, Service
from bumble.profiles.battery_service import BatteryService
from bumble.profiles.device_information_service import DeviceInformationService

from .. import open_profile as profile
from .controller import make_device
from .link import SoftwareLink

_ADVERTISING_INTERVAL_MS = 50.0
_Properties = Characteristic.Properties


class Peripheral:
    """Gives every control write to `on_command`, and calls `on_silence` when no one listens any more."""

    def __init__(
        self,
        name: str,
        address: str,
        *,
        battery_percent: Callable[[], int],
        on_command: Callable[[bytes], None],
        on_silence: Callable[[], None],
    ) -> None:
        self.name = name
        self.address = address
        self.controller: Controller | None = None
        self._battery_percent = battery_percent
        self._on_command = on_command
        self._on_silence = on_silence
        self._device: Device | None = None
        self._link: SoftwareLink | None = None
        self._connection: Connection | None = None
        self._listening = False
        self._replies: set[asyncio.Task[None]] = set()
        self._data: Characteristic[bytes] = Characteristic(
            UUID(profile.DATA_UUID), _Properties.NOTIFY, Characteristic.READABLE, CharacteristicValue(read=_refuse_read)
        )
        self._control: Characteristic[bytes] = Characteristic(
            UUID(profile.CONTROL_UUID),
            _Properties.WRITE | _Properties.INDICATE,
            Characteristic.WRITEABLE,
            CharacteristicValue(read=_refuse_read, write=lambda _, value: on_command(bytes(value))),
        )

    async def start(self, link: SoftwareLink) -> None:
        """Switch on and advertise."""
        device, self.controller = make_device(self.name, self.address, link)
        self._device, self._link = device, link
        device.add_services(
            [
                Service(UUID(profile.SERVICE_UUID), [self._data, self._control]),
                BatteryService(lambda _: self._battery_percent()),
                DeviceInformationService(
                    manufacturer_name="Sinew",
                    model_number="Virtual IMU",
                    serial_number=self.address.replace(":", ""),
                    firmware_revision=f"open profile {profile.VERSION}",
                ),
            ]
        )
        device.on(Device.EVENT_CONNECTION, self._on_connection)
        self._data.on(Characteristic.EVENT_SUBSCRIPTION, self._on_subscription)
        await device.power_on()
        await device.start_advertising(
            auto_restart=True,
            advertising_interval_min=_ADVERTISING_INTERVAL_MS,
            advertising_interval_max=_ADVERTISING_INTERVAL_MS,
            advertising_data=_advertisement(
                (AdvertisingData.FLAGS, bytes([0x06])),
                (AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS, bytes(UUID(profile.SERVICE_UUID))),
            ),
            scan_response_data=_advertisement((AdvertisingData.COMPLETE_LOCAL_NAME, _shortened(self.name))),
        )

    async def stop(self) -> None:
        """Hang up, stop advertising, switch off."""
        device, self._device = self._device, None
        if device is None or self._link is None or self.controller is None:
            return
        if self._connection is not None:
            with contextlib.suppress(core.BaseBumbleError):
                await self._connection.disconnect()
        await device.power_off()
        self._link.remove_controller(self.controller)
        # bumble's controller goes on advertising when its host is switched off.
        self.controller.le_legacy_advertiser.stop()

    async def disconnect(self) -> None:
        """Hang up, as a sensor does that is switched to another gateway. It advertises again."""
        if self._connection is not None:
            await self._connection.disconnect()

    @property
    def listening(self) -> bool:
        """Whether a gateway has subscribed to data."""
        return self._connection is not None and self._listening

    @property
    def capacity(self) -> int:
        """Samples that one notification can carry on this connection."""
        return profile.packet_capacity(self._connection.att_mtu if self._connection else 23)

    @property
    def backlog(self) -> int:
        """Packets in the transmit queue."""
        assert self._link is not None
        assert self.controller is not None
        return self._link.backlog(self.controller)

    async def notify(self, packet: bytes) -> None:
        """Hand a packet to the radio. Needs a listener."""
        assert self._device is not None
        assert self._connection is not None
        await self._device.notify_subscriber(self._connection, self._data, packet)

    def reply(self, data: bytes) -> None:
        """Indicate on the control point."""
        task = asyncio.get_running_loop().create_task(self._indicate(data))
        self._replies.add(task)
        task.add_done_callback(self._replies.discard)

    async def _indicate(self, data: bytes) -> None:
        if self._device is not None and self._connection is not None:
            with contextlib.suppress(TimeoutError, core.BaseBumbleError):
                await self._device.indicate_subscriber(self._connection, self._control, data)

    def _on_connection(self, connection: Connection) -> None:
        self._connection = connection
        connection.on(Connection.EVENT_DISCONNECTION, self._on_disconnection)

    def _on_disconnection(self, _reason: int) -> None:
        self._connection = None
        for reply in self._replies:
            reply.cancel()
        self._silence()

    def _on_subscription(self, _bearer: Any, notify: bool, _indicate: bool) -> None:
        if notify:
            self._listening = True
        else:
            self._silence()

    def _silence(self) -> None:
        if self._listening:
            self._listening = False
            self._on_silence()


def _shortened(name: str) -> bytes:
    """As much of a name as a scan response holds, without half a letter at its end."""
    return name.encode()[:29].decode(errors="ignore").encode()


def _refuse_read(_connection: Connection) -> bytes:
    """bumble leaves a reader without an answer unless it is told what to say."""
    raise att.ATT_Error(att.ErrorCode.READ_NOT_PERMITTED)


def _advertisement(*structures: tuple[int, bytes]) -> bytes:
    return bytes(AdvertisingData([(AdvertisingData.Type(kind), value) for kind, value in structures]))

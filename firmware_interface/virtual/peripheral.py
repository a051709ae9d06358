"""The Bluetooth side of a virtual sensor: advertising, GATT services, one connection."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any

from bumble import core
from bumble.controller import Controller
from bumble.core import UUID, AdvertisingData
from bumble.device import Connection, Device
from bumble.gatt import Characteristic, Service

from .controller import make_device
from .firmware import Advertised
from .gatt import GattCharacteristic
from .link import SoftwareLink

_ADVERTISING_INTERVAL_MS = 50.0
_LEAST_MTU = 23
_ATT_NOTIFICATION_OVERHEAD = 3


class Peripheral:
    """Tells of subscriptions and of the end of a connection. greatest_mtu: what it agrees to when asked for more."""

    def __init__(
        self,
        address: str,
        *,
        on_subscription: Callable[[GattCharacteristic, bool], None],
        on_disconnection: Callable[[], None],
        greatest_mtu: int,
    ) -> None:
        self.address = address
        self.controller: Controller | None = None
        self._on_subscription = on_subscription
        self._on_gone = on_disconnection
        self._greatest_mtu = greatest_mtu
        self._device: Device | None = None
        self._link: SoftwareLink | None = None
        self._connection: Connection | None = None
        self._subscribed: set[GattCharacteristic] = set()
        self._sending: set[asyncio.Task[None]] = set()

    async def start(self, link: SoftwareLink, services: list[Service], advertised: Advertised) -> None:
        """Switch on and advertise."""
        device, self.controller = make_device(advertised.name, self.address, link)
        self._device, self._link = device, link
        device.gatt_server.max_mtu = self._greatest_mtu
        device.add_services(services)
        device.on(Device.EVENT_CONNECTION, self._on_connection)
        for service in services:
            for characteristic in service.characteristics:
                characteristic.on(Characteristic.EVENT_SUBSCRIPTION, self._subscriber(characteristic))
        await device.power_on()
        await device.start_advertising(
            auto_restart=True,
            advertising_interval_min=_ADVERTISING_INTERVAL_MS,
            advertising_interval_max=_ADVERTISING_INTERVAL_MS,
            advertising_data=_advertisement(advertised),
            scan_response_data=bytes(_structure(AdvertisingData.COMPLETE_LOCAL_NAME, _shortened(advertised.name))),
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

    def listening(self, characteristic: GattCharacteristic) -> bool:
        """Whether a gateway has subscribed to this characteristic."""
        return self._connection is not None and characteristic in self._subscribed

    @property
    def payload_bytes(self) -> int:
        """What one notification can carry on this connection."""
        return (self._connection.att_mtu if self._connection else _LEAST_MTU) - _ATT_NOTIFICATION_OVERHEAD

    @property
    def backlog(self) -> int:
        """Packets in the transmit queue."""
        assert self._link is not None
        assert self.controller is not None
        return self._link.backlog(self.controller)

    async def notify(self, characteristic: GattCharacteristic, data: bytes) -> None:
        """Hand a notification to the radio; nothing happens where no gateway listens."""
        if self._device is not None and self._connection is not None:
            await self._device.notify_subscriber(self._connection, characteristic, data)

    async def indicate(self, characteristic: GattCharacteristic, data: bytes) -> None:
        """Hand an indication to the radio and wait until it is confirmed."""
        if self._device is not None and self._connection is not None:
            with contextlib.suppress(TimeoutError, core.BaseBumbleError):
                await self._device.indicate_subscriber(self._connection, characteristic, data)

    def soon(self, sending: Coroutine[Any, Any, None]) -> None:
        """Send without waiting; given up when the connection ends."""
        task = asyncio.get_running_loop().create_task(sending)
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    def _on_connection(self, connection: Connection) -> None:
        self._connection = connection
        connection.on(Connection.EVENT_DISCONNECTION, self._on_disconnection)

    def _on_disconnection(self, _reason: int) -> None:
        self._connection = None
        self._subscribed.clear()
        for task in self._sending:
            task.cancel()
        self._on_gone()

    def _subscriber(self, characteristic: GattCharacteristic) -> Callable[[Any, bool, bool], None]:
        def on_subscription(_bearer: Any, notify: bool, indicate: bool) -> None:
            if notify or indicate:
                self._subscribed.add(characteristic)
            else:
                self._subscribed.discard(characteristic)
            self._on_subscription(characteristic, notify or indicate)

        return on_subscription


def _advertisement(advertised: Advertised) -> bytes:
    """Flags (general discoverable, LE only), services and maker's data."""
    data = _structure(AdvertisingData.FLAGS, bytes([0x06]))
    for uuid in map(UUID, advertised.services):
        short = len(bytes(uuid)) == 2
        kinds = AdvertisingData.Type
        kind = (
            kinds.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS
            if short
            else kinds.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS
        )
        data += _structure(kind, bytes(uuid))
    for company, content in advertised.manufacturer.items():
        data += _structure(AdvertisingData.MANUFACTURER_SPECIFIC_DATA, company.to_bytes(2, "little") + content)
    return data


def _structure(kind: int, value: bytes) -> bytes:
    return bytes(AdvertisingData([(AdvertisingData.Type(kind), value)]))


def _shortened(name: str) -> bytes:
    """As much of a name as a scan response holds, without half a letter at its end."""
    return name.encode()[:29].decode(errors="ignore").encode()

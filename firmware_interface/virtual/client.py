"""bleak's client on a software radio: bumble's GATT client underneath, bleak's errors above."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from bleak.args import SizedBuffer
from bleak.assigned_numbers import CharacteristicPropertyName
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient, NotifyCallback
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import BleakError, BleakGATTProtocolError
from bumble import att, core
from bumble.device import Connection, Peer

from .cancellation import was_cancelled
from .scanner import uuid_text

if TYPE_CHECKING:
    from .radio import SoftwareRadio

T = TypeVar("T")

_MTU = 517  # what BlueZ asks for
_LEAST_MTU = 23
_PROPERTIES: tuple[tuple[CharacteristicPropertyName, int], ...] = (
    ("broadcast", 0x01),
    ("read", 0x02),
    ("write-without-response", 0x04),
    ("write", 0x08),
    ("notify", 0x10),
    ("indicate", 0x20),
    ("authenticated-signed-writes", 0x40),
    ("extended-properties", 0x80),
)


class SoftwareClient(BaseBleakClient):
    """Made for one radio by `SoftwareRadio.client_backend`."""

    radio: ClassVar[SoftwareRadio]

    def __init__(
        self,
        address_or_ble_device: BLEDevice | str,
        *,
        disconnected_callback: Callable[[], None] | None,
        timeout: float,
        services: set[str] | None = None,
        **_: Any,
    ) -> None:
        super().__init__(address_or_ble_device, disconnected_callback=disconnected_callback, timeout=timeout)
        self._device = address_or_ble_device if isinstance(address_or_ble_device, BLEDevice) else None
        self._wanted_services = services
        self._connection: Connection | None = None
        self._peer: Peer | None = None
        self._subscribers: dict[int, Callable[[bytes], None]] = {}

    @property
    def name(self) -> str:
        return (self._device.name if self._device else None) or self.address.replace(":", "-")

    @property
    def mtu_size(self) -> int:
        return self._connection.att_mtu if self._connection else _LEAST_MTU

    @property
    def is_connected(self) -> bool:
        return self._connection is not None

    async def connect(self, pair: bool, **kwargs: Any) -> None:
        """Connect and discover. Timed out or cancelled, it leaves neither a connection nor a request for one."""
        if self._connection is not None:
            raise BleakError("The client is connected already.")
        async with asyncio.timeout(kwargs.get("timeout", self._timeout)):
            connection = await self.radio.connect(self.address)
            try:
                connection.on(Connection.EVENT_DISCONNECTION, self._on_disconnection)
                self._connection, self._peer = connection, Peer(connection)
                if pair:
                    await self._ask(connection.pair())
                await self._ask(self._peer.request_mtu(_MTU))
                self.services = await self._ask(self._discover(self._peer))
            except BaseException:
                connection.remove_listener(Connection.EVENT_DISCONNECTION, self._on_disconnection)
                self._forget()
                await self.radio.hang_up(connection)
                raise

    async def disconnect(self) -> None:
        if self._connection is not None:
            await self.radio.hang_up(self._connection)

    async def pair(self, *args: Any, **kwargs: Any) -> None:
        connection, _ = self._connected()
        await self._ask(connection.pair())

    async def unpair(self) -> None:
        raise BleakError("The software radio keeps no bonds to forget.")

    async def read_gatt_char(
        self, characteristic: BleakGATTCharacteristic, *, use_cached: bool = False, **kwargs: Any
    ) -> bytearray:
        return await self._read(characteristic.handle)

    async def read_gatt_descriptor(
        self, descriptor: BleakGATTDescriptor, *, use_cached: bool = False, **kwargs: Any
    ) -> bytearray:
        return await self._read(descriptor.handle)

    async def write_gatt_char(self, characteristic: BleakGATTCharacteristic, data: SizedBuffer, response: bool) -> None:
        _, peer = self._connected()
        await self._ask(peer.gatt_client.write_value(characteristic.handle, bytes(data), with_response=response))

    async def write_gatt_descriptor(self, descriptor: BleakGATTDescriptor, data: SizedBuffer) -> None:
        _, peer = self._connected()
        await self._ask(peer.gatt_client.write_value(descriptor.handle, bytes(data), with_response=True))

    async def start_notify(
        self, characteristic: BleakGATTCharacteristic, callback: NotifyCallback, **kwargs: Any
    ) -> None:
        _, peer = self._connected()
        if characteristic.handle in self._subscribers:
            raise BleakError(f"Notifications of {characteristic.uuid} are on already.")

        def subscriber(value: bytes) -> None:
            callback(bytearray(value))

        self._subscribers[characteristic.handle] = subscriber
        try:
            await self._ask(peer.gatt_client.subscribe(characteristic.obj, subscriber))
        except BaseException:
            self._subscribers.pop(characteristic.handle, None)
            client = peer.gatt_client  # which keeps one that was refused, and would tell it and the next
            for kept in (client.notification_subscribers, client.indication_subscribers):
                kept.pop(characteristic.handle, None)
            raise

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        _, peer = self._connected()
        if subscriber := self._subscribers.pop(characteristic.handle, None):
            await self._ask(peer.gatt_client.unsubscribe(characteristic.obj, subscriber))

    async def _read(self, handle: int) -> bytearray:
        _, peer = self._connected()
        return bytearray(await self._ask(peer.gatt_client.read_value(handle)))

    def _connected(self) -> tuple[Connection, Peer]:
        if self._connection is None or self._peer is None:
            raise BleakError("Not connected")
        return self._connection, self._peer

    async def _ask(self, operation: Coroutine[Any, Any, T]) -> T:
        """Await bumble and raise what bleak's callers expect."""
        try:
            return await operation
        except att.ATT_Error as error:
            raise BleakGATTProtocolError(int(error.error_code)) from error
        except asyncio.CancelledError:
            if was_cancelled():
                raise
            raise BleakError("Disconnected before the answer came.") from None
        except core.BaseBumbleError as error:
            raise BleakError(str(error) or type(error).__name__) from error

    async def _discover(self, peer: Peer) -> BleakGATTServiceCollection:
        found = BleakGATTServiceCollection()
        for service in await peer.discover_services():
            uuid = uuid_text(service.uuid)
            if self._wanted_services and uuid not in self._wanted_services:
                continue
            found_service = BleakGATTService(service, service.handle, uuid)
            found.add_service(found_service)
            for characteristic in await service.discover_characteristics():
                found_characteristic = BleakGATTCharacteristic(
                    characteristic,
                    characteristic.handle,
                    uuid_text(characteristic.uuid),
                    [name for name, bit in _PROPERTIES if characteristic.properties & bit],
                    lambda: self.mtu_size - 3,
                    found_service,
                )
                found.add_characteristic(found_characteristic)
                for descriptor in await characteristic.discover_descriptors():
                    found.add_descriptor(
                        BleakGATTDescriptor(
                            descriptor, descriptor.handle, uuid_text(descriptor.type), found_characteristic
                        )
                    )
        return found

    def _on_disconnection(self, _reason: int) -> None:
        self._forget()
        if self._disconnected_callback is not None:
            self._disconnected_callback()

    def _forget(self) -> None:
        self._connection = self._peer = None
        self.services = None
        self._subscribers.clear()

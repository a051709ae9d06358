"""Bringing several Movella DOT to one clock (§5.3): its messages, and the procedure of §5.3.5.

The maker states 1 ppm after half an hour and 4 ppm after an hour (Xsens DOT User Manual, §3.3.4).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from enum import IntEnum
from typing import Generic, NamedTuple, Protocol, TypeVar

from bleak.exc import BleakError

from ...errors import DecodeError, SensorError
from .device import DeviceControl, FilterProfile
from .message import Topic, decode_message, encode_message

SYNC_PERIOD_S = 14.0
"""Scanners listen to the root for some 12 s; the sensors are to be left alone for this long."""
RECONNECT_ATTEMPTS = 3
RECONNECT_PAUSE_S = 1.0


class SyncId(IntEnum):
    START = 0x01
    STOP = 0x02
    ACKNOWLEDGEMENT = 0x03
    GET_STATUS = 0x08
    STOP_RESULT = 0x50
    STATUS = 0x51


class SyncResult(IntEnum):
    """§5.3.3."""

    SUCCESS = 0x00
    NOT_ENOUGH_SAMPLES = 0x05
    SKEW_TOO_LARGE = 0x07
    STARTING_TIME_ERROR = 0x08
    UNSTARTED = 0x09


class SyncStatus(IntEnum):
    SYNCED = 0x04
    UNSYNCED = 0x09


def encode_start_sync(root_address: str) -> bytes:
    """Listen to the root, or be it. Raises ValueError where this is no address, as "D4:22:CD:AA:BB:CC"."""
    address = bytes.fromhex(root_address.replace(":", ""))
    if len(address) != 6:
        raise ValueError(f"{root_address!r} is no Bluetooth address.")
    return _encode(SyncId.START, address[::-1])


def encode_stop_sync() -> bytes:
    """Go back to the sensor's own clock."""
    return _encode(SyncId.STOP)


def encode_get_sync_status() -> bytes:
    """Ask whether the sensor is synchronised."""
    return _encode(SyncId.GET_STATUS)


def decode_sync_result(data: bytes) -> SyncResult:
    """The acknowledgement that is read after the reconnection. Raises DecodeError.

    §5.3.3 lets the command follow it; the example of §5.3.1 and the maker's xsens_dot_server have the result alone.
    """
    return SyncResult(_told(data, SyncId.ACKNOWLEDGEMENT, SyncResult))


def decode_sync_status(data: bytes) -> SyncStatus:
    """The answer to the question for the status. Raises DecodeError."""
    return SyncStatus(_told(data, SyncId.STATUS, SyncStatus))


def decode_stop_sync_result(data: bytes) -> bool:
    """Whether the stop worked. Raises DecodeError."""
    return _told(data, SyncId.STOP_RESULT, range(2)) == 0


def _encode(kind: SyncId, content: bytes = b"") -> bytes:
    return encode_message(Topic.SYNCHRONISATION, bytes([kind]) + content)


def _told(data: bytes, kind: SyncId, known: type[IntEnum] | range) -> int:
    message = decode_message(data)
    content = message.content
    if (message.topic, message.id) != (Topic.SYNCHRONISATION, kind) or not content or content[0] not in tuple(known):
        raise DecodeError(f"The sensor told {message.data.hex(' ')}, which is no {kind.name.lower()} of the sync.")
    return content[0]


# ------------------------------------------------------------------------------------------------------- the procedure


class Synchronisable(Protocol):
    """What the procedure needs of a driver."""

    async def set_up(self, rate_hz: int | None = None, filter_profile: int | None = None) -> DeviceControl: ...
    async def radio_address(self) -> str: ...
    async def start_sync(self, root_address: str) -> None: ...
    async def stop_sync(self) -> None: ...
    async def sync_status(self) -> SyncStatus: ...
    async def sync_result(self) -> SyncResult: ...


S = TypeVar("S", bound=Synchronisable)


class Synchronised(NamedTuple, Generic[S]):
    """sensor: the driver of its new connection. result: None where it did not come back, or did not tell."""

    sensor: S
    result: SyncResult | None


async def synchronise(
    sensors: Sequence[S],
    rate_hz: int,
    *,
    filter_profile: int = FilterProfile.GENERAL,
    disconnect: Callable[[S], Awaitable[None]],
    reconnect: Callable[[S], Awaitable[S]],
    sleep: Callable[[float], Awaitable[None]],
) -> list[Synchronised[S]]:
    """Bring connected sensors to the clock of the first, and tell of each how it went and its new connection's driver.

    Rate and filter are set before, because nobody can change them until the synchronisation is stopped. Put the sensors
    close together, the first in their midst. Where one failed, go on with the others or `stop_sync` all and try again.
    Raises SensorError and BleakError for what goes wrong before the sensors are left alone.
    """
    if not sensors:
        return []
    for sensor in sensors:
        if await sensor.sync_status() is SyncStatus.SYNCED:
            await sensor.stop_sync()
        await sensor.set_up(rate_hz, filter_profile)
    root_address = await sensors[0].radio_address()
    for sensor in sensors:
        await sensor.start_sync(root_address)
    await asyncio.gather(*(disconnect(sensor) for sensor in sensors))
    await sleep(SYNC_PERIOD_S)
    return [await _come_back(sensor, reconnect, sleep) for sensor in sensors]


async def _come_back(
    sensor: S, reconnect: Callable[[S], Awaitable[S]], sleep: Callable[[float], Awaitable[None]]
) -> Synchronised[S]:
    for attempt in range(RECONNECT_ATTEMPTS):
        if attempt:
            await sleep(RECONNECT_PAUSE_S)
        with contextlib.suppress(SensorError, BleakError, TimeoutError):
            sensor = await reconnect(sensor)
            return Synchronised(sensor, await sensor.sync_result())
    return Synchronised(sensor, None)

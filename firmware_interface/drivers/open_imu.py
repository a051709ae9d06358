"""Driver of the open Sinew IMU profile (docs/firmware-open-profile.md)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from bleak import BleakClient
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
from bleak.exc import BleakCharacteristicNotFoundError, BleakGATTProtocolError

from analytics.signals.samples import ImuSamples, Resolution

from .. import open_profile as profile
from ..errors import DecodeError, NoReplyError, SensorRefusedError, WrongSensorError
from ..open_decoder import OpenDecoder

REPLY_TIMEOUT_S = 5.0
_BATTERY_LEVEL = "00002a19-0000-1000-8000-00805f9b34fb"
_EARLY_PACKETS = 64

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """What the sensor does, which may differ from what was asked.

    continues: sequence and clock go on from the last connection, and the first samples tell what was lost between.
    """

    rate_hz: float
    resolution: Resolution
    continues: bool = False


class OpenImuDriver:
    """One connection to one sensor. Hand the last connection's `decoder` on, and samples lost between are counted."""

    def __init__(self, client: BleakClient, decoder: OpenDecoder | None = None) -> None:
        self.decoder = decoder or OpenDecoder()
        self.decode_errors = 0
        self._client = client
        self._on_samples: Callable[[ImuSamples], None] | None = None
        self._early: list[bytes] | None = None
        self._replies: asyncio.Queue[bytes] = asyncio.Queue()
        self._subscribed = False

    @staticmethod
    def matches(device: BLEDevice, advertisement: AdvertisementData) -> bool:
        return profile.SERVICE_UUID in advertisement.service_uuids

    async def start(self, rate_hz: float, batch: int, on_samples: Callable[[ImuSamples], None]) -> StreamSettings:
        """Have the sensor stream, `batch` samples to a packet, and hand each packet to `on_samples`.

        A rate of 0 asks for the sensor's own. Raises WrongSensorError, SensorRefusedError, NoReplyError, and bleak's
        BleakError where the link is lost meanwhile.
        """
        await self._subscribe()
        # Samples travel on another path through BlueZ than the reply, and may overtake it.
        self._early, self._on_samples = [], on_samples
        started = await self._ask(profile.Opcode.START, profile.encode_start(rate_hz, min(max(batch, 1), 255)))
        if started is None:
            raise NoReplyError("The sensor answered a start without saying how it samples; update its firmware.")
        continues = self.decoder.begin(started)
        early, self._early = self._early, None
        for data in early:
            self._decode(data)
        return StreamSettings(started.rate_hz, started.resolution, continues)

    async def stop(self) -> None:
        """End the stream; what the sensor had taken arrives first. Harmless where the link is gone already."""
        if self._subscribed and self._client.is_connected:
            await self._ask(profile.Opcode.STOP, profile.encode_stop())
        self._on_samples = None

    async def battery_percent(self) -> int:
        """Raises WrongSensorError where the sensor has no battery level or tells nonsense."""
        try:
            value = await self._client.read_gatt_char(_BATTERY_LEVEL)
        except BleakCharacteristicNotFoundError as error:
            raise WrongSensorError(f"{self._name} does not tell its battery level; update its firmware.") from error
        if len(value) != 1 or value[0] > 100:
            raise WrongSensorError(f"{self._name} tells a battery level of {bytes(value).hex()}; update its firmware.")
        return value[0]

    @property
    def _name(self) -> str:
        return f"The sensor {self._client.address}"

    async def _subscribe(self) -> None:
        if self._subscribed:
            return
        if self._client.services.get_service(profile.SERVICE_UUID) is None:
            raise WrongSensorError(f"{self._name} does not offer the open IMU service; remove it and pair another.")
        try:
            await self._client.start_notify(profile.CONTROL_UUID, self._on_reply)
            # AcquireNotify: BlueZ's StartNotify throttles at 200 to 330 notifications a second. Safe here, because a
            # sensor of this profile sends nothing before START.
            await self._client.start_notify(profile.DATA_UUID, self._on_data, bluez={"use_start_notify": False})
        except BleakCharacteristicNotFoundError as error:
            raise WrongSensorError(
                f"{self._name} lacks a part of the open IMU service; update its firmware."
            ) from error
        self._subscribed = True

    async def _ask(self, opcode: profile.Opcode, command: bytes) -> profile.Started | None:
        while not self._replies.empty():
            self._replies.get_nowait()  # the late answer to a question that was given up
        try:
            await self._client.write_gatt_char(profile.CONTROL_UUID, command, response=True)
            async with asyncio.timeout(REPLY_TIMEOUT_S):
                while True:
                    answered, status, started = profile.decode_reply(await self._replies.get())
                    if answered == opcode:
                        break
        except BleakGATTProtocolError as error:
            raise SensorRefusedError(f"{self._name} refused {opcode.name}: {error}; restart it.") from error
        except DecodeError as error:
            raise SensorRefusedError(f"{self._name} does not follow the open profile: {error} Update it.") from error
        except TimeoutError as error:
            raise NoReplyError(f"{self._name} did not answer {opcode.name}; bring it closer or restart it.") from error
        if status is not profile.Status.OK:
            reason = status.name.lower().replace("_", " ")
            raise SensorRefusedError(
                f"{self._name} refused {opcode.name} ({reason}); restart it or update its firmware."
            )
        return started

    def _on_reply(self, _: BleakGATTCharacteristic, data: bytearray) -> None:
        self._replies.put_nowait(bytes(data))

    def _on_data(self, _: BleakGATTCharacteristic, data: bytearray) -> None:
        if self._early is None:
            self._decode(bytes(data))
        elif len(self._early) < _EARLY_PACKETS:
            self._early.append(bytes(data))

    def _decode(self, data: bytes) -> None:
        if self._on_samples is None:
            return
        try:
            samples = self.decoder.decode(data)
        except DecodeError as error:
            self.decode_errors += 1
            if self.decode_errors == 1:  # a sensor that errs once may err a hundred times a second
                _log.warning("%s sent a packet that is left out: %s", self._name, error)
            return
        self._on_samples(samples)

"""What every family's driver shares: match, prepare, start, decode, stop, describe, and how trouble is named."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import ClassVar, Generic, TypeVar

from bleak import BleakClient
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
from bleak.exc import BleakCharacteristicNotFoundError, BleakError, BleakGATTProtocolError

from analytics.signals.samples import ImuSamples, Source

from ..errors import (
    DecodeError,
    FirmwareTooOldError,
    NarrowLinkError,
    NoReplyError,
    SensorRefusedError,
    WrongSensorError,
)
from .clock_bounds import ClockBounds
from .decoder import Decoder
from .device_information import read_device_information, version_numbers
from .family import Family, StreamSettings

REPLY_TIMEOUT_S = 5.0
_BATTERY_LEVEL = "00002a19-0000-1000-8000-00805f9b34fb"
_EARLY_PACKETS = 1024
"""What may come before a start is answered: a second, even of the fastest."""
_UNANSWERED_REPLIES = 64

_log = logging.getLogger(__name__)

D = TypeVar("D", bound=Decoder)
T = TypeVar("T")


class SensorDriver(ABC, Generic[D]):
    """One connection to one sensor. Hand the last connection's `decoder` on, and samples lost between are counted.

    A family says what it is in the class attributes, and how it is talked to in `matches`, `new_decoder`, `_begin` and
    `_end`.
    """

    family: ClassVar[Family]
    service: ClassVar[str]
    """The service without which a device is no sensor of this family."""
    characteristics: ClassVar[tuple[str, ...]]
    """Those that `start` needs, the one with the largest packets first."""
    least_payload_bytes: ClassVar[int] = 20
    """What one notification must be able to hold; 20 is what every connection can."""
    batches: ClassVar[bool] = False
    """Whether `start` can choose how many samples a packet holds; elsewhere the firmware has chosen."""

    def __init__(self, client: BleakClient, decoder: D | None = None) -> None:
        self.decoder: D = decoder if decoder is not None else self.new_decoder()
        self.source: Source | None = None
        self.decode_errors = 0
        self._client = client
        self._on_samples: Callable[[ImuSamples], None] | None = None
        self._on_heard: Callable[[int], None] | None = None
        self._early: list[tuple[bytes, str]] | None = None
        self._replies: asyncio.Queue[bytes] = asyncio.Queue(_UNANSWERED_REPLIES)
        self._subscribed: dict[str, bool] = {}  # and whether acquired
        self._begun = False
        self._asking = asyncio.Lock()

    @classmethod
    @abstractmethod
    def matches(cls, device: BLEDevice, advertisement: AdvertisementData) -> bool:
        """Whether this advertisement is of this family."""

    @classmethod
    @abstractmethod
    def new_decoder(cls) -> D:
        """A decoder that knows no stream yet."""

    async def prepare(self) -> Source:
        """See that the device is what it seems and can be used, and read who it is. Asking again costs nothing.

        Raises WrongSensorError, FirmwareTooOldError, NarrowLinkError.
        """
        if self.source is None:
            self._check_services()
            source = await self._read_source()
            self._check_firmware(source)
            self._check_packet_size()
            self.source = self.decoder.source = source
        return self.source

    async def start(
        self,
        rate_hz: float,
        batch: int,
        on_samples: Callable[[ImuSamples], None],
        on_heard: Callable[[int], None] | None = None,
    ) -> StreamSettings:
        """Have the sensor stream, if it can `batch` samples to a packet, and hand each run to `on_samples`.

        `on_heard` is told the sensor time [µs] of the newest sample the moment its packet comes, which is what a clock
        must go by: samples may then wait for others that were lost before them and are sent again. A rate of 0 asks for
        the sensor's usual one, any other for the nearest it has. Raises SensorError in its kinds, and bleak's
        BleakError where the link is lost meanwhile.
        """
        source = await self.prepare()
        # Samples travel on another path through BlueZ than replies, and may overtake them.
        self._early, self._on_samples, self._on_heard = [], on_samples, on_heard
        self._begun = True
        settings = await self._begin(rate_hz, batch)
        early, self._early = self._early, None
        for data, characteristic in early:
            self._decode(data, characteristic)
        return replace(settings, source=source)

    async def stop(self) -> None:
        """End the stream. Harmless where the link is gone, or goes meanwhile; afterwards no sample comes."""
        begun, self._begun = self._begun, False
        try:
            if begun and self._client.is_connected:
                await self._end()
        except BleakError:
            if self._client.is_connected:
                raise
        finally:
            self.close()

    def close(self) -> None:
        """The link has ended, or is about to: samples that wait are handed out, and nothing afterwards."""
        self._on_samples = None

    async def unsubscribe(self) -> None:
        """Hear nothing more; to be called before the client disconnects. Raises bleak's BleakError.

        bluetoothd 5.66 dies when a device is disconnected whose notifications are acquired (seen by the third time, as
        in bluez pull request 1784); unsubscribed before, data first, 25 of 25 went well.
        """
        for uuid in sorted(self._subscribed, key=lambda uuid: not self._subscribed[uuid]):
            if self._client.is_connected:
                await self._unsubscribe(uuid)

    async def battery_percent(self) -> int:
        """Raises WrongSensorError where the sensor has no battery level or tells nonsense."""
        value = await self._read(_BATTERY_LEVEL, "its battery level")
        if len(value) < 1 or value[0] > 100:
            raise WrongSensorError(f"{self._name} tells a battery level of {value.hex()}; update its firmware.")
        return value[0]

    async def clock_bounds(self, now_s: Callable[[], float]) -> ClockBounds | None:
        """Ask the sensor for its clock, once, while it streams; None where its family cannot tell it.

        now_s: the gateway's clock [s]. Raises SensorError in its kinds, and bleak's BleakError.
        """
        return None

    @abstractmethod
    async def _begin(self, rate_hz: float, batch: int) -> StreamSettings:
        """Subscribe, ask for the stream, set the decoder up for it."""

    @abstractmethod
    async def _end(self) -> None:
        """Ask for no more."""

    async def _read_source(self) -> Source:
        return await read_device_information(self._client, self.family.code)

    @property
    def _name(self) -> str:
        return f"The {self.family.name} sensor {self._client.address}"

    def _check_services(self) -> None:
        services = self._client.services
        if services.get_service(self.service) is None:
            raise WrongSensorError(
                f"{self._name} does not offer the service of its family, so it is another device; remove it."
            )
        if any(services.get_characteristic(uuid) is None for uuid in self.characteristics):
            raise WrongSensorError(f"{self._name} lacks a part of its family's service; update its firmware.")

    def _check_firmware(self, source: Source) -> None:
        runs, needed = version_numbers(source.firmware), self._least_firmware(source)
        if runs and needed and runs < needed:
            least = ".".join(map(str, needed))
            raise FirmwareTooOldError(
                f"{self._name} runs firmware {source.firmware} and Sinew needs {least} or later; "
                f"update it with the program of {self.family.maker}."
            )

    def _least_firmware(self, source: Source) -> tuple[int, ...]:
        """Below which version this device lacks what is needed; empty where its maker tells of none."""
        return ()

    def _check_packet_size(self) -> None:
        data = self._client.services.get_characteristic(self.characteristics[0])
        # Of the characteristic, because BlueZ reports 23 for the connection until it is asked for each of its MTUs.
        holds = data.max_write_without_response_size if data is not None else 0
        if holds < self.least_payload_bytes:
            raise NarrowLinkError(
                f"{self._name} sends packets of {self.least_payload_bytes} bytes and this connection holds {holds}; "
                "use a Bluetooth adapter of version 4.2 or later."
            )

    async def _listen(self, characteristic: str) -> None:
        """Take this characteristic's notifications as data.

        By AcquireNotify, because BlueZ's StartNotify costs D-Bus as much as all the rest, and throttles where that is
        too much. What comes before the subscription is confirmed is lost that way, when nothing has been counted yet.
        """
        await self._subscribe(characteristic, self._on_data, acquire=True)

    async def _listen_for_replies(self, characteristic: str) -> None:
        """Take this characteristic's notifications as answers to `_ask`."""
        await self._subscribe(characteristic, self._on_reply, acquire=False)

    async def _subscribe(
        self, uuid: str, callback: Callable[[BleakGATTCharacteristic, bytearray], None], *, acquire: bool
    ) -> None:
        if uuid not in self._subscribed:
            with self._naming("its subscription"):
                await self._client.start_notify(uuid, callback, bluez={"use_start_notify": not acquire})
            self._subscribed[uuid] = acquire

    async def _unsubscribe(self, uuid: str) -> None:
        if self._subscribed.pop(uuid, None) is not None:
            await self._client.stop_notify(uuid)

    async def _read(self, characteristic: str, what: str) -> bytes:
        """Read a value. Raises WrongSensorError where there is none, SensorRefusedError where it is refused."""
        if self._client.services.get_characteristic(characteristic) is None:
            raise WrongSensorError(f"{self._name} does not tell {what}; update its firmware.")
        with self._naming(f"to tell {what}"):
            return bytes(await self._client.read_gatt_char(characteristic))

    async def _write(self, characteristic: str, command: bytes, what: str, *, response: bool = True) -> None:
        """Write a command that is not answered. Raises SensorRefusedError, naming the command as `what`."""
        with self._naming(what):
            await self._client.write_gatt_char(characteristic, command, response=response)

    async def _ask(
        self,
        characteristic: str,
        command: bytes,
        answer: Callable[[bytes], T | None],
        what: str,
        *,
        response: bool = True,
    ) -> T:
        """Write a command and wait for its answer: the first reply of which `answer` makes something.

        Raises NoReplyError, and SensorRefusedError where the write is refused or `answer` raises DecodeError.
        """
        async with self._asking:
            while not self._replies.empty():
                self._replies.get_nowait()  # the late answer to a question that was given up
            await self._write(characteristic, command, what, response=response)
            try:
                async with asyncio.timeout(REPLY_TIMEOUT_S):
                    while (answered := answer(await self._replies.get())) is None:
                        pass
            except DecodeError as error:
                raise SensorRefusedError(
                    f"{self._name} does not follow its protocol: {error} Update its firmware."
                ) from error
            except TimeoutError as error:
                raise NoReplyError(f"{self._name} did not answer {what}; bring it closer or restart it.") from error
            return answered

    @contextlib.contextmanager
    def _naming(self, what: str) -> Iterator[None]:
        try:
            yield
        except BleakGATTProtocolError as error:
            raise SensorRefusedError(f"{self._name} refused {what}: {error}; restart it.") from error
        except BleakCharacteristicNotFoundError as error:
            raise WrongSensorError(
                f"{self._name} has no place for {what}; it is another device, or too old."
            ) from error

    def _on_reply(self, _: BleakGATTCharacteristic, data: bytearray) -> None:
        with contextlib.suppress(asyncio.QueueFull):  # nobody asks: a sensor that babbles must not fill the memory
            self._replies.put_nowait(bytes(data))

    def _on_data(self, characteristic: BleakGATTCharacteristic, data: bytearray) -> None:
        if self._early is None:
            self._decode(bytes(data), characteristic.uuid)
        elif len(self._early) < _EARLY_PACKETS:
            self._early.append((bytes(data), characteristic.uuid))

    def _decode(self, data: bytes, characteristic: str) -> None:
        if self._on_samples is None:
            return
        try:
            runs = self.decoder.decode(data, characteristic)
        except DecodeError as error:
            self.decode_errors += 1
            if self.decode_errors == 1:  # a sensor that errs once may err a hundred times a second
                _log.warning("%s sent a packet that is left out: %s", self._name, error)
            return
        if runs:
            self._hear(int(runs[-1].sensor_time_us[-1]))
        self._hand_out(runs)

    def _hear(self, time_us: int) -> None:
        if self._on_heard is not None:
            self._on_heard(time_us)

    def _forget_early(self) -> None:
        """What has come before the stream that is about to begin belongs to another."""
        if self._early is not None:
            self._early = []

    def _hand_out(self, runs: Iterable[ImuSamples]) -> None:
        for run in runs:
            if self._on_samples is not None:
                self._on_samples(run)

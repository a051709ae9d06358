"""WitMotion's sensors with Bluetooth 5: a stream of frames, and registers that are read and written amid it."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Iterator
from dataclasses import replace

from bleak import BleakClient
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from analytics.signals.samples import Source

from ...driver_kit.driver import SensorDriver
from ...driver_kit.family import IMU, Family, Quantity, StreamSettings
from ...errors import DecodeError, SensorRefusedError, WrongSensorError
from .decoder import RESOLUTION, WitMotionDecoder
from .frames import FRAME_BYTES, REPLY, FrameStream
from .registers import (
    ALGORITHM_CODES,
    CALIBRATION_ACC,
    CALIBRATION_NONE,
    CALIBRATION_YAW_ZERO,
    Register,
    decode_battery_percent,
    decode_magnetic_field_ut,
    decode_quaternion,
    decode_reply,
    decode_temperature_celsius,
    decode_value,
    decode_version,
    encode_algorithm,
    encode_bandwidth,
    encode_calibration,
    encode_rate,
    encode_read,
    encode_save,
    encode_unlock,
    encode_write,
)

USUAL_RATE_HZ = 100.0
COMMAND_PAUSE_S = 0.1
"""What the maker's own programs wait after each command."""
OLD_FIRMWARE_S = 1.0
"""So long may a sensor think about a register that its firmware may not have."""

_NAME = re.compile(r"B?WT\d{3}")


class WitMotionDriver(SensorDriver[WitMotionDecoder]):
    """It streams as soon as it is subscribed to, at the rate that its registers hold, and answers in between.

    BlueZ's AcquireNotify may lose what comes before the subscription is confirmed: here nobody would have counted it.
    """

    family = Family(
        code="witmotion",
        name="WitMotion BLE 5.0",
        maker="WitMotion",
        quantities=(*IMU, Quantity.ORIENTATION),
        rates_hz=(10.0, 20.0, 50.0, 100.0, 200.0),  # of RATE_CODES, those that can follow a movement and are certain
        acc_ranges_g=(16,),
        gyr_ranges_dps=(2000,),
        timestamps=None,
        sequence=None,
        synchronisation=None,
        cannot=(
            "tell when a sample was taken, that one was lost, or that one was damaged: frames have no checksum",
            "send its magnetic field with the samples: it is read on request",
            "exceed 50 Hz in models with Bluetooth 4 (WT901BLECL)",
        ),
        source="WitMotion, BLE 5.0 Communication Protocol; github.com/WITMOTION/WitBluetooth_BWT901BLE5_0",
    )
    # These end in 9a34fb, where Bluetooth's own numbers end in 9b34fb.
    service = "0000ffe5-0000-1000-8000-00805f9a34fb"
    characteristics = ("0000ffe4-0000-1000-8000-00805f9a34fb", "0000ffe9-0000-1000-8000-00805f9a34fb")

    def __init__(self, client: BleakClient, decoder: WitMotionDecoder | None = None) -> None:
        super().__init__(client, decoder)
        self._reply_frames = FrameStream()

    @classmethod
    def matches(cls, device: BLEDevice, advertisement: AdvertisementData) -> bool:
        """By name, as the maker's programs do: not every model advertises its service."""
        name = advertisement.local_name or device.name or ""
        return cls.service in advertisement.service_uuids or _NAME.match(name) is not None

    @classmethod
    def new_decoder(cls) -> WitMotionDecoder:
        return WitMotionDecoder()

    async def battery_percent(self) -> int:
        """By the maker's own curve of voltage. Raises WrongSensorError where the voltage is none of a lithium cell."""
        with self._unknown_as_wrong():
            return decode_battery_percent(await self._read_register(Register.BATTERY))

    async def orientation(self) -> tuple[float, ...]:
        """Its own estimate now: w, x, y, z, sensor to earth."""
        return decode_quaternion(await self._read_register(Register.QUATERNION))

    async def magnetic_field_ut(self) -> tuple[float, ...]:
        """x, y, z now. Raises WrongSensorError where the unit of its magnetometer is not known."""
        kind = decode_value(await self._read_register(Register.MAGNETOMETER))
        with self._unknown_as_wrong():
            return decode_magnetic_field_ut(await self._read_register(Register.MAGNETIC_FIELD), kind)

    async def temperature_celsius(self) -> float:
        """Of its chip now."""
        return decode_temperature_celsius(await self._read_register(Register.TEMPERATURE))

    async def set_bandwidth(self, bandwidth_hz: int) -> None:
        """Filter readings by one of BANDWIDTH_CODES, and keep that in flash."""
        await self._set(encode_bandwidth(bandwidth_hz), f"a bandwidth of {bandwidth_hz} Hz")

    async def set_algorithm(self, axes: int) -> None:
        """Have it compute orientation from 6 axes, or from 9 with the magnetometer, and keep that in flash."""
        await self._set(encode_algorithm(axes), f"an algorithm of {axes} axes")

    async def begin_calibration(self) -> None:
        """Begin to calibrate the accelerometer: the sensor must lie level and still until `end_calibration`."""
        await self._command("a calibration", encode_calibration(CALIBRATION_ACC))

    async def end_calibration(self) -> None:
        """Keep in flash what `begin_calibration` has found."""
        await self._command("the end of a calibration", encode_calibration(CALIBRATION_NONE), encode_save())

    async def zero_yaw(self) -> None:
        """Call its present heading zero, in flash as well. Raises SensorRefusedError unless it is set to 6 axes."""
        if decode_value(await self._read_register(Register.ALGORITHM)) != ALGORITHM_CODES[6]:
            raise SensorRefusedError(f"{self._name} finds north by itself; set its algorithm to 6 axes first.")
        await self._command("a zero heading", encode_calibration(CALIBRATION_YAW_ZERO), encode_save())

    async def _read_source(self) -> Source:
        source = await super()._read_source()
        return replace(source, firmware=decode_version(await self._read_register(Register.VERSION)))

    async def _begin(self, rate_hz: float, batch: int) -> StreamSettings:
        await self._listen(self.characteristics[0])
        rate_hz = self.family.nearest_rate_hz(rate_hz, USUAL_RATE_HZ)
        changed = await self._set(encode_rate(rate_hz), f"a rate of {rate_hz:g} Hz")
        if await self._sends_displacement():
            changed |= await self._set(encode_write(Register.OUTPUT, 0), "to send acceleration")
        if changed:
            self._forget_early()
        self.decoder.begin(rate_hz)
        return StreamSettings(rate_hz, RESOLUTION, timestamped=False)

    async def _end(self) -> None:
        await self._unsubscribe(self.characteristics[0])

    async def _sends_displacement(self) -> bool:
        """Whether its frames hold displacement and speed, of which nobody could tell by the bytes."""
        try:
            async with asyncio.timeout(OLD_FIRMWARE_S):
                return decode_value(await self._read_register(Register.OUTPUT)) != 0
        except TimeoutError:
            return False  # firmware from before it could

    async def _set(self, command: bytes, what: str) -> bool:
        """Write a register and keep it, unless it holds this already: flash wears. Returns whether it was changed."""
        register, value = command[2], int.from_bytes(command[3:], "little")
        if decode_value(await self._read_register(register)) == value:
            return False
        await self._command(what, command, encode_save())
        if decode_value(await self._read_register(register)) != value:
            raise SensorRefusedError(f"{self._name} did not accept {what}; restart it.")
        return True

    async def _command(self, what: str, *commands: bytes) -> None:
        for command in (encode_unlock(), *commands):
            await self._write(self.characteristics[1], command, what, response=self._confirms_writes)
            await asyncio.sleep(COMMAND_PAUSE_S)

    async def _read_register(self, register: int) -> bytes:
        """The frame that answers: this register and the seven that follow. It comes amid the stream."""
        notifying, writing = self.characteristics
        streams = notifying in self._subscribed
        await self._listen(notifying)
        try:
            return await self._ask(
                writing,
                encode_read(register),
                lambda frame: frame if decode_reply(frame)[0] == register else None,
                f"a question for register {register:#04x}",
                response=self._confirms_writes,
            )
        finally:
            if not streams:
                await self._unsubscribe(notifying)

    @property
    def _confirms_writes(self) -> bool:
        writing = self._client.services.get_characteristic(self.characteristics[1])
        return writing is not None and "write" in writing.properties

    @contextlib.contextmanager
    def _unknown_as_wrong(self) -> Iterator[None]:
        try:
            yield
        except DecodeError as error:
            raise WrongSensorError(f"{self._name} cannot be understood: {error}") from error

    def _on_data(self, characteristic: BleakGATTCharacteristic, data: bytearray) -> None:
        frames = self._reply_frames.feed(bytes(data))
        for at in range(0, len(frames), FRAME_BYTES):
            if frames[at + 1] == REPLY:
                self._on_reply(characteristic, bytearray(frames[at : at + FRAME_BYTES]))
        super()._on_data(characteristic, data)

"""Arduino's Nicla Sense ME with the sketch of its dashboard."""

from __future__ import annotations

import asyncio
import contextlib
import math
import struct
from collections.abc import Iterator
from typing import NamedTuple

from ...driver_kit import driver
from ...driver_kit.family import IMU, Family
from ...errors import DecodeError, NoReplyError, SensorRefusedError
from .sketch import Sketch, SketchDriver, decode_vector

__all__ = ["NiclaDriver", "Surroundings", "decode_orientation", "decode_vector"]

_UUID = "19b10000-{}-537e-4f6c-d104768a1214"
_ACC, _GYR, _ORIENTATION = (_UUID.format(number) for number in ("5001", "6001", "7001"))
_TEMPERATURE, _HUMIDITY, _PRESSURE, _LIGHT = (_UUID.format(number) for number in ("2001", "3001", "4001", "8001"))

NICLA = Sketch(
    acc=_ACC,
    gyr=_GYR,
    # The sketch sends what the chip (BHI260AP) counts, and the library leaves its ranges as they are:
    # github.com/arduino/nicla-sense-me-fw, SensorXYZ.h and the example IMURangeSettings; issue 49 there shows 1 g.
    acc_unit_g=8 / 32768,
    gyr_unit_dps=2000 / 32768,
    acc_range_g=8,
    gyr_range_dps=2000,
)


class Surroundings(NamedTuple):
    """temperature_celsius: of the board, which is warmer than the air."""

    temperature_celsius: float
    humidity_percent: int
    pressure_hpa: float


def encode_light(red: int, green: int, blue: int) -> bytes:
    """The colour of its light, each part from 0 to 255. Raises ValueError."""
    return bytes([red, green, blue])


def decode_temperature(data: bytes) -> float:
    """In °C. Raises DecodeError."""
    return _number(data)


def decode_humidity(data: bytes) -> int:
    """In %: one byte, says BLE_spec.txt; the sketch's BLEUnsignedIntCharacteristic sends four. Raises DecodeError."""
    if len(data) not in (1, 4):
        raise DecodeError(f"A humidity has {len(data)} bytes and not 1 or 4.")
    return int.from_bytes(data, "little")


def decode_pressure(data: bytes) -> float:
    """In hPa, says the library's example; boards that send Pa were seen (forum.arduino.cc 1305045). DecodeError."""
    return _number(data)


def _number(data: bytes) -> float:
    if len(data) != 4:
        raise DecodeError(f"A number has {len(data)} bytes and not 4.")
    (number,) = struct.unpack("<f", data)
    if not math.isfinite(number):
        raise DecodeError("What is sent is no number.")
    return float(number)


def decode_orientation(data: bytes) -> tuple[float, ...]:
    """w, x, y, z of a notification that sends x, y, z, w. Raises DecodeError."""
    if len(data) != 16:
        raise DecodeError(f"An orientation has {len(data)} bytes and not 16.")
    x, y, z, w = struct.unpack("<4f", data)
    if not 0.9 < w * w + x * x + y * y + z * z < 1.1:
        raise DecodeError("An orientation is no unit quaternion.")
    return w, x, y, z


class NiclaDriver(SketchDriver):
    family = Family(
        code="arduino_nicla",
        name="Arduino Nicla Sense ME",
        maker="Arduino",
        quantities=IMU,
        rates_hz=(),
        acc_ranges_g=(8,),
        gyr_ranges_dps=(2000,),
        timestamps=None,
        sequence=None,
        synchronisation=None,
        cannot=(
            "tell when a sample was taken, or that one was lost",
            "keep a rate: its sketch sends as fast as the radio takes it, which is measured in the first second",
            "send its orientation with the samples: it is read on request",
            "tell its battery level",
        ),
        source="github.com/arduino/ArduinoAI, NiclaSenseME-dashboard",
    )
    service = _UUID.format("0000")
    characteristics = (_ACC, _GYR)
    sketch = NICLA

    async def orientation(self) -> tuple[float, ...]:
        """The board's own estimate now: w, x, y, z, as Bosch's fusion gives it. Raises NoReplyError."""
        while not self._replies.empty():
            self._replies.get_nowait()
        await self._listen_for_replies(_ORIENTATION)
        try:
            async with asyncio.timeout(driver.REPLY_TIMEOUT_S):
                with self._following_protocol():
                    return decode_orientation(await self._replies.get())
        except TimeoutError as error:
            raise NoReplyError(f"{self._name} did not send its orientation; bring it closer or restart it.") from error
        finally:
            await self._unsubscribe(_ORIENTATION)

    async def surroundings(self) -> Surroundings:
        """Temperature, humidity and air pressure now. Raises SensorRefusedError, WrongSensorError."""
        temperature = await self._read(_TEMPERATURE, "its temperature")
        humidity = await self._read(_HUMIDITY, "the humidity")
        pressure = await self._read(_PRESSURE, "the air pressure")
        with self._following_protocol():
            return Surroundings(decode_temperature(temperature), decode_humidity(humidity), decode_pressure(pressure))

    async def light(self, red: int, green: int, blue: int) -> None:
        """Light its lamp in this colour, each part from 0 to 255; all 0 is dark. Raises SensorRefusedError."""
        await self._write(_LIGHT, encode_light(red, green, blue), "the colour of its light")

    @contextlib.contextmanager
    def _following_protocol(self) -> Iterator[None]:
        try:
            yield
        except DecodeError as error:
            raise SensorRefusedError(f"{self._name} does not follow its protocol: {error} Load its sketch.") from error

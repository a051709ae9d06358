"""Nordic Thingy:52: its motion service's raw data, one sample to a notification. All numbers are little-endian.

Source: NordicSemiconductor/Nordic-Thingy52-FW: ble_tms.h (layouts), m_motion.c (scales and limits of the raw data),
drv_motion.c (signs), and documentation/firmware_architecture.html of v2.2.0.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar

import numpy as np
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from analytics.signals.samples import ImuSamples, Resolution, Source

from ..driver_kit.decoder import Decoder
from ..driver_kit.driver import SensorDriver
from ..driver_kit.family import IMU, Family, Quantity, StreamSettings
from ..driver_kit.timeline import CountedTimeline
from ..driver_kit.units import DPS_RAD_S, STANDARD_GRAVITY_M_S2
from ..errors import DecodeError, SensorRefusedError, WrongSensorError


def _uuid(number: int) -> str:
    return f"ef68{number:04x}-9b35-4933-9b10-52ffa9740042"


CONFIGURATION_SERVICE_UUID = _uuid(0x0100)
"""What it advertises."""
FIRMWARE_VERSION_UUID = _uuid(0x0107)
SERVICE_UUID = _uuid(0x0400)
CONFIG_UUID = _uuid(0x0401)
TAP_UUID = _uuid(0x0402)
ORIENTATION_UUID = _uuid(0x0403)
QUATERNION_UUID = _uuid(0x0404)
STEPS_UUID = _uuid(0x0405)
RAW_UUID = _uuid(0x0406)
EULER_UUID = _uuid(0x0407)
ROTATION_UUID = _uuid(0x0408)
HEADING_UUID = _uuid(0x0409)
GRAVITY_UUID = _uuid(0x040A)

ACC_PER_G, GYR_PER_DPS, MAG_PER_UT = 1 << 10, 1 << 5, 1 << 4
"""Counts of the raw data: 16.16 fixed point cut to 6.10, 11.5 and 12.4."""
_CONFIG = struct.Struct("<4HB")
_TAP_DIRECTIONS = {1: "x up", 2: "x down", 3: "y up", 4: "y down", 5: "z up", 6: "z down"}
_ORIENTATIONS = ("portrait", "landscape", "reverse portrait", "reverse landscape")


class MotionConfig(NamedTuple):
    """How the sensor measures; it keeps this in flash memory. Fields in the order sent."""

    steps_interval_ms: int
    temperature_interval_ms: int
    compass_interval_ms: int
    rate_hz: int
    wake_on_motion: int


class Tap(NamedTuple):
    direction: str
    taps: int


class Steps(NamedTuple):
    steps: int
    walked_ms: int


class Euler(NamedTuple):
    roll_deg: float
    pitch_deg: float
    yaw_deg: float


def encode_config(
    steps_interval_ms: int, temperature_interval_ms: int, compass_interval_ms: int, rate_hz: int, wake_on_motion: int
) -> bytes:
    """0401, as written. The firmware refuses what is out of its limits."""
    return _CONFIG.pack(steps_interval_ms, temperature_interval_ms, compass_interval_ms, rate_hz, wake_on_motion)


def decode_config(data: bytes) -> MotionConfig:
    """0401, as read."""
    return MotionConfig(*_unpack(_CONFIG.format, data))


def decode_raw(data: bytes) -> tuple[int, ...]:
    """0406 in counts (9,): acceleration, angular rate, magnetic field.

    The acceleration is positive along gravity, the opposite of specific force: drv_motion.c turns the accelerometer's
    axes round, "to get positive readings when axis is aligned with g (down)", and leaves the gyroscope's.
    """
    return _unpack("<9h", data)


def decode_tap(data: bytes) -> Tap:
    """0402."""
    direction, taps = _unpack("<BB", data)
    if direction not in _TAP_DIRECTIONS:
        raise DecodeError(f"A tap from direction {direction} is unknown.")
    return Tap(_TAP_DIRECTIONS[direction], taps)


def decode_orientation(data: bytes) -> str:
    """0403: how it is held."""
    (number,) = _unpack("<B", data)
    if number >= len(_ORIENTATIONS):
        raise DecodeError(f"An orientation {number} is unknown.")
    return _ORIENTATIONS[number]


def decode_quaternion(data: bytes) -> tuple[float, ...]:
    """0404: w, x, y, z, sensor to a world that the maker does not define."""
    return _fixed("<4i", data, 30)


def decode_steps(data: bytes) -> Steps:
    """0405."""
    return Steps(*_unpack("<II", data))


def decode_euler(data: bytes) -> Euler:
    """0407."""
    return Euler(*_fixed("<3i", data, 16))


def decode_rotation(data: bytes) -> tuple[float, ...]:
    """0408: the quaternion's rotation matrix (9,), row by row."""
    return _fixed("<9h", data, 14)


def decode_heading(data: bytes) -> float:
    """0409 [°], 0 to 360."""
    return _fixed("<i", data, 16)[0]


def decode_gravity(data: bytes) -> tuple[float, ...]:
    """040A [m/s²]."""
    return _unpack("<3f", data)


def decode_firmware_version(data: bytes) -> str:
    """0107."""
    return ".".join(map(str, _unpack("<3B", data)))


def _fixed(layout: str, data: bytes, fraction_bits: int) -> tuple[float, ...]:
    return tuple(value / (1 << fraction_bits) for value in _unpack(layout, data))


def _unpack(layout: str, data: bytes) -> tuple[Any, ...]:
    if len(data) != struct.calcsize(layout):
        raise DecodeError(f"{len(data)} bytes came where {struct.calcsize(layout)} were due.")
    return struct.unpack(layout, data)


V = TypeVar("V")
USUAL_RATE_HZ = 100.0
ESTIMATES: dict[Callable[[bytes], Any], str] = {
    decode_tap: TAP_UUID,
    decode_orientation: ORIENTATION_UUID,
    decode_quaternion: QUATERNION_UUID,
    decode_steps: STEPS_UUID,
    decode_euler: EULER_UUID,
    decode_rotation: ROTATION_UUID,
    decode_heading: HEADING_UUID,
    decode_gravity: GRAVITY_UUID,
}
"""What the sensor's own motion library makes of its readings, by how it is decoded."""
_RESOLUTION = Resolution(STANDARD_GRAVITY_M_S2 / ACC_PER_G, DPS_RAD_S / GYR_PER_DPS)
# The acceleration that is sent points down (see decode_raw); what is wanted is specific force.
_STEPS = np.array([-_RESOLUTION.acc_m_s2] * 3 + [_RESOLUTION.gyr_rad_s] * 3 + [1 / MAG_PER_UT] * 3)
_HIGHEST_ACC = 2 * ACC_PER_G - 1
"""Of the chip's 2 g (mpu_init, and nothing else sets it)."""
_HIGHEST_GYR = 1023 * GYR_PER_DPS
"""Where m_motion.c holds the angular rate, for 16 bits carry no more; the chip's own range is 2000 °/s."""


class ThingyDecoder(Decoder):
    """No time, no sequence: samples are counted. A sensor without a new reading is sent as zeros."""

    def __init__(self) -> None:
        self._timeline: CountedTimeline | None = None

    def begin(self, rate_hz: float) -> None:
        """Be ready for samples at this rate; at the same rate as before the count goes on."""
        if self._timeline is None or self._timeline.rate_hz != rate_hz:
            self._timeline = CountedTimeline(rate_hz)

    def decode(self, data: bytes, characteristic: str = "") -> Sequence[ImuSamples]:
        if self._timeline is None:
            raise DecodeError("Samples came before their rate was known.")
        counts = decode_raw(data)
        if not any(counts[:6]):
            return []  # a reading of the magnetometer alone, between two samples
        readings = np.array([counts]) * _STEPS
        clipped = max(map(abs, counts[:3])) >= _HIGHEST_ACC or max(map(abs, counts[3:6])) >= _HIGHEST_GYR
        return [
            ImuSamples(
                sensor_time_us=self._timeline.place(1),
                acc_m_s2=readings[:, :3],
                gyr_rad_s=readings[:, 3:6],
                mag_ut=readings[:, 6:] if any(counts[6:]) else np.full((1, 3), np.nan),
                clipped=np.array([clipped]),
                source=self.source,
            )
        ]


class ThingyDriver(SensorDriver[ThingyDecoder]):
    """AcquireNotify loses nothing although it starts by being subscribed to: it first powers its chip, for 20 ms."""

    family = Family(
        code="thingy52",
        name="Nordic Thingy:52",
        maker="Nordic Semiconductor",
        quantities=(*IMU, Quantity.MAGNETIC_FIELD),
        rates_hz=(5.0, 8.0, 10.0, 20.0, 25.0, 40.0, 50.0, 100.0, 200.0),
        acc_ranges_g=(2.0,),
        gyr_ranges_dps=(1023.0,),
        timestamps=None,
        sequence=None,
        synchronisation=None,
        cannot=(
            "tell when a sample was taken, or that one was lost",
            "measure more than 2 g, as at the foot in walking",
            "measure the magnetic field more than ten times a second",
            "say to which sample and which axes of the earth its own orientation belongs; Sinew makes its own",
        ),
        source="github.com/NordicSemiconductor/Nordic-Thingy52-FW",
    )
    service = SERVICE_UUID
    characteristics = (RAW_UUID, CONFIG_UUID)

    @classmethod
    def matches(cls, device: BLEDevice, advertisement: AdvertisementData) -> bool:
        return CONFIGURATION_SERVICE_UUID in advertisement.service_uuids

    @classmethod
    def new_decoder(cls) -> ThingyDecoder:
        return ThingyDecoder()

    async def watch(self, decode: Callable[[bytes], V], on_value: Callable[[V], None]) -> None:
        """Be told what the sensor makes of its readings, as `watch(decode_heading, print)`; one of ESTIMATES."""
        await self.prepare()

        def tell(_: BleakGATTCharacteristic, data: bytearray) -> None:
            try:
                value = decode(bytes(data))
            except DecodeError:
                self.decode_errors += 1
            else:
                on_value(value)

        await self._subscribe(ESTIMATES[decode], tell, acquire=True)

    async def unwatch(self, decode: Callable[[bytes], Any]) -> None:
        """End what `watch` began."""
        await self._unsubscribe(ESTIMATES[decode])

    async def _read_source(self) -> Source:
        """It has no Device Information service, but tells its firmware's version."""
        source = await super()._read_source()
        try:
            version = decode_firmware_version(await self._read(FIRMWARE_VERSION_UUID, "its firmware's version"))
        except (WrongSensorError, DecodeError):
            version = source.firmware
        return replace(source, firmware=version, calibration="by the sensor's motion library, in use")

    async def _begin(self, rate_hz: float, batch: int) -> StreamSettings:
        rate_hz = self.family.nearest_rate_hz(rate_hz, USUAL_RATE_HZ)
        try:
            config = decode_config(await self._read(CONFIG_UUID, "its configuration"))
        except DecodeError as error:
            raise SensorRefusedError(
                f"{self._name} does not follow its protocol: {error} Update its firmware."
            ) from error
        if config.rate_hz != rate_hz:  # each write goes to its flash memory
            changed = config._replace(rate_hz=round(rate_hz))
            await self._write(CONFIG_UUID, encode_config(*changed), f"a rate of {rate_hz:g} Hz")
        self.decoder.begin(rate_hz)
        await self._listen(RAW_UUID)
        return StreamSettings(rate_hz, _RESOLUTION, timestamped=False)

    async def _end(self) -> None:
        await self._unsubscribe(RAW_UUID)

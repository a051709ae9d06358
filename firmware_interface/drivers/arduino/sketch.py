"""What Arduino's open sketches share: each quantity is notified by itself, as three floats without time or count.

Nobody is told how often. A sketch notifies when its chip has a new reading, or as fast as the radio takes it, so the
rate is what arrives in the first second.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from bleak import BleakClient
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from analytics.signals.samples import FloatArray, ImuSamples, Resolution

from ...driver_kit.clipping import clipped_values
from ...driver_kit.counted_pairing import CountedPairing
from ...driver_kit.decoder import Decoder
from ...driver_kit.driver import SensorDriver
from ...driver_kit.family import StreamSettings
from ...driver_kit.timeline import CountedTimeline
from ...driver_kit.units import DPS_RAD_S, STANDARD_GRAVITY_M_S2
from ...errors import DecodeError, WrongSensorError

NOMINAL_RATE_HZ = 100.0
"""Where too little arrives to measure."""
FIRST_READING_S = 3.0
MEASURED_S = 1.0
RATE_TOLERANCE = 0.05
"""Readings arrive in bursts of a connection interval, 50 ms at most: one part in twenty of what is measured."""
_LARGEST_MAG_UT = 5000.0
_MOST_MEASURED = 4096


@dataclass(frozen=True, slots=True)
class Sketch:
    """A published sketch: its characteristics, what 1 means in each, and the ranges that it sets its chips to.

    rates_hz: of its chips, where it notifies each of their readings.
    """

    acc: str
    gyr: str
    acc_unit_g: float
    gyr_unit_dps: float
    acc_range_g: float
    gyr_range_dps: float
    mag: str | None = None
    rates_hz: tuple[float, ...] = ()

    @property
    def resolution(self) -> Resolution:
        """Of its chips, which have 16 bits, whatever their readings are sent as."""
        step = 2.0**-15
        return Resolution(self.acc_range_g * step * STANDARD_GRAVITY_M_S2, self.gyr_range_dps * step * DPS_RAD_S)


def decode_vector(data: bytes) -> tuple[float, float, float]:
    """x, y, z of a notification, as the sketch sends them. Raises DecodeError."""
    if len(data) == 6:
        raise DecodeError("A reading has 6 bytes, so it is of an old sketch that sends integers; load the present one.")
    if len(data) != 12:
        raise DecodeError(f"A reading has {len(data)} bytes and not 12, so it is of another sketch.")
    x, y, z = struct.unpack("<3f", data)
    return x, y, z


class ArduinoDecoder(Decoder):
    """One acceleration and one angular rate make a sample, in the order that they come."""

    def __init__(self, sketch: Sketch) -> None:
        self._sketch = sketch
        self.begin(NOMINAL_RATE_HZ)

    def begin(self, rate_hz: float) -> None:
        """Pair and count anew, at this rate."""
        self._timeline = CountedTimeline(rate_hz)
        self._pairing = CountedPairing()
        self._mag_ut: FloatArray | None = None

    def decode(self, data: bytes, characteristic: str = "") -> Sequence[ImuSamples]:
        sketch = self._sketch
        if characteristic == sketch.acc:
            self._pairing.add_first(_reading(data, sketch.acc_unit_g, sketch.acc_range_g))
        elif characteristic == sketch.gyr:
            self._pairing.add_second(_reading(data, sketch.gyr_unit_dps, sketch.gyr_range_dps))
        elif characteristic == sketch.mag:
            self._mag_ut = _reading(data, 1.0, _LARGEST_MAG_UT)
        else:
            raise DecodeError("A notification came on a characteristic that the sketch does not have.")
        pairs = self._pairing.take()
        return [] if pairs is None else [self._samples(*pairs)]

    def _samples(self, acc_g: FloatArray, gyr_dps: FloatArray) -> ImuSamples:
        mag_ut = None
        if self._sketch.mag is not None:
            mag_ut = np.full(acc_g.shape, np.nan)
            mag_ut[:1] = np.nan if self._mag_ut is None else self._mag_ut
            self._mag_ut = None
        return ImuSamples(
            sensor_time_us=self._timeline.place(len(acc_g)),
            acc_m_s2=acc_g * STANDARD_GRAVITY_M_S2,
            gyr_rad_s=gyr_dps * DPS_RAD_S,
            mag_ut=mag_ut,
            clipped=clipped_values(acc_g, self._sketch.acc_range_g, gyr_dps, self._sketch.gyr_range_dps),
            source=self.source,
        )


def _reading(data: bytes, unit: float, largest: float) -> FloatArray:
    values = [value * unit for value in decode_vector(data)]
    if not all(abs(value) <= largest for value in values):  # neither are those that are no numbers
        raise DecodeError(f"A reading of {values} is beyond what the chip measures.")
    return np.array([values])


class SketchDriver(SensorDriver[ArduinoDecoder]):
    """It streams as soon as it is subscribed to. A family says which sketch it is.

    BlueZ's AcquireNotify may lose what comes before the subscription is confirmed: here nobody would have counted it.
    """

    sketch: ClassVar[Sketch]

    def __init__(self, client: BleakClient, decoder: ArduinoDecoder | None = None) -> None:
        super().__init__(client, decoder)
        self._measured: list[tuple[float, bytes, str]] | None = None
        self._came = asyncio.Event()

    @classmethod
    def matches(cls, device: BLEDevice, advertisement: AdvertisementData) -> bool:
        return cls.service in advertisement.service_uuids

    @classmethod
    def new_decoder(cls) -> ArduinoDecoder:
        return ArduinoDecoder(cls.sketch)

    async def _begin(self, rate_hz: float, batch: int) -> StreamSettings:
        for characteristic in self.characteristics:
            await self._listen(characteristic)
        # From here on all streams run, so here pairing begins; what came before is of some and not of others.
        notifications = await self._notifications_of_first_second()
        if any(uuid == self.sketch.gyr and len(data) == 6 for _, data, uuid in notifications):
            raise WrongSensorError(
                f"{self._name} runs an old sketch, which sends angular rate as integers; "
                f"load the present one from {self.family.source}."
            )
        arrivals_s = [arrival_s for arrival_s, _, uuid in notifications if uuid == self.sketch.acc]
        rate = rate_of_arrivals(arrivals_s, self.sketch.rates_hz)
        self.decoder.begin(rate)
        self._forget_early()
        for _, data, uuid in notifications:
            self._decode(data, uuid)
        return StreamSettings(rate, self.sketch.resolution, timestamped=False)

    async def _end(self) -> None:
        for characteristic in self.characteristics:
            await self._unsubscribe(characteristic)

    def _on_data(self, characteristic: BleakGATTCharacteristic, data: bytearray) -> None:
        if self._measured is None:
            super()._on_data(characteristic, data)
        elif len(self._measured) < _MOST_MEASURED:
            self._measured.append((asyncio.get_running_loop().time(), bytes(data), characteristic.uuid))
            self._came.set()

    async def _notifications_of_first_second(self) -> list[tuple[float, bytes, str]]:
        """With their arrival [s]; none where none comes for long."""
        notifications: list[tuple[float, bytes, str]] = []
        self._measured = notifications
        self._came.clear()
        try:
            async with asyncio.timeout(FIRST_READING_S):
                await self._came.wait()
        except TimeoutError:
            return []
        else:
            await asyncio.sleep(MEASURED_S)
            return notifications
        finally:
            self._measured = None


def rate_of_arrivals(arrivals_s: Sequence[float], chip_rates_hz: Sequence[float] = ()) -> float:
    """At which rate [Hz] readings are sent that arrived then; NOMINAL_RATE_HZ where they are too few.

    That of a chip, or one with a period of whole milliseconds as sketches that wait have it, where it is within what
    can be told from so few arrivals; otherwise as measured.
    """
    half = len(arrivals_s) // 2
    if half < 4:
        return NOMINAL_RATE_HZ
    spans_s = np.sort(np.subtract(arrivals_s[half : 2 * half], arrivals_s[:half]))
    # The middle half of them: where the gateway was busy for a moment, only some are wrong.
    period_s = max(1e-4, float(spans_s[half // 4 : half - half // 4].mean()) / half)
    rounded = 1000 / max(1, round(period_s * 1000))
    nearest = min((*chip_rates_hz, rounded), key=lambda rate_hz: abs(rate_hz * period_s - 1))
    return nearest if abs(nearest * period_s - 1) <= RATE_TOLERANCE else round(1 / period_s, 1)

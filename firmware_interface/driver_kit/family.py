"""What a sensor family can do, said once: the table in docs/sensors.md is made from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from analytics.signals.samples import Resolution, Source


class Quantity(StrEnum):
    ACCELERATION = "acceleration"
    ANGULAR_RATE = "angular rate"
    MAGNETIC_FIELD = "magnetic field"
    ORIENTATION = "orientation"


IMU = (Quantity.ACCELERATION, Quantity.ANGULAR_RATE)


@dataclass(frozen=True, slots=True)
class Family:
    """One row of the table. Text is for people; None means that the family has nothing of the kind.

    code: the name in files and commands, as `movella_dot`. rates_hz: what `start` can be asked for, ascending; empty
    where the sensor names its own. ranges: full scales that its firmware can be set to, or has. timestamps, sequence:
    what packets carry. synchronisation: how its clock can be brought to another's, beyond fitting arrival times.
    cannot: what users of other sensors would miss. source: where the protocol is published.
    """

    code: str
    name: str
    maker: str
    quantities: tuple[Quantity, ...]
    rates_hz: tuple[float, ...]
    acc_ranges_g: tuple[float, ...]
    gyr_ranges_dps: tuple[float, ...]
    timestamps: str | None
    sequence: str | None
    synchronisation: str | None
    cannot: tuple[str, ...]
    source: str

    @property
    def has_imu(self) -> bool:
        """Whether a joint's angle can be followed with it: acceleration and angular rate."""
        return set(IMU) <= set(self.quantities)

    @property
    def measures_rate(self) -> bool:
        """Whether its rate is known from arrivals only, so that a recording cannot be played faster than life."""
        return not self.rates_hz and self.timestamps is None

    def nearest_rate_hz(self, rate_hz: float, usual_hz: float) -> float:
        """The rate of this family nearest to the one asked for; `usual_hz` for 0."""
        return min(self.rates_hz, key=lambda known: abs(known - rate_hz)) if rate_hz else usual_hz


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """What the sensor does, which may differ from what was asked.

    continues: sequence and clock go on from the last connection, and the first samples tell what was lost between.
    longest_silence_s: how long may lie between two notifications where the firmware fills large ones before it sends.
    timestamped: False where sensor times are a count of samples at the nominal rate, and only arrival tells the time.
    source: the device, as it told at the connection's begin.
    shared_clock: the name of a clock that several sensors were brought to, where its times are of that one; None where
    they are of its own. Sensors may be of two such groups and not know it, so the name is to be checked by arrivals.
    """

    rate_hz: float
    resolution: Resolution
    continues: bool = False
    timestamped: bool = True
    longest_silence_s: float = 0.0
    source: Source | None = None
    shared_clock: str | None = None

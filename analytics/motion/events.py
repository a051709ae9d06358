"""What the tracker says: the joint angle now, that the axis was found or not, repetitions counted or not, and what is
wrong with a sensor."""

from __future__ import annotations

from dataclasses import dataclass

from analytics.domain.measure import Measure
from analytics.domain.session import Calibration
from analytics.motion.repetition import NotCounted
from analytics.motion.timed.run import TestEvent
from analytics.motion.worn import SensorNote
from analytics.signals.samples import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class RepetitionMotion:
    """The joint angle over one repetition, from start to end, one value per distal sample.

    time_s: (n,) session time. flexion_deg: (n,) joint flexion.
    """

    time_s: FloatArray
    flexion_deg: FloatArray


@dataclass(frozen=True, slots=True)
class AngleSample:
    """The joint angle at one sample of the distal sensor.

    excursion_deg is how far the joint is from its rest pose, positive in the exercise's direction; error_deg is one
    standard deviation of it, skin motion apart.
    """

    time_s: float
    sensor_time_us: int
    flexion_deg: float
    excursion_deg: float
    error_deg: float


@dataclass(frozen=True, slots=True)
class Calibrated:
    """The joint's axis was found, or (`calibration` is None) a movement was learned that has no angle. Comes
    before the first angle, and again where another movement is repeated than was shown."""

    calibration: Calibration | None


@dataclass(frozen=True, slots=True)
class CalibrationRefused:
    """A movement did not show the axis. The sentence says what to do again."""

    time_s: float
    sentence: str


@dataclass(frozen=True, slots=True, eq=False)
class RepetitionDone:
    """One movement away from the rest pose and back. Times are session times.

    excursion_error_deg is one standard deviation of excursion_deg. What is in degrees, and `motion`, is None where no
    angle is followed. measures: what else was measured of it, compensations among them.
    """

    number: int
    start_s: float
    peak_s: float
    end_s: float
    excursion_deg: float | None
    excursion_error_deg: float | None
    peak_flexion_deg: float | None
    peak_velocity_deg_s: float | None
    motion: RepetitionMotion | None
    measures: tuple[Measure, ...] = ()


TrackerEvent = AngleSample | Calibrated | CalibrationRefused | RepetitionDone | NotCounted | SensorNote | TestEvent

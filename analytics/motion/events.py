"""What the tracker says: the joint angle now, that the axis was found, and that a repetition is done."""

from __future__ import annotations

from dataclasses import dataclass

from analytics.domain.session import Calibration
from analytics.signals.samples import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class RepetitionMotion:
    """The joint angle over one repetition, from start to end, one value per distal sample.

    time_s: (n,) gateway session time. flexion_deg: (n,) joint flexion.
    """

    time_s: FloatArray
    flexion_deg: FloatArray


@dataclass(frozen=True, slots=True)
class AngleSample:
    """The joint angle at one sample of the distal sensor.

    excursion_deg is how far the joint is from its rest pose, positive in the exercise's direction.
    """

    time_s: float
    sensor_time_us: int
    flexion_deg: float
    excursion_deg: float


@dataclass(frozen=True, slots=True)
class Calibrated:
    """The joint's axis was found. Comes once, before the first angle."""

    calibration: Calibration


@dataclass(frozen=True, slots=True, eq=False)
class RepetitionDone:
    """One movement away from the rest pose and back. Times are gateway session times.

    excursion_error_deg is one standard deviation of excursion_deg.
    """

    number: int
    start_s: float
    peak_s: float
    end_s: float
    excursion_deg: float
    excursion_error_deg: float
    peak_flexion_deg: float
    peak_velocity_deg_s: float
    motion: RepetitionMotion


TrackerEvent = AngleSample | Calibrated | RepetitionDone

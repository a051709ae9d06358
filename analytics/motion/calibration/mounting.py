"""Whether a sensor sits as it should: not upside down, not turned on its segment, not slipped, not loose.

Calibration finds out how a sensor sits, so that an angle is right however that is; and no arrow means the same on all
sensors. So a sensor is compared with itself: with how it sat last time, and with how it sat when it was calibrated.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import degrees

import numpy as np

from analytics.motion.quaternion import Vector
from analytics.signals.samples import FloatArray

from .still_pose import angle_deg

UPSIDE_DOWN_DEG = 120.0
TURNED_DEG = 35.0
"""Turns below this are how differently the same person straps a sensor on, and calibration takes them up."""
SLIPPED_DEG = 15.0
"""A slip by this makes an excursion 3 % too small (cos 15°), as much as its error anyway. What was steady at first is
elsewhere by this in two repetitions running 6 times in 24 sessions of up to 30 repetitions, with five sensors each, in
which nobody's sensor is known to have slipped (Yurtman & Barshan); with 10° it would be 23 times."""
WOBBLE_ABOVE_HZ = 4.0
"""Faster than people exercise."""
LOOSE_DEG = 2.0
"""Well-strapped sensors tremble by 0.02 to 0.3° in slow exercises (Yurtman & Barshan) and up to 1° in squats and
lunges (CMU), sensors on foam swung about without pause by 1.4° (RING chain)."""


class Fault(StrEnum):
    """What is wrong with how a sensor sits."""

    UPSIDE_DOWN = "upside_down"
    TURNED = "turned"
    SLIPPED = "slipped"
    MOVED = "moved"
    LOOSE = "loose"


_SENTENCES = {
    Fault.UPSIDE_DOWN: "The sensor on your {segment} sits the other way up than last time. Angles are right all the "
    "same; turn it round for the next session, so that leaning is told the same way.",
    Fault.TURNED: "The sensor on your {segment} sits {angle:.0f}° off from last time. Angles are right all the same; "
    "strap it on as in the picture next time.",
    Fault.SLIPPED: "The sensor on your {segment} has slipped by {angle:.0f}°. Tighten its strap and calibrate again.",
    Fault.MOVED: "Your {segment} or its sensor is turned by {angle:.0f}° since you began. Take the pose from which you "
    "began; if that is how you are, tighten the strap and calibrate again.",
    Fault.LOOSE: "The sensor on your {segment} is loose. Tighten its strap and do the movement again.",
}


@dataclass(frozen=True, slots=True)
class Mounting:
    """off_deg: how far from where it should be. refusal: one sentence; None where it is good."""

    off_deg: float
    fault: Fault | None = None
    refusal: str | None = None


def check_mounting(
    segment: str, up: Vector, expected_up: Vector, axis: Vector | None = None, expected_axis: Vector | None = None
) -> Mounting:
    """Compare what a still pose says is up, and the joint's axis as found, with what they should be in the sensor's
    frame. An axis has no sense; a sensor turned about it shows in `up`."""
    tilt = angle_deg(up, expected_up)
    twist = 0.0
    if axis is not None and expected_axis is not None:
        twist = angle_deg(axis, expected_axis)
        twist = min(twist, 180.0 - twist)
    if tilt > UPSIDE_DOWN_DEG:
        return _fault(Fault.UPSIDE_DOWN, segment, tilt)
    off = max(tilt, twist)
    return _fault(Fault.TURNED, segment, off) if off > TURNED_DEG else Mounting(off)


def check_slipped(segment: str, axis_before: Vector, axis_now: Vector) -> Mounting:
    """Compare the axis of the same joint, in the sense of the same movement: what was calibrated holds no more once the
    sensor has slipped."""
    off = angle_deg(axis_before, axis_now)
    return _fault(Fault.SLIPPED, segment, off) if off > SLIPPED_DEG else Mounting(off)


def check_rest(segment: str, up_before: Vector, up_now: Vector) -> Mounting:
    """Compare what should be the same pose before and after. A slip about the joint's axis shows here alone, but so
    does another pose."""
    off = angle_deg(up_before, up_now)
    return _fault(Fault.MOVED, segment, off) if off > SLIPPED_DEG else Mounting(off)


def check_strap(segment: str, gyr_rad_s: FloatArray, rate_hz: float) -> Mounting:
    """How far a sensor trembles while its segment moves slowly: (n, 3) angular rate of a few repetitions."""
    off = wobble_deg(gyr_rad_s, rate_hz)
    return _fault(Fault.LOOSE, segment, off) if off > LOOSE_DEG else Mounting(off)


def wobble_deg(gyr_rad_s: FloatArray, rate_hz: float) -> float:
    """RMS angle of what is faster than WOBBLE_ABOVE_HZ, integrated from the angular rate in the frequency domain."""
    frequencies_hz = np.fft.rfftfreq(len(gyr_rad_s), 1.0 / rate_hz)
    fast = frequencies_hz >= WOBBLE_ABOVE_HZ
    spectrum = np.fft.rfft(gyr_rad_s, axis=0)
    spectrum[fast] /= 2 * np.pi * frequencies_hz[fast, None]
    spectrum[~fast] = 0.0
    angles = np.fft.irfft(spectrum, len(gyr_rad_s), axis=0)
    return degrees(float(np.sqrt(np.mean(np.sum(angles**2, axis=1)))))


def plain_name(segment: str) -> str:
    """What to call a segment to the person who wears the sensor."""
    return segment.replace("shank", "lower leg").replace("_", " ")


def _fault(fault: Fault, segment: str, off_deg: float) -> Mounting:
    return Mounting(off_deg, fault, _SENTENCES[fault].format(segment=segment, angle=off_deg))

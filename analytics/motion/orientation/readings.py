"""Whether readings can be what they are said to be: units of both sensors, and the sampling rate.

Gravity is the witness. Turned by the gyroscope into a nearly inertial frame, what the accelerometer measured adds up to
gravity, however one moves; turned by a rate in wrong units it points everywhere and cancels out.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from analytics.motion.orientation.filter import GRAVITY_M_S2
from analytics.motion.orientation.turning import matrices, product, small_turns
from analytics.signals.samples import FloatArray

WINDOW_S = 5.0
LEAST_RATE_RAD_S = 0.15
"""Mean rate over the window, below which it shows nothing about the gyroscope's unit."""
LEAST_GAIN = 0.2
"""How much better gravity must add up with the rate read as degrees. On windows of BROAD, RepoIMU, RING, UCI and SPAR,
the most for readings in rad/s was 0.15 (fast shaking), the least for readings in degrees 0.25."""
SHORT_WINDOW_S, SHORT_HOP_S = 1.0, 0.25
LEAST_SHORT_RATE_RAD_S, LEAST_SHORT_GAIN = 6.0, 0.6
"""The same over a second: the most for readings in rad/s was 0.45 (an arm swung to and fro, SPAR)."""
LARGEST_RATE_RAD_S, LARGEST_FOR_S = 35.0, 0.1
"""±2000 °/s, where sensors end that people wear, is 34.9 rad/s. The fastest wrist there has 29. By these two, readings
in degrees were known for such, of 133 sensors that turned by 200° or more, when they had truly turned by 9° (median)
and by 41° at most; none of 190 in rad/s was suspected."""
GRAVITY_SHARE = 0.35
"""The median of |acc| is this near to gravity even in fast exercise."""
G_AFTER_S, GRAVITY_AFTER_S = 0.25, 1.0
"""Nobody falls for as long as the first; any other strength may come of swinging an arm."""
RATE_SHARE = 0.05
"""Clocks of consumer sensors are within 1 %, and arrival times over five seconds within 2 %."""


class Complaint(StrEnum):
    ACCELERATION_IN_G = "acceleration_in_g"
    NO_GRAVITY = "no_gravity"
    RATE_IN_DEGREES = "rate_in_degrees"
    SAMPLING_RATE = "sampling_rate"


@dataclass(frozen=True, slots=True)
class ReadingFault:
    """sentence: for the person in front of it."""

    complaint: Complaint
    sentence: str


RATE_IN_DEGREES = ReadingFault(
    Complaint.RATE_IN_DEGREES,
    "This sensor's rate of turn comes in degrees, not in radians per second; choose the right sensor model and "
    "begin again.",
)


def check_readings(
    gyr_rad_s: FloatArray, acc_m_s2: FloatArray, rate_hz: float, time_s: FloatArray | None = None
) -> tuple[ReadingFault, ...]:
    """What is wrong with samples (n, 3), NaN left out; empty where nothing can be said. time_s: (n,), from a clock that
    is not the sensor's count of samples; without it the rate is not judged."""
    finite = np.asarray(np.isfinite(gyr_rad_s + acc_m_s2).all(axis=1))
    found = [_gravity(acc_m_s2[finite]), _gyroscope(gyr_rad_s[finite], acc_m_s2[finite], rate_hz)]
    if time_s is not None:
        found.append(_rate(time_s, rate_hz))
    return tuple(one for one in found if one is not None)


class FirstReadings:
    """The same while samples arrive: says once what movement shows, within its first second as a rule, and at once what
    needs none.

    judged: whether nothing more will be said.
    """

    def __init__(self, rate_hz: float) -> None:
        self._rate_hz = rate_hz
        self._window, self._short = round(WINDOW_S * rate_hz), round(SHORT_WINDOW_S * rate_hz)
        self._hop = max(1, round(SHORT_HOP_S * rate_hz))
        self._gyr, self._acc = np.empty((0, 3)), np.empty((0, 3))
        self._looked = self._next_look = 0
        self.judged = False

    def update(self, gyr_rad_s: FloatArray, acc_m_s2: FloatArray) -> tuple[ReadingFault, ...]:
        """Take samples (n, 3) without gaps."""
        if self.judged:
            return ()
        self._gyr, self._acc = np.concatenate([self._gyr, gyr_rad_s]), np.concatenate([self._acc, acc_m_s2])
        found = self._at_once() if len(self._gyr) >= self._next_look else ()
        if not found and len(self._gyr) >= self._window:
            found = check_readings(self._gyr, self._acc, self._rate_hz)
            self.judged = float(np.abs(self._gyr).mean()) >= LEAST_RATE_RAD_S
            self.restart()
        self.judged |= bool(found)
        return found

    def restart(self) -> None:
        """Begin the window anew, after a gap."""
        self._gyr, self._acc = self._gyr[:0], self._acc[:0]
        self._looked = self._next_look = 0

    def _at_once(self) -> tuple[ReadingFault, ...]:
        """What need not wait for the window to be full."""
        self._next_look = (len(self._gyr) // self._hop + 1) * self._hop
        felt = _gravity(self._acc) if len(self._acc) >= G_AFTER_S * self._rate_hz else None
        known = len(self._acc) >= GRAVITY_AFTER_S * self._rate_hz or (
            felt and felt.complaint is not Complaint.NO_GRAVITY
        )
        found = [felt] if known else []
        while self._looked + self._short <= len(self._gyr) and RATE_IN_DEGREES not in found:
            part = slice(self._looked, self._looked + self._short)
            found.append(_gyroscope_soon(self._gyr[part], self._acc[part], self._rate_hz))
            self._looked += self._hop
        return tuple(one for one in found if one is not None)


def _gravity(acc: FloatArray) -> ReadingFault | None:
    if not len(acc):
        return None
    size = float(np.median(np.linalg.norm(acc, axis=1)))
    if abs(size / GRAVITY_M_S2 - 1.0) < GRAVITY_SHARE:
        return None
    if abs(size - 1.0) < GRAVITY_SHARE or abs(size / 1000.0 - 1.0) < GRAVITY_SHARE:
        unit = "g" if size < 10.0 else "thousandths of g"
        return ReadingFault(
            Complaint.ACCELERATION_IN_G,
            f"This sensor's acceleration comes in {unit}, not in m/s²; choose the right sensor model and begin again.",
        )
    return ReadingFault(
        Complaint.NO_GRAVITY,
        f"This sensor measures {size:.1f} m/s² where gravity is 9.8; it is broken or set up for something else, so use "
        "another one.",
    )


def _gyroscope(gyr: FloatArray, acc: FloatArray, rate_hz: float) -> ReadingFault | None:
    window = round(WINDOW_S * rate_hz)
    count = len(gyr) // window
    if not count:
        return None
    gyr, acc = (x[: count * window].reshape(count, window, 3).swapaxes(0, 1) for x in (gyr, acc))
    moving = np.abs(gyr).mean(axis=(0, 2)) >= LEAST_RATE_RAD_S
    if not moving.any() or float(np.median(_gain(gyr[:, moving], acc[:, moving], rate_hz))) < LEAST_GAIN:
        return None
    return RATE_IN_DEGREES


def _gyroscope_soon(gyr: FloatArray, acc: FloatArray, rate_hz: float) -> ReadingFault | None:
    """What a second (n, 3) is enough for: nobody turns so fast, or gravity turns along much more slowly."""
    speed = np.linalg.norm(gyr, axis=1)
    if np.count_nonzero(speed > LARGEST_RATE_RAD_S) > LARGEST_FOR_S * rate_hz:
        return RATE_IN_DEGREES
    if float(speed.mean()) < LEAST_SHORT_RATE_RAD_S:
        return None
    return RATE_IN_DEGREES if _gain(gyr[:, None], acc[:, None], rate_hz)[0] >= LEAST_SHORT_GAIN else None


def _gain(gyr: FloatArray, acc: FloatArray, rate_hz: float) -> FloatArray:
    """How much better gravity adds up over each window (n, w, 3) with the rate read as degrees (w,)."""
    return _gravity_share(np.radians(gyr), acc, rate_hz) - _gravity_share(gyr, acc, rate_hz)


def _gravity_share(gyr: FloatArray, acc: FloatArray, rate_hz: float) -> FloatArray:
    """How much of the specific force (n, w, 3) of each window adds up in the inertial frame (w,): 1 is all of it."""
    orientation = np.tile([1.0, 0.0, 0.0, 0.0], (gyr.shape[1], 1))
    total = np.zeros((gyr.shape[1], 3))
    for rate, force in zip(gyr, acc, strict=True):
        orientation = product(orientation, small_turns(rate / rate_hz))
        total += (matrices(orientation) @ force[:, :, None])[:, :, 0]
    return np.asarray(np.linalg.norm(total, axis=1) / np.linalg.norm(acc, axis=2).sum(axis=0))


def _rate(time_s: FloatArray, rate_hz: float) -> ReadingFault | None:
    if len(time_s) < round(WINDOW_S * rate_hz) or not time_s[-1] > time_s[0]:
        return None
    measured = (len(time_s) - 1) / float(time_s[-1] - time_s[0])
    if abs(measured / rate_hz - 1.0) < RATE_SHARE:
        return None
    return ReadingFault(
        Complaint.SAMPLING_RATE,
        f"This sensor sends {measured:.0f} samples a second, not {rate_hz:.0f} as set; switch it off and on again, or "
        "have its rate corrected.",
    )

"""Walking-like movement: joint angles over the gait cycle, and a pelvis that goes round in circles.

Not a model of balance: feet follow from the pelvis and slide a little. It is there so that a tracker meets what people
do between their sets.
"""

from __future__ import annotations

import numpy as np

from analytics.signals.samples import FloatArray

from .course import chain, cruise, envelope, minimum_jerk, product, sine
from .moving_frame import MovingFrame

CYCLE_DEG = {
    "hip": (28.0, 22.0, 13.0, 3.0, -6.0, -10.0, -1.0, 14.0, 26.0, 30.0),
    "knee": (5.0, 16.0, 16.0, 9.0, 5.0, 10.0, 35.0, 60.0, 55.0, 22.0),
    "ankle": (0.0, -4.0, 3.0, 7.0, 10.0, 8.0, -14.0, -9.0, -1.0, 1.0),
}
"""Flexion at each tenth of the cycle from heel strike on, rounded from the usual course of healthy walking (Perry &
Burnfield 2010, Gait Analysis, ch. 4–6)."""
ARM_SWING_DEG = 15.0
PELVIS_DEG = (1.5, 2.5, 4.0)
"""Nod, list and turn of the pelvis, half of their range; the trunk turns back as far."""
BOB_M = 0.02
STRIKE_M, STRIKE_SHARPNESS = 0.0006, 60.0
"""Each step ends in a jolt of about half g, some 50 ms long, that all segments above the foot share."""
CADENCE_HZ, SPEED_M_S, RAMP_S = 0.9, 1.1, 1.5


def walking_angles(time_s: FloatArray, cadence_hz: float) -> dict[str, FloatArray]:
    """Courses of joint angles [deg] (3 angles, 3, n) added to standing: 0 at both ends."""
    duration_s = time_s[-1]
    fade, phase = envelope(time_s, duration_s, RAMP_S), _phase(time_s, duration_s, cadence_hz)
    turn_back = product(fade, -PELVIS_DEG[2] * sine(phase + _ahead(np.pi / 2)))
    added = {"trunk": _about(2, turn_back)}
    for side, lead in (("right", 0.0), ("left", np.pi)):
        here = phase + _ahead(lead)
        for joint, table in CYCLE_DEG.items():
            added[f"{side}_{joint}"] = _about(0, product(fade, _periodic(table, here)))
        # Elevation to the front and back, opposite to the leg: plane of elevation 90°, undone by rotation -90°.
        swing = product(fade, ARM_SWING_DEG * sine(here - _ahead(np.pi / 2)))
        front = 90.0 * (minimum_jerk(time_s, 0.0, 0.5) - minimum_jerk(time_s, duration_s - 0.5, 0.5))
        added[f"{side}_shoulder"] = np.stack([front, swing, -front])
    return added


def walking_pelvis(start: MovingFrame, time_s: FloatArray, cadence_hz: float) -> MovingFrame:
    """The pelvis goes round in whole circles of about 12 s, starting and ending where it stood."""
    duration_s = time_s[-1]
    fade, phase = envelope(time_s, duration_s, RAMP_S), _phase(time_s, duration_s, cadence_hz)
    going_s = duration_s - RAMP_S
    rounds = max(1, round(going_s / 12.0))
    turn = 2 * np.pi * rounds * cruise(time_s, duration_s, RAMP_S) / going_s
    radius = np.array([0.0, 0.0, SPEED_M_S * going_s / (2 * np.pi * rounds)])
    steps = 2.0 * phase
    peak = np.exp(STRIKE_SHARPNESS * (np.cos(steps[0]) - 1.0))
    k, s, c = STRIKE_SHARPNESS, np.sin(steps[0]), np.cos(steps[0])
    strike = chain((peak, -k * s * peak, (k * k * s * s - k * c) * peak), steps)
    up = np.zeros((3, len(time_s), 3))
    up[:, :, 1] = product(fade, -BOB_M * sine(steps + _ahead(np.pi / 2)) - STRIKE_M * strike)
    frame = start.shifted(-radius).turned(1, turn).shifted(radius).shifted(up)
    for axis, half_deg, angle in zip((2, 0, 1), PELVIS_DEG, (steps, phase, phase + _ahead(np.pi / 2)), strict=True):
        frame = frame.turned(axis, product(fade, np.radians(half_deg) * sine(angle)))
    return frame


def _phase(time_s: FloatArray, duration_s: float, cadence_hz: float) -> FloatArray:
    return 2 * np.pi * cadence_hz * cruise(time_s, duration_s, RAMP_S)


def _ahead(angle_rad: float) -> FloatArray:
    """A constant, as a course to be added."""
    return np.array([[angle_rad], [0.0], [0.0]])


def _periodic(table: tuple[float, ...], phase: FloatArray) -> FloatArray:
    """Course through the values of a table that repeats with each turn of `phase`: its first four harmonics."""
    harmonics = np.fft.rfft(table)[:5] / len(table)
    total = np.zeros_like(phase)
    total[0] = harmonics[0].real
    for k, h in enumerate(harmonics[1:], 1):
        total += 2 * abs(h) * sine(k * phase + _ahead(np.angle(h) + np.pi / 2))
    return total


def _about(axis: int, course: FloatArray) -> FloatArray:
    out = np.zeros((3, *course.shape))
    out[axis] = course
    return out

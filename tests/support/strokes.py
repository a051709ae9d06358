"""Movements whose measures are known in closed form: minimum-jerk strokes (Flash & Hogan 1985)."""

from __future__ import annotations

import numpy as np


def position(share_of_time):
    """0 … 1, before and after it at rest."""
    s = np.clip(share_of_time, 0.0, 1.0)
    return 10 * s**3 - 15 * s**4 + 6 * s**5


def velocity(share_of_time):
    """Derivative of `position` by the share of time; at most 15/8."""
    s = np.clip(share_of_time, 0.0, 1.0)
    return 30 * s**2 * (1 - s) ** 2


def repetition(rate_hz=100.0, *, out_s=1.0, hold_s=0.0, back_s=1.0, rest_s=0.5, range_deg=60.0):
    """Times and angle of one repetition: rest, out, hold, back, rest."""
    time_s = np.arange(round((2 * rest_s + out_s + hold_s + back_s) * rate_hz) + 1) / rate_hz
    out, back = position((time_s - rest_s) / out_s), position((time_s - rest_s - out_s - hold_s) / back_s)
    return time_s, range_deg * (out - back)


def chair_stands(stands, rate_hz=100.0, *, begin_s=2.0, height=1.0):
    """Times, height above the seat, and the moments of each (rise begins, stands, sits): stands are (up_s, standing_s,
    down_s, sitting_s)."""
    moments, at_s = [], begin_s
    for up_s, standing_s, down_s, sitting_s in stands:
        moments.append((at_s, at_s + up_s, at_s + up_s + standing_s + down_s))
        at_s += up_s + standing_s + down_s + sitting_s
    time_s = np.arange(round((at_s + 2.0) * rate_hz)) / rate_hz
    path = np.zeros_like(time_s)
    for (_, _, down_s, _), (rises_s, stood_s, sits_s) in zip(stands, moments, strict=True):
        path += position((time_s - rises_s) / (stood_s - rises_s)) - position((time_s - sits_s + down_s) / down_s)
    return time_s, height * path, moments

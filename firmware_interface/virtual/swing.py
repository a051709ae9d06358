"""A simulated signal that loops without a seam: a limb that swings about its joint."""

from __future__ import annotations

import numpy as np

from ..open_profile import STANDARD_GRAVITY_M_S2
from .playback import Playback


def swinging_limb(
    rate_hz: float = 100.0, *, period_s: float = 4.0, amplitude_rad: float = 0.7, phase_rad: float = 0.0
) -> Playback:
    """One period of an angle amplitude · sin(2π t / period + phase) from hanging, as a sensor at the joint measures it.

    The sensor's x points along the limb, z is the joint's axis, so that its specific force is gravity alone, turned by
    the angle, and its angular rate is the angle's derivative. The period is rounded to a whole number of samples.
    """
    time_s = np.arange(max(1, round(period_s * rate_hz))) / rate_hz
    period_s = len(time_s) / rate_hz
    turn_rad = 2 * np.pi * time_s / period_s + phase_rad
    angle_rad = amplitude_rad * np.sin(turn_rad)
    rate_rad_s = amplitude_rad * np.cos(turn_rad) * 2 * np.pi / period_s
    nothing = np.zeros_like(time_s)
    return Playback(
        rate_hz,
        time_s,
        acc_m_s2=STANDARD_GRAVITY_M_S2 * np.column_stack([-np.cos(angle_rad), np.sin(angle_rad), nothing]),
        gyr_rad_s=np.column_stack([nothing, nothing, rate_rad_s]),
    )

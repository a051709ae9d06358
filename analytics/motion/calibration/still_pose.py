"""Two seconds without movement: the gyroscope's bias, which way is up for the sensor, and a zero for the joint."""

from __future__ import annotations

from dataclasses import dataclass
from math import degrees

import numpy as np

from analytics.motion.quaternion import Vector
from analytics.signals.samples import FloatArray

STILL_POSE_S = 2.0
GRAVITY_M_S2 = 9.81
LARGEST_GRAVITY_ERROR = 0.1
"""Share. The accelerometers of the OpenAXES robot are off by 3 %; in g instead of m/s² it would be 90 %."""
LARGEST_RMS_DEG_S = 3.0
LARGEST_BIAS_DEG_S = 5.0
"""As the orientation filter believes at most; faster than this is turning, not bias."""
LARGEST_SWAY_DEG = 2.0
NOT_STILL = "That was not still: rest the sensor's limb on something and hold still for two seconds."


@dataclass(frozen=True, slots=True)
class StillPose:
    """bias_rad_s: what the gyroscope measures at rest. up: unit vector in the sensor's frame. gravity_m_s2: its
    strength as measured. rms_deg_s: angular rate about its mean. sway_deg: turn of `up` from the first half to the
    second. refusal: what was wrong and what to do, in one sentence; None where it is good."""

    bias_rad_s: Vector
    up: Vector
    gravity_m_s2: float
    rms_deg_s: float
    sway_deg: float
    refusal: str | None = None


def still_pose(acc_m_s2: FloatArray, gyr_rad_s: FloatArray, rate_hz: float) -> StillPose:
    """Judge a pose held still: (n, 3) specific force and angular rate of one sensor."""
    bias, force = gyr_rad_s.mean(axis=0), acc_m_s2.mean(axis=0)
    gravity = float(np.linalg.norm(force))
    middle = len(acc_m_s2) // 2
    rms = degrees(float(np.sqrt(np.mean(np.sum((gyr_rad_s - bias) ** 2, axis=1)))))
    sway = angle_deg(acc_m_s2[:middle].mean(axis=0), acc_m_s2[middle:].mean(axis=0))
    turning = degrees(float(np.linalg.norm(bias)))
    return StillPose(
        bias_rad_s=_vector(bias),
        up=_vector(force / max(gravity, 1e-9)),
        gravity_m_s2=gravity,
        rms_deg_s=rms,
        sway_deg=sway,
        refusal=_refusal(len(acc_m_s2) / rate_hz, gravity, rms, sway, turning),
    )


def angle_deg(a: FloatArray | Vector, b: FloatArray | Vector) -> float:
    """Angle between two vectors, 0 … 180, exact for small ones too."""
    return degrees(float(np.arctan2(np.linalg.norm(np.cross(a, b)), np.dot(a, b))))


def _refusal(
    duration_s: float, gravity_m_s2: float, rms_deg_s: float, sway_deg: float, turning_deg_s: float
) -> str | None:
    if duration_s < STILL_POSE_S:
        return "That was too short: hold still for two seconds."
    if rms_deg_s > LARGEST_RMS_DEG_S or sway_deg > LARGEST_SWAY_DEG or turning_deg_s > LARGEST_BIAS_DEG_S:
        return NOT_STILL
    if abs(gravity_m_s2 / GRAVITY_M_S2 - 1.0) > LARGEST_GRAVITY_ERROR:
        return (
            f"At rest this sensor feels {gravity_m_s2:.1f} instead of {GRAVITY_M_S2:.1f} m/s²: "
            "restart it and hold still again, and if that does not help, use another sensor."
        )
    return None


def _vector(v: FloatArray) -> Vector:
    x, y, z = v.tolist()
    return (x, y, z)

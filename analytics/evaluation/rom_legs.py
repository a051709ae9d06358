"""One leg in all its repetitions, and the knee's axis as each of them shows it to the calibration of the gateway."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from analytics.motion.angles import HingeAxes, hinge_axes, up_in_sensor
from analytics.motion.calibration import functional_hinge
from analytics.signals.samples import FloatArray

from .rom_clips import Knee, orientation_when_over

VENDOR = "vendor quaternions"


class Leg:
    """knees: its repetitions. whole: by repetition, orientations (n, 2, 4) from the whole of it."""

    def __init__(self, knees: Sequence[Knee]) -> None:
        self.knees = knees
        self.whole = {knee.repetition: orientation_when_over(knee) for knee in knees}
        self.axes = cache(self._axes)

    def _axes(self, knee: Knee, method: str) -> HingeAxes | None:
        """What one repetition shows, by the vendor's orientations or by ours; None where the calibration refuses."""
        q = knee.vendor if method == VENDOR else self.whole[knee.repetition]
        time_s = np.arange(len(q)) / knee.rate_hz
        hinge = functional_hinge(q[:, 0], q[:, 1], time_s, acc_m_s2=knee.acc, joint="knee")
        if hinge.refusal is not None:
            return None
        return hinge_axes((np.array(hinge.proximal_axis), np.array(hinge.distal_axis)), q[:, 0], q[:, 1])


def flexion_deg(orientation: FloatArray, axes: HingeAxes) -> FloatArray:
    """Flexion [°] (n,) from orientations (n, 2, 4), unwrapped."""
    up = up_in_sensor(orientation)
    return np.degrees(np.unwrap(axes.angle_rad(up[:, 0], up[:, 1])))

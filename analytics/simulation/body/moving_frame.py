"""How a frame moves that is carried by another: two steps, turning and shifting, make every body and every sensor.

The recursion is the forward half of Newton–Euler dynamics (Featherstone 2008, Rigid Body Dynamics Algorithms, ch. 5):
from exact courses it gives exact angular rates and accelerations, without differencing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analytics.motion.rotations import conjugate, multiply, rotate
from analytics.signals.samples import FloatArray

GRAVITY_M_S2 = 9.81


@dataclass(frozen=True, slots=True, eq=False)
class MovingFrame:
    """A frame over n instants. Earth is east, north, up.

    orientation: (n, 4) quaternions, frame to earth. rate_rad_s, turning_rad_s2: (n, 3) angular rate and its
    derivative, in the frame's own axes. place_m, acc_m_s2: (n, 3) origin and its acceleration, in earth axes.
    """

    orientation: FloatArray
    rate_rad_s: FloatArray
    turning_rad_s2: FloatArray
    place_m: FloatArray
    acc_m_s2: FloatArray

    @classmethod
    def at_rest(cls, n: int, orientation: FloatArray, place_m: FloatArray) -> MovingFrame:
        zero = np.zeros((n, 3))
        return cls(np.tile(orientation, (n, 1)), zero, zero, np.tile(place_m, (n, 1)), zero)

    def turned(self, axis: int, angle_rad: FloatArray) -> MovingFrame:
        """A frame that turns within this one about its axis 0, 1 or 2 by a course (3, n)."""
        i, j = (axis + 1) % 3, (axis + 2) % 3
        angle, rate, acc = angle_rad
        c, s = np.cos(angle), np.sin(angle)

        def seen(v: FloatArray) -> FloatArray:
            out = v.copy()
            out[:, i], out[:, j] = c * v[:, i] + s * v[:, j], c * v[:, j] - s * v[:, i]
            return out

        half = np.zeros((len(angle), 4))
        half[:, 0], half[:, 1 + axis] = np.cos(angle / 2), np.sin(angle / 2)
        omega, turning = seen(self.rate_rad_s), seen(self.turning_rad_s2)
        # d/dt(Rᵀω) has the term (Rᵀω) × e·θ̇, whose parts across the axis e are these.
        turning[:, i] += rate * omega[:, j]
        turning[:, j] -= rate * omega[:, i]
        omega[:, axis] += rate
        turning[:, axis] += acc
        return MovingFrame(multiply(self.orientation, half), omega, turning, self.place_m, self.acc_m_s2)

    def shifted(self, offset_m: FloatArray) -> MovingFrame:
        """A frame beside this one at a fixed offset (3,) or at a course of offsets (3, n, 3), in this one's axes."""
        moving = offset_m.ndim > 1
        offset = offset_m[0] if moving else offset_m
        omega = self.rate_rad_s
        acc = np.cross(self.turning_rad_s2, offset) + np.cross(omega, np.cross(omega, offset))
        if moving:
            acc += 2 * np.cross(omega, offset_m[1]) + offset_m[2]
        place = self.place_m + rotate(self.orientation, np.broadcast_to(offset, omega.shape))
        acc = self.acc_m_s2 + rotate(self.orientation, acc)
        return MovingFrame(self.orientation, omega, self.turning_rad_s2, place, acc)

    def reoriented(self, q: FloatArray) -> MovingFrame:
        """A frame fixed to this one with other axes; q (4,) turns vectors from its axes to these."""
        back = conjugate(q)
        return MovingFrame(
            multiply(self.orientation, q),
            rotate(back, self.rate_rad_s),
            rotate(back, self.turning_rad_s2),
            self.place_m,
            self.acc_m_s2,
        )

    def specific_force_m_s2(self) -> FloatArray:
        """What an ideal accelerometer at the origin reads (n, 3): at rest, gravity's length upwards."""
        return rotate(conjugate(self.orientation), self.acc_m_s2 + np.array([0.0, 0.0, GRAVITY_M_S2]))

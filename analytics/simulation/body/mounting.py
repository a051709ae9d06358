"""How a sensor sits on a segment: where, turned how, and how the soft tissue under it moves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analytics.motion.rotations import conjugate, from_rotation_vector, rotate
from analytics.signals.samples import FloatArray

from .moving_frame import MovingFrame
from .skeleton import JOINTS, beside, metres, sensor_place


@dataclass(frozen=True, slots=True)
class SkinMotion:
    """How soft tissue carries a sensor along.

    turn_deg, slide_m: per 90° at a joint beside the segment, about and along each axis, one standard deviation over
    people: muscle bulges and skin is pulled. resonance_hz, damping: of the sensor on the tissue as a mass on a spring
    (Rong & Kuo 2023, doi 10.21203/rs.3.rs-3325551: 10 Hz on the calf, dying away in 0.3 s, 18 Hz and 0.15 s on the
    shin); 0 Hz is none. rock_deg_per_mm: how far it tips as it is displaced.
    """

    turn_deg: float = 2.0
    slide_m: float = 0.004
    resonance_hz: float = 12.0
    damping: float = 0.25
    rock_deg_per_mm: float = 0.3


NO_SKIN_MOTION = SkinMotion(0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Mounting:
    """place_m: (3,) in the segment's frame. orientation: (4,) sensor to segment. turn_rad, slide_m: by joint, the
    sensor's turn (3,) and displacement (3,) in the segment's frame per 90° of the joint's first angle."""

    segment: str
    place_m: FloatArray
    orientation: FloatArray
    skin: SkinMotion
    turn_rad: Mapping[str, FloatArray]
    slide_m: Mapping[str, FloatArray]

    def carried(self, segment: MovingFrame, angles_deg: Mapping[str, FloatArray], rate_hz: float) -> MovingFrame:
        """The sensor's own motion from its segment's and the courses of the joints beside it (3, 3, n)."""
        n = len(segment.orientation)
        sensor, offset = segment, np.zeros((3, n, 3))
        offset[0] = self.place_m
        shares = {joint: angles_deg[joint][_BENDING[joint]] / 90.0 for joint in self.turn_rad if joint in angles_deg}
        for joint, share in shares.items():
            offset += share[:, :, None] * self.slide_m[joint]
        wobble = self._wobble(segment, rate_hz)
        sensor = sensor.shifted(offset + wobble)
        for joint, share in shares.items():
            sensor = turned_about(sensor, self.turn_rad[joint], share)
        if wobble.any():
            outwards = self.place_m * np.array([1.0, 0.0, 1.0])
            outwards = outwards / max(float(np.linalg.norm(outwards)), 1e-9)
            rock = np.radians(self.skin.rock_deg_per_mm * 1e3) * np.cross(outwards, wobble)
            for axis in range(3):
                sensor = sensor.turned(axis, rock[:, :, axis])
        return sensor.reoriented(self.orientation)

    def _wobble(self, segment: MovingFrame, rate_hz: float) -> FloatArray:
        """Course (3, n, 3) of the sensor on its spring, driven by the acceleration a of the segment under it:
        x″ + 2ζω x′ + ω² x = -a, exact where a is constant for half a sample to either side of each sample."""
        if not self.skin.resonance_hz:
            return np.zeros((3, len(segment.orientation), 3))
        under = segment.shifted(self.place_m)
        acc = rotate(conjugate(under.orientation), under.acc_m_s2)
        omega, zeta = 2 * np.pi * self.skin.resonance_hz, self.skin.damping
        ringing, decay = omega * np.sqrt(1 - zeta**2), zeta * omega
        t = np.arange(0.5, 8.0 / decay * rate_hz) / rate_hz
        c, s = np.exp(-decay * t) * np.cos(ringing * t), np.exp(-decay * t) * np.sin(ringing * t)
        to_step = (1 - c - decay / ringing * s) / omega**2, s / ringing
        x, v = (
            np.stack([-np.convolve(a, np.diff(response, prepend=0.0))[: len(a)] for a in acc.T], axis=1)
            for response in to_step
        )
        return np.stack([x, v, -acc - 2 * decay * v - omega**2 * x])


_BENDING = {name: joint.sequence.index(0) if "shoulder" in name else 0 for name, joint in JOINTS.items()}
"""Which of a joint's angles bulges muscle: flexion, and of the shoulder elevation."""


def worn(
    segment: str,
    rng: np.random.Generator,
    *,
    height_m: float = 1.72,
    skin: SkinMotion = SkinMotion(),
    turned_deg: float | None = None,
    place_m: tuple[float, float, float] | None = None,
) -> Mounting:
    """A sensor where a strap usually holds it. turned_deg: how far its axes are off the segment's, about a random
    axis, one standard deviation; None is worn anyhow. Raises KeyError for no such segment."""
    where = metres(sensor_place(segment), height_m) if place_m is None else np.array(place_m)
    if turned_deg is None:
        orientation = rng.normal(size=4)
        orientation = orientation / np.linalg.norm(orientation)
    else:
        orientation = from_rotation_vector(rng.normal(0, np.radians(turned_deg) / np.sqrt(3), 3))
    names = [joint.name for joint in beside(segment)]
    turn = {name: np.radians(rng.normal(0, skin.turn_deg, 3)) for name in names}
    slide = {name: rng.normal(0, skin.slide_m, 3) for name in names}
    return Mounting(segment, where, orientation, skin, turn, slide)


def turned_about(frame: MovingFrame, vector_rad: FloatArray, share: FloatArray) -> MovingFrame:
    """A frame that turns within another about a fixed rotation vector (3,), by a course (3, n) of shares of it."""
    length = float(np.linalg.norm(vector_rad))
    if not length:
        return frame
    toward = _from_x_to(vector_rad / length)
    return frame.reoriented(toward).turned(0, length * share).reoriented(conjugate(toward))


def _from_x_to(direction: FloatArray) -> FloatArray:
    """The quaternion (4,) that turns the x axis to a direction: half a turn about the line half way between."""
    half = np.array([1.0, 0.0, 0.0]) + direction
    length = float(np.linalg.norm(half))
    axis = half / length if length > 1e-9 else np.array([0.0, 1.0, 0.0])
    return np.concatenate([[0.0], axis])

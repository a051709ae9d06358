"""What an inertial sensor makes of the motion it is given."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from analytics.motion.rotations import conjugate, rotate
from analytics.signals.samples import FloatArray

from .moving_frame import GRAVITY_M_S2, MovingFrame


@dataclass(frozen=True, slots=True)
class Errors:
    """Of one channel, in its own unit (m/s², rad/s, µT); what differs from piece to piece as one standard deviation.

    noise: white, per √Hz. bias: constant after power-on. walk: of the bias, per √s. scale: share by which an axis is
    wrong, and by which it hears each other axis (misalignment). step: quantisation. limit: where readings clip. A step
    or limit of 0 is none.
    """

    noise: float = 0.0
    bias: float = 0.0
    walk: float = 0.0
    scale: float = 0.0
    step: float = 0.0
    limit: float = 0.0


@dataclass(frozen=True, slots=True)
class SensorModel:
    """clock_ppm: how much faster a piece samples than its timestamps say, one standard deviation."""

    acc: Errors = Errors()
    gyr: Errors = Errors()
    mag: Errors = Errors()
    clock_ppm: float = 0.0

    def times(self, noise: float) -> SensorModel:
        """The same sensor with all that varies by chance so many times as large; what its numbers can hold stays."""

        def of(one: Errors) -> Errors:
            return replace(
                one, noise=noise * one.noise, bias=noise * one.bias, walk=noise * one.walk, scale=noise * one.scale
            )

        return SensorModel(of(self.acc), of(self.gyr), of(self.mag), noise * self.clock_ppm)


IDEAL = SensorModel()
INEXPENSIVE = SensorModel(
    acc=Errors(300e-6 * GRAVITY_M_S2, 0.05, 3e-4, 0.005, 16 * GRAVITY_M_S2 / 32768, 16 * GRAVITY_M_S2),
    gyr=Errors(np.radians(0.01), 0.005, np.radians(0.002), 0.007, np.radians(2000) / 32768, np.radians(2000)),
    mag=Errors(0.1, 2.0, 0.0, 0.01, 0.15),
)
"""As WitMotion's. Noise as InvenSense states it for the MPU-9250 (PS-MPU-9250A-01, tables 1 and 2), steps and limits as
in the maker's protocol. Bias and scale are assumed: what calibration leaves of the bare part's ±5 °/s and ±3 %; a walk
of 0.12 °/s in an hour."""
GOOD = SensorModel(
    acc=Errors(100e-6 * GRAVITY_M_S2, 0.02, 1e-4, 0.001, 0.0, 16 * GRAVITY_M_S2),
    gyr=Errors(np.radians(0.004), 0.002, np.radians(0.0005), 0.002, 0.0, np.radians(2000)),
    mag=Errors(0.02, 0.5, 0.0, 0.005),
)
"""As Movella's. Noise as measured between neighbouring samples of the quietest units of a standing person (`Pose` of
the CMU recordings: 0.007 m/s² and 0.0005 rad/s at 100 Hz). Bias, walk and scale are assumed."""


def reading(errors: Errors, ideal: FloatArray, rate_hz: float, rng: np.random.Generator) -> FloatArray:
    """What one piece reads (n, 3) where the truth is `ideal` (n, 3)."""
    out = ideal @ (np.eye(3) + rng.normal(0, errors.scale, (3, 3))).T + rng.normal(0, errors.bias, 3)
    out += np.cumsum(rng.normal(0, errors.walk / np.sqrt(rate_hz), ideal.shape), axis=0)
    # A density d over half the sampling rate is a standard deviation of d·√(rate/2).
    out += rng.normal(0, errors.noise * np.sqrt(rate_hz / 2), ideal.shape)
    if errors.step:
        out = np.round(out / errors.step) * errors.step
    return np.asarray(np.clip(out, -errors.limit, errors.limit) if errors.limit else out)


def resampled(samples: FloatArray, at: FloatArray) -> FloatArray:
    """Samples (n, ...) at fractional indices, by Catmull–Rom's cubic; beyond the ends, the first or the last."""
    at = np.clip(at, 0, len(samples) - 1)
    base = np.minimum(at.astype(np.int64), max(len(samples) - 2, 0))
    t = (at - base).reshape(-1, *[1] * (samples.ndim - 1))
    a, b, c, d = (samples[np.clip(base + k, 0, len(samples) - 1)] for k in (-1, 0, 1, 2))
    return np.asarray(b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a))))


@dataclass(frozen=True, slots=True)
class MagneticField:
    """Of the earth, as in the middle of Europe, and of a magnet beside the person.

    magnet_a_m2: moment of the magnet (vertical; a loudspeaker's is about 1 A·m², a steel chair's induced one of the
    same order). magnet_place_m: where it is, in the earth frame of the simulation.
    """

    earth_ut: tuple[float, float, float] = (0.0, 20.0, -45.0)
    magnet_a_m2: float = 0.0
    magnet_place_m: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def at(self, place_m: FloatArray) -> FloatArray:
        """Flux density [µT] (n, 3) in earth axes at places (n, 3) [m]: the earth's and μ₀/4π · (3 r̂ (m·r̂) - m)/r³."""
        away = place_m - np.array(self.magnet_place_m)
        r = np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 0.02)
        moment = np.array([0.0, 0.0, self.magnet_a_m2])
        dipole = 3 * away * (away @ moment)[:, None] / r**5 - moment / r**3
        return np.asarray(np.array(self.earth_ut) + 0.1 * dipole)

    def seen_by(self, frame: MovingFrame) -> FloatArray:
        """The same in the axes of a frame, where the frame is."""
        return rotate(conjugate(frame.orientation), self.at(frame.place_m))

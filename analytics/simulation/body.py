"""What two sensors on a leg would measure during seated knee extensions, with the joint angle known exactly.
 A joint trajectory moves rigid segments; a sensor sits on each, turned at random, on skin that follows the movement.
Its angular rate and specific force are differentiated from its own orientation and place on a fine grid of time, so
gravity, centripetal and tangential terms are all there; bias and noise of an inexpensive sensor come last.
 Frames: earth x forward, y left, z up, turned by a random heading. Segments: x from the joint above to the joint
below, y left. Flexion turns the shank positively about y.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analytics.domain.exercise import Side
from analytics.domain.session import FormLabel
from analytics.signals.samples import FloatArray

GRAVITY_M_S2 = 9.81
OVERSAMPLING = 4
REST_FLEXION_DEG = 90.0
THIGH_LENGTH_M = 0.42
THIGH_SENSOR_M = (0.25, 0.0, 0.07)
SHANK_SENSOR_M = (0.32, 0.03, 0.02)

# White noise of a consumer MEMS sensor over 50 Hz bandwidth; biases as they remain after a factory calibration.
GYR_NOISE_RAD_S, GYR_BIAS_RAD_S = 0.0012, 0.005
ACC_NOISE_M_S2, ACC_BIAS_M_S2 = 0.012, 0.05

TEMPO_S = {
    FormLabel.CORRECT: (1.5, 2.0, 1.5),
    FormLabel.TOO_FAST: (0.9, 0.2, 0.9),
    FormLabel.LOW_AMPLITUDE: (1.4, 1.8, 1.4),
}
"""Seconds out, held and back, about as three people did them in Yurtman & Barshan's recordings."""
SHARE_OF_RANGE = {FormLabel.CORRECT: 1.0, FormLabel.TOO_FAST: 0.95, FormLabel.LOW_AMPLITUDE: 0.7}
THIGH_MOTION_DEG = ((9.0, 2.0), (0.0, 5.0), (0.0, 2.0))
"""Lift, roll and turn of the thigh per 90° at the knee, mean and spread over people: the recordings show a lift of
8 to 11°."""
SWAY_DEG = 0.5
TEMPO_SPREAD, SHARE_SPREAD = 0.15, 0.06


@dataclass(frozen=True, slots=True)
class TrueRepetition:
    """One movement as it was made. peak_s is the middle of the hold."""

    start_s: float
    peak_s: float
    end_s: float
    excursion_deg: float
    label: FormLabel


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedBody:
    """Signals and truth.
     sensors: segment name to acceleration [m/s²] (n, 3) and angular rate [rad/s] (n, 3). flexion_deg: (n,) true knee
    flexion.
    """

    rate_hz: float
    time_s: FloatArray
    sensors: dict[str, tuple[FloatArray, FloatArray]]
    flexion_deg: FloatArray
    repetitions: tuple[TrueRepetition, ...]


def seated_knee_extensions(
    repetitions: int | Sequence[FormLabel],
    rng: np.random.Generator,
    *,
    side: Side = Side.RIGHT,
    rate_hz: float = 100.0,
    range_deg: float = 75.0,
    thigh_motion: float = 1.0,
    skin_motion_deg: float = 2.0,
    rest_s: float = 2.0,
    noise: float = 1.0,
) -> SimulatedBody:
    """Simulate a person who sits and straightens the knee. repetitions: how many correct ones, or how each is done.
    range_deg: excursion of a correct repetition. thigh_motion: how far the thigh lifts, rolls and turns with the
    movement; 1 is as in real recordings. skin_motion_deg: how far a sensor turns on the skin per 90° of knee
    movement, about each axis, one standard deviation. rest_s: mean pause between repetitions. noise: 0 for ideal
    sensors, 1 for inexpensive ones."""
    labels = [FormLabel.CORRECT] * repetitions if isinstance(repetitions, int) else list(repetitions)
    excursion_of, truth, end_s = _plan(labels, rng, range_deg, rest_s)
    step_s = 1.0 / (rate_hz * OVERSAMPLING)
    fine_s: FloatArray = np.arange(-1.0, round(end_s * rate_hz) * OVERSAMPLING + 2.0) * step_s
    excursion = excursion_of(fine_s)

    heading = rng.uniform(-np.pi, np.pi)
    lift, roll, turn = (
        thigh_motion * np.radians(rng.normal(mean, spread)) * excursion / 90.0 for mean, spread in THIGH_MOTION_DEG
    )
    sway = thigh_motion * np.radians(SWAY_DEG) * np.sin(2 * np.pi * (fine_s / 7.3 + rng.uniform()))
    thigh = _turn("z", heading + turn) @ _turn("y", -lift - sway) @ _turn("x", roll)
    shank = thigh @ _turn("y", np.radians(REST_FLEXION_DEG - excursion))
    knee_m = thigh @ np.array([THIGH_LENGTH_M, 0.0, 0.0])

    place_m = {
        "thigh": thigh @ np.array(THIGH_SENSOR_M),
        "shank": knee_m + shank @ np.array(SHANK_SENSOR_M),
    }
    sensors = {}
    for name, segment in (("thigh", thigh), ("shank", shank)):
        skin = np.radians(rng.normal(0, skin_motion_deg, 3)) * excursion[:, None] / 90.0
        sensor = segment @ _rotation(skin) @ _random_rotation(rng)
        acc, gyr = _ideal_imu(sensor, place_m[name], step_s)
        acc, gyr = acc[::OVERSAMPLING], gyr[::OVERSAMPLING]
        acc = acc + noise * (rng.normal(0, ACC_BIAS_M_S2, 3) + rng.normal(0, ACC_NOISE_M_S2, acc.shape))
        gyr = gyr + noise * (rng.normal(0, GYR_BIAS_RAD_S, 3) + rng.normal(0, GYR_NOISE_RAD_S, gyr.shape))
        sensors[f"{side}_{name}"] = (acc, gyr)
    inner = slice(1, -1, OVERSAMPLING)
    return SimulatedBody(rate_hz, fine_s[inner], sensors, REST_FLEXION_DEG - excursion[inner], truth)


class _Trajectory:
    """Excursion [deg] over time: for each repetition a minimum-jerk way out, a hold and a minimum-jerk way back."""

    def __init__(self, moves: Sequence[tuple[float, float, float, float, float]]) -> None:
        self._moves = moves

    def __call__(self, time_s: FloatArray) -> FloatArray:
        total = np.zeros_like(time_s)
        for start_s, out_s, hold_s, back_s, excursion_deg in self._moves:
            out = _minimum_jerk((time_s - start_s) / out_s)
            back = _minimum_jerk((time_s - start_s - out_s - hold_s) / back_s)
            total += excursion_deg * (out - back)
        return total


def _plan(
    labels: Sequence[FormLabel], rng: np.random.Generator, range_deg: float, rest_s: float
) -> tuple[_Trajectory, tuple[TrueRepetition, ...], float]:
    moves, truth = [], []
    now_s = 2.0
    for label in labels:
        out_s, hold_s, back_s = (s * float(np.exp(rng.normal(0, TEMPO_SPREAD))) for s in TEMPO_S[label])
        excursion = range_deg * SHARE_OF_RANGE[label] * float(np.exp(rng.normal(0, SHARE_SPREAD)))
        end_s = now_s + out_s + hold_s + back_s
        moves.append((now_s, out_s, hold_s, back_s, excursion))
        truth.append(TrueRepetition(now_s, now_s + out_s + hold_s / 2, end_s, excursion, label))
        now_s = end_s + rest_s * float(rng.uniform(0.25, 1.75))
    return _Trajectory(moves), tuple(truth), (truth[-1].end_s if truth else now_s) + 2.0


def _minimum_jerk(phase: FloatArray) -> FloatArray:
    """From 0 to 1 as a reaching person moves (Flash & Hogan 1985, J Neurosci 5:1688)."""
    p = np.clip(phase, 0.0, 1.0)
    return np.asarray(p**3 * (10 - 15 * p + 6 * p**2))


def _ideal_imu(sensor: FloatArray, place_m: FloatArray, step_s: float) -> tuple[FloatArray, FloatArray]:
    """Specific force and angular rate in the sensor's frame, by central differences; loses one instant at either
    end."""
    spin = np.swapaxes(sensor[1:-1], 1, 2) @ (sensor[2:] - sensor[:-2]) / (2 * step_s)
    gyr = np.stack([spin[:, 2, 1] - spin[:, 1, 2], spin[:, 0, 2] - spin[:, 2, 0], spin[:, 1, 0] - spin[:, 0, 1]], 1) / 2
    force = (place_m[2:] - 2 * place_m[1:-1] + place_m[:-2]) / step_s**2 + np.array([0.0, 0.0, GRAVITY_M_S2])
    return np.einsum("nij,ni->nj", sensor[1:-1], force), gyr


def _turn(axis: str, angle_rad: FloatArray | float) -> FloatArray:
    vectors = np.zeros((*np.shape(angle_rad), 3))
    vectors[..., "xyz".index(axis)] = angle_rad
    return _rotation(vectors)


def _rotation(vector_rad: FloatArray) -> FloatArray:
    """Rotation matrices (..., 3, 3) from rotation vectors (..., 3), Rodrigues' formula."""
    angle = np.linalg.norm(vector_rad, axis=-1)[..., None, None]
    x, y, z = np.moveaxis(vector_rad, -1, 0)
    o = np.zeros_like(x)
    cross = np.stack([np.stack([o, -z, y], -1), np.stack([z, o, -x], -1), np.stack([-y, x, o], -1)], -2)
    # sinc is exact at 0, where the formula divides by the angle: np.sinc(a/π) = sin(a)/a.
    half = np.sinc(angle / (2 * np.pi))
    return np.asarray(np.eye(3) + np.sinc(angle / np.pi) * cross + 0.5 * half**2 * (cross @ cross))


def _random_rotation(rng: np.random.Generator) -> FloatArray:
    q, r = np.linalg.qr(rng.normal(size=(3, 3)))
    q = q * np.sign(np.diag(r))
    return np.asarray(q * np.sign(np.linalg.det(q)))

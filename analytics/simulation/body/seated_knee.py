"""Two sensors on a leg during seated knee extensions: the scene most tests, the demonstration and training use.

Simpler than `simulate`: a thigh that rests on a chair, lifting and rolling a little with the movement, and a shank; two
sensors worn anyhow on skin that follows the movement.
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

from .course import minimum_jerk, sine
from .mounting import turned_about
from .movement import SITTING, Movement
from .moving_frame import MovingFrame
from .part import TrueRepetition, repeat

REST_FLEXION_DEG = 90.0
THIGH_LENGTH_M = 0.42
THIGH_SENSOR_M = (0.25, 0.0, 0.07)
SHANK_SENSOR_M = (0.32, 0.03, 0.02)

# White noise of a consumer MEMS sensor over 50 Hz bandwidth; biases as they remain after a factory calibration.
GYR_NOISE_RAD_S, GYR_BIAS_RAD_S = 0.0012, 0.005
ACC_NOISE_M_S2, ACC_BIAS_M_S2 = 0.012, 0.05

TEMPO_S = (1.5, 2.0, 1.5)
"""Seconds out, held and back, about as three people did them in Yurtman & Barshan's recordings."""
THIGH_MOTION_DEG = ((9.0, 2.0), (0.0, 5.0), (0.0, 2.0))
"""Lift, roll and turn of the thigh per 90° at the knee, mean and spread over people: the recordings show a lift of
8 to 11°."""
SWAY_DEG, SWAY_HZ = 0.5, 1 / 7.3
END_S = 2.0


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
    movement = Movement(SITTING, "knee", {"knee": (range_deg, 0.0, 0.0)}, tempo_s=TEMPO_S)
    part = repeat(movement, repetitions, rng, rest_s=rest_s)
    end_s = END_S + (part.repetitions[-1].end_s if part.repetitions else END_S)
    time_s = np.arange(round(end_s * rate_hz) + 1.0) / rate_hz
    excursion_deg = np.zeros((3, len(time_s)))
    for move in part.moves:
        excursion_deg += move.change_deg[0] * minimum_jerk(time_s, move.start_s, move.duration_s)

    thigh = _thigh(time_s, excursion_deg, thigh_motion, rng)
    knee = np.array([[REST_FLEXION_DEG], [0.0], [0.0]]) - excursion_deg
    shank = thigh.shifted(np.array([THIGH_LENGTH_M, 0.0, 0.0])).turned(1, np.radians(knee))
    sensors = {}
    for name, segment, place_m in (("thigh", thigh, THIGH_SENSOR_M), ("shank", shank, SHANK_SENSOR_M)):
        skin = np.radians(rng.normal(0, skin_motion_deg, 3))
        sensor = turned_about(segment.shifted(np.array(place_m)), skin, excursion_deg / 90.0)
        mounting = _random_rotation(rng)
        acc, gyr = sensor.specific_force_m_s2() @ mounting, sensor.rate_rad_s @ mounting
        acc = acc + noise * (rng.normal(0, ACC_BIAS_M_S2, 3) + rng.normal(0, ACC_NOISE_M_S2, acc.shape))
        gyr = gyr + noise * (rng.normal(0, GYR_BIAS_RAD_S, 3) + rng.normal(0, GYR_NOISE_RAD_S, gyr.shape))
        sensors[f"{side}_{name}"] = (acc, gyr)
    return SimulatedBody(rate_hz, time_s, sensors, knee[0], part.repetitions)


def _thigh(time_s: FloatArray, excursion_deg: FloatArray, motion: float, rng: np.random.Generator) -> MovingFrame:
    heading = rng.uniform(-np.pi, np.pi)
    lift, roll, turn = (
        motion * np.radians(rng.normal(mean, spread)) * excursion_deg / 90.0 for mean, spread in THIGH_MOTION_DEG
    )
    phase = 2 * np.pi * np.stack([time_s * SWAY_HZ + rng.uniform(), np.full_like(time_s, SWAY_HZ), 0 * time_s])
    sway = motion * np.radians(SWAY_DEG) * sine(phase)
    turn[0] += heading
    frame = MovingFrame.at_rest(len(time_s), np.array([1.0, 0.0, 0.0, 0.0]), np.zeros(3))
    return frame.turned(2, turn).turned(1, -lift - sway).turned(0, roll)


def _random_rotation(rng: np.random.Generator) -> FloatArray:
    q, r = np.linalg.qr(rng.normal(size=(3, 3)))
    q = q * np.sign(np.diag(r))
    return np.asarray(q * np.sign(np.linalg.det(q)))

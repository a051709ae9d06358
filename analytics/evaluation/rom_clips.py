"""The knees in recordings of single repetitions: two sensors per leg, and an optical angle to measure against.

A repetition cut out of a session begins in the middle of movement, and orientation must be found from there on. While
it lasts, VQF as published does that best, for in its first seconds it takes the mean of the specific force as the
gyroscope has turned it, where accelerations cancel out. Once the repetition is over, the mean of all of it is better.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from analytics.motion import rotations
from analytics.motion.orientation import OrientationFilter
from analytics.motion.orientation.vqf import Vqf
from analytics.signals.samples import FloatArray

from .recordings import Arrays

FORM = ("acc", "gyr", "quat_imu", "angles_deg")
EXERCISES = (
    "BulgSq",
    "DeclineSq",
    "Lunge",
    "SpainSq",
    "SqDL",
    "SqHalfDL",
    "SqHalfSL",
    "SqSL",
    "SumoSq",
    "StepDnH",
    "StepDnL",
    "StepUpH",
    "StepUpL",
)
"""The squats, lunges and steps. Hops, jumps, runs and heel raises are other movements."""


@dataclass(frozen=True, slots=True, eq=False)
class Knee:
    """One leg in one repetition. Arrays (n, 2, …), thigh first. flexion_deg: the reference, bent is positive."""

    person: str
    exercise: str
    repetition: str
    side: str
    rate_hz: float
    acc: FloatArray
    gyr: FloatArray
    mag: FloatArray | None
    vendor: FloatArray
    flexion_deg: FloatArray


def knees(recordings: Sequence[Arrays]) -> list[Knee]:
    """Both knees of every repetition of `EXERCISES` whose sensors and reference are there and whole."""
    return [knee for one in recordings for knee in _knees(one)]


def _knees(one: Arrays) -> Iterator[Knee]:
    sensors, columns = list(one.meta.get("sensors", [])), list(one.meta.get("angle_cols", []))
    exercise = str(one.meta.get("exercise", ""))
    if exercise not in EXERCISES:
        return
    for side in ("Left", "Right"):
        names, column = [f"{side}Thigh", f"{side}Shank"], f"{side}KneeAngle_X"
        if column not in columns or not set(names) <= set(sensors):
            continue
        pair = [sensors.index(name) for name in names]
        acc, gyr, vendor = (one.numbers(key)[:, pair] for key in ("acc", "gyr", "quat_imu"))
        # Knee flexion is negative in this form.
        flexion = -one.numbers("angles_deg")[:, columns.index(column)]
        if not all(np.isfinite(values).all() for values in (acc, gyr, vendor, flexion)):
            continue
        mag = one.numbers("mag")[:, pair] if "mag" in one else None
        person = f"{one.path.parent}: {one.meta.get('dataset', '')}"
        rate_hz = float(one.meta.get("fs", 100.0))
        yield Knee(person, exercise, one.name, side, rate_hz, acc, gyr, mag, vendor, flexion)


def orientation_while_it_lasts(knee: Knee, of: type[Vqf] | type[OrientationFilter] = Vqf) -> FloatArray:
    """Orientations (n, 2, 4), each from the samples up to it, headings arbitrary."""
    tracked = of(knee.rate_hz, 2)
    return np.stack([tracked.update(gyr, acc).copy() for gyr, acc in zip(knee.gyr, knee.acc, strict=True)])


def orientation_when_over(knee: Knee) -> FloatArray:
    """Orientations (n, 2, 4) from the whole repetition, headings arbitrary."""
    turned = _turned(knee)
    mean = rotations.rotate(turned, knee.acc).mean(axis=0)
    return rotations.multiply(_upright(mean), turned)


def _turned(knee: Knee) -> FloatArray:
    """What each sensor turned by since the first sample (n, 2, 4)."""
    steps = rotations.from_rotation_vector(knee.gyr / knee.rate_hz)
    turned = np.empty_like(knee.vendor)
    turned[0] = [1.0, 0.0, 0.0, 0.0]
    for i in range(1, len(turned)):
        turned[i] = rotations.multiply(turned[i - 1], steps[i])
    return turned


def _upright(force: FloatArray) -> FloatArray:
    """The shortest turns (k, 4) that bring vectors (k, 3) to the vertical."""
    unit = force / np.linalg.norm(force, axis=-1, keepdims=True)
    axis = np.cross(unit, [0.0, 0.0, 1.0])
    sine = np.linalg.norm(axis, axis=-1, keepdims=True)
    angle = np.arctan2(sine, unit[:, 2:])
    return rotations.from_rotation_vector(axis / np.maximum(sine, 1e-12) * angle)

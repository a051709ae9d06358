"""What a recording must be to be played, and the one sentence for each way it is not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from .samples import FloatArray


class _Limit(NamedTuple):
    """The most that a reading may be, in a unit whose SI value is `si`."""

    quantity: str
    largest: float
    unit: str
    si: float


# The widest ranges of the chips people wear (such as ST's LSM6DSV32X); landings from jumps reach 18 g at the thigh.
_LIMITS = (_Limit("accelerations", 32, "g", 9.80665), _Limit("angular rates", 4000, "°/s", math.radians(1)))


class RecordingError(ValueError):
    """This file cannot be played; the message says why and what to do."""


def sampling_rate_hz(name: str, time_s: FloatArray) -> float:
    """The rate of these evenly spaced times."""
    if len(time_s) < 2:
        raise RecordingError(f"{name} holds {len(time_s)} samples; a recording needs at least two.")
    if not np.isfinite(time_s).all():
        raise RecordingError(f"{name} holds times that are not numbers (NaN); export it again.")
    steps = np.diff(time_s)
    if (steps <= 0).any():
        at = int(np.argmax(steps <= 0))
        raise RecordingError(
            f"{name} has time standing still or going backwards after {time_s[at]:g} s; sort or cut it."
        )
    period = float(time_s[-1] - time_s[0]) / len(steps)
    uneven = np.abs(steps - period) > 0.5 * period
    if uneven.any():
        at = int(np.argmax(uneven))
        raise RecordingError(f"{name} is not evenly sampled after {time_s[at]:g} s; cut it there or resample it.")
    return round(1 / period, 3)


def check_sensors(name: str, time_s: FloatArray, worn: Mapping[str, tuple[FloatArray, FloatArray]]) -> None:
    """A whole leg, and readings that a sensor on a body can give."""
    if not any(f"{side}_thigh" in worn and f"{side}_shank" in worn for side in ("left", "right")):
        found = ", ".join(sorted(worn)) or "none that Sinew knows"
        raise RecordingError(f"{name} has no thigh and shank of one leg (found: {found}); choose another recording.")
    for segment, readings in worn.items():
        bad = ~np.isfinite(np.hstack(readings)).all(axis=1)
        if bad.any():
            at = time_s[int(np.argmax(bad))]
            raise RecordingError(
                f"{name} holds readings of {segment} that are not numbers (NaN) at {at:g} s; cut or mend it."
            )
        for values, limit in zip(readings, _LIMITS, strict=True):
            largest = float(np.abs(values).max()) / limit.si
            if largest > limit.largest:
                raise RecordingError(
                    f"{name} holds {limit.quantity} of {largest:.3g} {limit.unit} at {segment}, more than any worn "
                    f"sensor measures ({limit.largest:g} {limit.unit}); export it in SI units (m/s² and rad/s)."
                )

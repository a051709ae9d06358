"""Everything measured of one repetition."""

from __future__ import annotations

import numpy as np

from analytics.domain.measure import Measure, Unit
from analytics.motion.measures.curve import derivative, even
from analytics.motion.measures.method_error import FROM_RATE, METHOD_ERROR
from analytics.motion.measures.phases import Phases, phases_of
from analytics.motion.measures.smoothness import angular_jerk, ldlj, sparc
from analytics.motion.measures.unmeasurable import UnmeasurableError
from analytics.signals.samples import FloatArray

NO_ANGLE_ERROR = "The error of the angle was not given."
SMOOTHNESS_LEAST_S = 0.3
"""A way shorter than this is one stroke, whatever it looks like: there is no smoothness to tell."""


def measures_of(
    time_s: FloatArray,
    angle_deg: FloatArray,
    *,
    rate_rad_s: FloatArray | None = None,
    angle_error_deg: float | None = None,
    eccentric_first: bool = False,
) -> dict[str, Measure]:
    """Measures of one repetition by their codes.

    time_s, angle_deg: (n,) joint angle from the rest pose out and back; the zero does not matter. Half a second of
        rest about it does no harm, and shows where the movement began.
    rate_rad_s: (n, 3) angular rate of the moving segment as its sensor sees it, for where no angle says it all, as at
        the shoulder. Leave it out where one does: smoothness is then that of the angle's velocity, and skin and straps
        spoil less of it (method_error).
    angle_error_deg: one standard deviation of an excursion.
    eccentric_first: the muscles that do the work lengthen on the way out, as in a squat.

    A measure that this movement does not allow is left out. Raises UnmeasurableError with a sentence to show where
    none can be taken.
    """
    rates = () if rate_rad_s is None else (rate_rad_s,)
    grid, (angle, *turned), rate_hz = even(time_s, angle_deg, *rates)
    velocity = derivative(angle, rate_hz)
    parts = phases_of(angle, rate_hz)
    turning = turned[0] if turned else np.radians(velocity)
    found = [
        _range(angle, parts, angle_error_deg),
        *_velocities(angle, velocity, parts, rate_hz),
        *_times(grid, parts, eccentric_first),
        *_smoothness(turning, parts, rate_hz, eccentric_first),
    ]
    return {one.code: one for one in found}


def _range(angle_deg: FloatArray, parts: Phases, error_deg: float | None) -> Measure:
    moved_deg = float(np.ptp(angle_deg[parts.start : parts.end + 1]))
    reason = "" if error_deg is not None else NO_ANGLE_ERROR
    return Measure(
        code="range", name="Range moved", value=moved_deg, unit=Unit.DEGREE, error=error_deg, why_no_error=reason
    )


def _velocities(angle_deg: FloatArray, velocity: FloatArray, parts: Phases, rate_hz: float) -> list[Measure]:
    moved_deg = sum(float(np.ptp(angle_deg[part])) for part in (parts.out, parts.back))
    moving_s = (parts.arrive - parts.start + parts.end - parts.leave) / rate_hz
    if moving_s <= 0:
        raise UnmeasurableError("The joint did not move.")
    peak = float(np.abs(velocity[parts.start : parts.end + 1]).max())
    return [
        _measure("peak_velocity", "Greatest speed", peak, Unit.DEGREE_PER_SECOND),
        _measure("mean_velocity", "Mean speed while moving", moved_deg / moving_s, Unit.DEGREE_PER_SECOND),
    ]


def _times(grid_s: FloatArray, parts: Phases, eccentric_first: bool) -> list[Measure]:
    out, back = _names(eccentric_first)
    start, arrive, leave, end = (float(grid_s[k]) for k in (parts.start, parts.arrive, parts.leave, parts.end))
    return [
        _measure(f"{out}_time", f"{out.capitalize()} time", arrive - start, Unit.SECOND, "time"),
        _measure("hold_time", "Hold", leave - arrive, Unit.SECOND, "time"),
        _measure(f"{back}_time", f"{back.capitalize()} time", end - leave, Unit.SECOND, "time"),
        _measure("duration", "Duration", end - start, Unit.SECOND),
    ]


def _smoothness(turning: FloatArray, parts: Phases, rate_hz: float, eccentric_first: bool) -> list[Measure]:
    jerk = angular_jerk(turning, rate_hz)
    speed = np.abs(turning) if turning.ndim == 1 else np.linalg.norm(turning, axis=1)
    source = "" if turning.ndim == 1 else FROM_RATE
    found = []
    for way, part in zip(_names(eccentric_first), (parts.out, parts.back), strict=True):
        if part.stop - part.start < SMOOTHNESS_LEAST_S * rate_hz:
            continue
        by_spectrum, by_jerk = sparc(speed[part], rate_hz), ldlj(turning[part], jerk[part], rate_hz)
        found += [
            _measure(f"{way}_sparc", f"Smoothness, {way} (SPARC)", by_spectrum, Unit.NONE, f"sparc{source}"),
            _measure(f"{way}_ldlj", f"Smoothness, {way} (LDLJ)", by_jerk, Unit.NONE, f"ldlj{source}"),
        ]
    return found


def _names(eccentric_first: bool) -> tuple[str, str]:
    return ("eccentric", "concentric") if eccentric_first else ("concentric", "eccentric")


def _measure(code: str, name: str, value: float, unit: Unit, kind: str = "") -> Measure:
    """A measure with the error that its kind was found to have; the kind is its code unless another is named."""
    return Measure(code=code, name=name, value=value, unit=unit, error=METHOD_ERROR[kind or code].of(value))

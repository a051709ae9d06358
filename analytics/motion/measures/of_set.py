"""What is measured of a set: the usual repetition, and how much alike its repetitions are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import hypot, sqrt
from typing import TypeVar

import numpy as np

from analytics.domain.measure import Measure, Unit
from analytics.domain.session import SessionReport
from analytics.motion.measures.curve import even
from analytics.motion.measures.phases import phases_of
from analytics.motion.measures.unmeasurable import UnmeasurableError
from analytics.signals.samples import FloatArray

T = TypeVar("T")

LEAST_REPETITIONS = 3
CURVE_POINTS = 101
"""A repetition's curve from 0 to 100 % of its time, as is usual for gait cycles."""


def of_set(
    repetitions: Sequence[Mapping[str, Measure]], curves: Sequence[tuple[FloatArray, FloatArray]] = ()
) -> dict[str, Measure]:
    """Means of what all repetitions of a set have, and its consistency, by code.

    repetitions: what `measures_of` answered. curves: (time_s, angle_deg) of the same ones, for the likeness of their
    shapes. Consistency needs three repetitions and is left out below. Raises UnmeasurableError for an empty set.
    """
    if not repetitions:
        raise UnmeasurableError("No repetition of this set was measured.")
    common = [code for code in repetitions[0] if all(code in one for one in repetitions)]
    found = [_mean([one[code] for one in repetitions]) for code in common]
    if len(repetitions) >= LEAST_REPETITIONS:
        found += [
            _consistency(f"{code}_variation", name, [one[code].value for one in repetitions], coefficient_of_variation)
            for code, name in (("range", "Variation of range"), ("duration", "Variation of tempo"))
            if code in common
        ]
    shapes = [shape for one in curves if (shape := _shape(*one)) is not None]
    if len(shapes) >= LEAST_REPETITIONS:
        found.append(_consistency("shape_likeness", "Likeness of the repetitions", shapes, likeness))
    return {one.code: one for one in found}


def of_session(report: SessionReport) -> dict[str, Measure]:
    """Means over the sets of what all of them have, by code, and what a timed test came to."""
    sets = [{one.code: one for one in each.measures} for each in report.sets]
    common = [code for code in sets[0] if all(code in one for one in sets)] if sets else []
    found = {code: _mean([one[code] for one in sets]) for code in common}
    if report.test is not None and report.test.measure is not None:
        found[report.test.measure.code] = report.test.measure
    return found


def coefficient_of_variation(values: Sequence[float]) -> float:
    """Standard deviation (n − 1) as a percentage of the mean."""
    return float(100.0 * np.std(values, ddof=1) / abs(np.mean(values)))


def likeness(shapes: Sequence[FloatArray]) -> float:
    """Mean correlation [%] of each time-normalised curve with the mean of the others.

    Range and offset do not enter, they have measures of their own. The coefficient of multiple correlation (Kadaba
    1989) mixes them in and has no real value for curves that differ much.
    """
    total = np.sum(shapes, axis=0)
    return float(100.0 * np.mean([np.corrcoef(one, total - one)[0, 1] for one in shapes]))


def _mean(values: Sequence[Measure]) -> Measure:
    """The method's error does not average out: it is a strap's, or an axis', and the same all through the set. How
    much repetitions differ does."""
    first, numbers = values[0], [one.value for one in values]
    mean = float(np.mean(numbers))
    errors = [one.error for one in values if one.error is not None]
    if len(errors) < len(values):
        reason = next(one.why_no_error for one in values if one.why_no_error)
        return Measure(code=first.code, name=first.name, value=mean, unit=first.unit, why_no_error=reason)
    spread = float(np.std(numbers, ddof=1)) / sqrt(len(numbers)) if len(numbers) > 1 else 0.0
    error = hypot(float(np.mean(errors)), spread)
    return Measure(code=first.code, name=first.name, value=mean, unit=first.unit, error=error)


def _consistency(code: str, name: str, items: Sequence[T], statistic: Callable[[Sequence[T]], float]) -> Measure:
    """A statistic with its jackknife error (Efron & Stein 1981, Ann. Stat. 9:586)."""
    without = [statistic([*items[:k], *items[k + 1 :]]) for k in range(len(items))]
    error = sqrt(len(items) - 1) * float(np.std(without))
    return Measure(code=code, name=name, value=statistic(items), unit=Unit.PERCENT, error=error)


def _shape(time_s: FloatArray, angle_deg: FloatArray) -> FloatArray | None:
    """Curve on CURVE_POINTS from the movement's start to its end; None where it cannot be measured."""
    try:
        grid, (angle,), rate_hz = even(time_s, angle_deg)
        parts = phases_of(angle, rate_hz)
    except UnmeasurableError:
        return None
    at = np.linspace(grid[parts.start], grid[parts.end], CURVE_POINTS)
    return np.asarray(np.interp(at, grid, angle))

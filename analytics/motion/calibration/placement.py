"""Which sensor is where, from movements that turn some segments and leave others at rest; any number of both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from math import degrees

import numpy as np

from analytics.signals.samples import FloatArray

from .first_movement import MOVING_RAD_S

LEAST_MARGIN = 1.0
"""Of a movement in which two segments should turn by 1 and s and two sensors turned by 1 and t, having the sensors the
right way round instead of the wrong one is worth 2 (1 - s) (1 - t): both what should be and what was must be clear."""
LEAST_DIFFERENCE = 0.5
"""Two shares that differ by less are never told apart by that."""


@dataclass(frozen=True, slots=True)
class WhereSensorsAre:
    """segment_of: sensor to segment, as fits best. margin: how much worse the next best fits (at least 1 is sure).
    refusal: one sentence; None where it is sure."""

    segment_of: Mapping[str, str]
    margin: float
    refusal: str | None = None


def turned_deg(gyr_rad_s: FloatArray, rate_hz: float) -> float:
    """How far a sensor turned in all, (n, 3) angular rate; slower than moving is at rest."""
    speed = np.linalg.norm(gyr_rad_s, axis=1)
    return degrees(float(speed[speed > MOVING_RAD_S].sum() / rate_hz))


def which_is_where(turned: Mapping[str, Sequence[float]], moves: Mapping[str, Sequence[float]]) -> WhereSensorsAre:
    """Give each sensor a segment. Where segments do much the same, a sensor named after one of them is left there.

    turned: for each sensor, how far it turned in each movement [any unit]. moves: for each segment, how far it should
    turn in each, as a share of the one that turns most; whether it moves at all will do. Raises ValueError where no
    two segments could be told apart, or the counts differ.
    """
    if len(turned) != len(moves):
        raise ValueError(f"There are {len(turned)} sensors for {len(moves)} segments; wear one on each.")
    sensors, segments = list(turned), list(moves)
    share = np.array([turned[one] for one in sensors], dtype=np.float64)
    share /= np.maximum(share.max(axis=0), 1e-9)
    expected = np.array([moves[one] for one in segments], dtype=np.float64)
    misfit = _squared_distance(share, expected)
    apart = _squared_distance(expected, expected) >= LEAST_DIFFERENCE**2
    if len(segments) > 1 and not apart.any():
        raise ValueError(
            "These segments do the same in all of these movements; add one in which only one of them moves."
        )
    orders = np.array(list(permutations(range(len(segments)))))
    totals = misfit[np.arange(len(sensors)), orders].sum(axis=1)
    best = orders[int(np.argmin(totals))]
    other = apart[orders, best].any(axis=1)
    said = np.array([[segment == sensor for segment in segments] for sensor in sensors])
    as_said = np.where(other, -1, said[np.arange(len(sensors)), orders].sum(axis=1))
    chosen = orders[int(np.argmax(as_said))] if as_said.max() > 0 else best
    segment_of = {sensor: segments[k] for sensor, k in zip(sensors, chosen, strict=True)}
    if len(segments) == 1:
        return WhereSensorsAre(segment_of, np.inf)
    next_best = int(np.argmin(np.where(other, totals, np.inf)))
    margin = float(totals[next_best] - totals.min())
    if margin >= LEAST_MARGIN:
        return WhereSensorsAre(segment_of, margin)
    unclear = sorted(segments[k] for k, there in zip(best, orders[next_best], strict=True) if k != there)
    words = f"{', '.join(unclear[:-1])} and {unclear[-1]}".replace("_", " ")
    return WhereSensorsAre(
        segment_of, margin, f"Which sensors are on your {words} is not clear. Move one of these at a time, slowly."
    )


def _squared_distance(a: FloatArray, b: FloatArray) -> FloatArray:
    """Of each row of (n, m) to each of (k, m): (n, k)."""
    return np.asarray(((a[:, None, :] - b[None, :, :]) ** 2).sum(axis=2))

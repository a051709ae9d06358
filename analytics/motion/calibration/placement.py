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
"""Two sensors are told apart when in one movement one turns twice as far as the other: of a movement in which they
turn by 1 and t, having them the right way round instead of the wrong one is worth 2 - 2t."""


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


def which_is_where(turned: Mapping[str, Sequence[float]], moves: Mapping[str, Sequence[bool]]) -> WhereSensorsAre:
    """Give each sensor a segment.

    turned: for each sensor, how far it turned in each movement [any unit]. moves: for each segment, whether it moves
    in each movement. Raises ValueError where two segments do the same in all movements, or the counts differ.
    """
    if len(turned) != len(moves):
        raise ValueError(f"There are {len(turned)} sensors for {len(moves)} segments; wear one on each.")
    if len({tuple(one) for one in moves.values()}) < len(moves):
        raise ValueError("Two segments do the same in all of these movements; add one in which only one of them moves.")
    sensors, segments = list(turned), list(moves)
    share = np.array([turned[one] for one in sensors], dtype=np.float64)
    share /= np.maximum(share.max(axis=0), 1e-9)
    expected = np.array([moves[one] for one in segments], dtype=np.float64)
    misfit = ((share[:, None, :] - expected[None, :, :]) ** 2).sum(axis=2)
    orders = np.array(list(permutations(range(len(segments)))))
    totals = misfit[np.arange(len(sensors)), orders].sum(axis=1)
    ranked = np.argsort(totals)
    best = orders[ranked[0]]
    segment_of = {sensor: segments[k] for sensor, k in zip(sensors, best, strict=True)}
    if len(orders) == 1:
        return WhereSensorsAre(segment_of, np.inf)
    margin = float(totals[ranked[1]] - totals[ranked[0]])
    if margin >= LEAST_MARGIN:
        return WhereSensorsAre(segment_of, margin)
    unclear = sorted(segments[k] for k, other in zip(best, orders[ranked[1]], strict=True) if k != other)
    words = f"{', '.join(unclear[:-1])} and {unclear[-1]}".replace("_", " ")
    return WhereSensorsAre(
        segment_of, margin, f"Which sensors are on your {words} is not clear. Move one of these at a time, slowly."
    )

"""A course as a picture the size of a word, drawn as SVG on the server so that a list needs no script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..wording import degrees

WIDTH, HEIGHT, INSET = 112.0, 32.0, 4.0
"""Viewbox, and the room kept free for the last point's dot."""


@dataclass(frozen=True)
class Sparkline:
    points: str
    last_x: float
    last_y: float
    goal_y: float
    words: str


def sparkline(values_deg: Sequence[float], goal_deg: float) -> Sparkline | None:
    """Points evenly spaced, the goal always in the picture. None below two points: one point shows no course."""
    if len(values_deg) < 2:
        return None
    low, high = min(*values_deg, goal_deg), max(*values_deg, goal_deg)
    scale = (HEIGHT - 2 * INSET) / ((high - low) or 1.0)
    step = (WIDTH - 2 * INSET) / (len(values_deg) - 1)

    def y(value: float) -> float:
        return round(HEIGHT - INSET - (value - low) * scale, 1)

    places = [(round(INSET + index * step, 1), y(value)) for index, value in enumerate(values_deg)]
    return Sparkline(
        points=" ".join(f"{x:g},{y:g}" for x, y in places),
        last_x=places[-1][0],
        last_y=places[-1][1],
        goal_y=y(goal_deg),
        words=f"Last {len(values_deg)} measurements from {degrees(values_deg[0])} to {degrees(values_deg[-1])}, "
        f"goal {degrees(goal_deg)}",
    )

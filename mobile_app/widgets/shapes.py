"""Smooth shapes with round ends, to be made inside a `with canvas:` block and moved afterwards."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from kivy.graphics import Color, SmoothEllipse, SmoothLine, SmoothQuad

Point = tuple[float, float]


def arc_points(centre: Point, radius: float, start_deg: float, end_deg: float) -> list[float]:
    """Flat x, y list along a circle; 0° is up and angles grow clockwise, as on a dial."""
    steps = max(2, int(abs(end_deg - start_deg) / 1.5))
    angles = (math.radians(start_deg + (end_deg - start_deg) * i / steps) for i in range(steps + 1))
    return [c for a in angles for c in (centre[0] + radius * math.sin(a), centre[1] + radius * math.cos(a))]


def dial_point(centre: Point, radius: float, angle_deg: float) -> Point:
    """A point on a circle; 0° is up and angles grow clockwise."""
    angle = math.radians(angle_deg)
    return centre[0] + radius * math.sin(angle), centre[1] + radius * math.cos(angle)


class Disc:
    """A filled circle."""

    def __init__(self) -> None:
        self._ellipse = SmoothEllipse(size=(1, 1))

    def place(self, centre: Point, radius: float) -> None:
        self._ellipse.pos = (centre[0] - radius, centre[1] - radius)
        self._ellipse.size = (2 * radius, 2 * radius)


class RoundLine:
    """A polyline or arc with round ends."""

    def __init__(self) -> None:
        self._line = SmoothLine(width=1)
        self._ends = (Disc(), Disc())

    def place(self, points: Sequence[float], half_width: float) -> None:
        self._line.width = max(half_width, 0.5)
        self._line.points = points
        for disc, end in zip(self._ends, (points[:2], points[-2:]), strict=True):
            disc.place((end[0], end[1]), max(half_width, 0.5))


class Limb:
    """A tapering body part: two discs of different size and what lies between them."""

    def __init__(self) -> None:
        self._discs = (Disc(), Disc())
        self._between = SmoothQuad(points=[0, 0, 1, 0, 1, 1, 0, 1])

    def place(self, start: Point, start_radius: float, end: Point, end_radius: float) -> None:
        self._discs[0].place(start, start_radius)
        self._discs[1].place(end, end_radius)
        dx, dy = end[0] - start[0], end[1] - start[1]
        length = math.hypot(dx, dy) or 1.0
        across = (-dy / length, dx / length)
        corners = ((start, start_radius), (end, end_radius), (end, -end_radius), (start, -start_radius))
        self._between.points = [c for p, r in corners for c in (p[0] + across[0] * r, p[1] + across[1] * r)]


class Paint:
    """A colour that what is made after it is drawn in."""

    def __init__(self) -> None:
        self._colour = Color()

    def set(self, colour: Sequence[float]) -> None:
        self._colour.rgba = colour


def redraw_on(widget: Any, redraw: Callable[..., None], names: str) -> None:
    """Call `redraw` whenever one of the properties in `names`, divided by spaces, changes."""
    widget.bind(**dict.fromkeys(names.split(), redraw))

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


class Chain:
    """A line of one thickness with round ends and corners, or a disc where it has one point."""

    def __init__(self, points: int) -> None:
        self._discs = [Disc() for _ in range(points)]
        self._between = [SmoothQuad(points=[0, 0, 1, 0, 1, 1, 0, 1]) for _ in range(points - 1)]

    def place(self, points: Sequence[Point], half_width: float) -> None:
        half_width = max(half_width, 0.5)
        for disc, point in zip(self._discs, points, strict=True):
            disc.place(point, half_width)
        for quad, (x, y), (to_x, to_y) in zip(self._between, points[:-1], points[1:], strict=True):
            length = math.hypot(to_x - x, to_y - y) or 1.0
            dx, dy = -(to_y - y) / length * half_width, (to_x - x) / length * half_width
            quad.points = [x + dx, y + dy, to_x + dx, to_y + dy, to_x - dx, to_y - dy, x - dx, y - dy]


class Paint:
    """A colour that what is made after it is drawn in."""

    def __init__(self) -> None:
        self._colour = Color()

    def set(self, colour: Sequence[float]) -> None:
        self._colour.rgba = colour


def redraw_on(widget: Any, redraw: Callable[..., None], names: str) -> None:
    """Call `redraw` whenever one of the properties in `names`, divided by spaces, changes."""
    widget.bind(**dict.fromkeys(names.split(), redraw))

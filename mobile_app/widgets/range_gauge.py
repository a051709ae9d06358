# mypy: allow-subclassing-any
"""How far the joint has moved from rest, on a dial with the target and, where there is one, the limit."""

from __future__ import annotations

from kivy.metrics import dp
from kivy.properties import BooleanProperty, ColorProperty, NumericProperty, ObjectProperty
from kivy.uix.widget import Widget

from .shapes import Disc, Paint, Point, RoundLine, arc_points, dial_point, redraw_on

HALF_SWEEP_DEG = 118.0
"""The dial is open at the bottom, where the figure in degrees stands."""
OPENING = 0.55
"""How far below the centre that figure begins, in radii."""


def scale_end_deg(target_deg: float, limit_deg: float | None) -> float:
    """Where the dial ends: beyond target and limit, on a round ten."""
    furthest = max(target_deg * 1.25, (limit_deg or 0) * 1.1)
    return max(10.0, min(180.0, -(-furthest // 10) * 10))


class RangeGauge(Widget):
    """`value` moves the knob; everything else is drawn again only when the layout or the program changes."""

    value = NumericProperty(0)
    best = NumericProperty(0)
    target = NumericProperty(60)
    limit = ObjectProperty(None, allownone=True)
    live = BooleanProperty(False)
    track_color = ColorProperty()
    fill_color = ColorProperty()
    band_color = ColorProperty()
    ghost_color = ColorProperty()
    limit_color = ColorProperty()
    knob_color = ColorProperty()
    radius = NumericProperty(1)
    centre_y = NumericProperty(0)
    foot = NumericProperty(0, doc="height of what stands in the opening")

    def __init__(self, **properties: object) -> None:
        super().__init__(**properties)
        with self.canvas:
            self._track_paint, self._track = Paint(), RoundLine()
            self._ghost_paint, self._ghost = Paint(), RoundLine()
            self._fill_paint, self._fill = Paint(), RoundLine()
            self._band_paint, self._band = Paint(), RoundLine()
            self._limit_paint, self._limit_mark = Paint(), RoundLine()
            self._best_paint, self._best_mark = Paint(), RoundLine()
            self._knob_paint, self._knob = Paint(), Disc()
            self._core_paint, self._core = Paint(), Disc()
        redraw_on(
            self,
            self._lay_out,
            "pos size foot target limit live track_color fill_color band_color ghost_color limit_color knob_color",
        )
        redraw_on(self, self._move, "value best")
        self._lay_out()

    def _angle(self, value_deg: float) -> float:
        share = max(0.0, min(1.0, value_deg / scale_end_deg(self.target, self.limit)))
        return HALF_SWEEP_DEG * (2 * share - 1)

    @property
    def _centre(self) -> Point:
        return self.x + self.width / 2, self.centre_y

    def _lay_out(self, *_: object) -> None:
        edge = dp(24)
        # Above the centre one radius, below it the opening with what stands there: as big as fits, and in the middle.
        self.radius = max(1.0, min(self.width / 2 - edge, (self.height - 2 * edge - self.foot) / (1 + OPENING)))
        spare = max(0.0, self.height - 2 * edge - self.foot - (1 + OPENING) * self.radius)
        self.centre_y = self.y + self.height - edge - spare / 2 - self.radius
        thick = self._thickness = max(1.0, self.radius * 0.055)
        self._track_paint.set(self.track_color)
        self._track.place(arc_points(self._centre, self.radius, -HALF_SWEEP_DEG, HALF_SWEEP_DEG), thick)
        reached = self._angle(self.target)
        end = self._angle(min(self.target * 1.15, self.limit or 180.0))
        self._ghost_paint.set(self.ghost_color)
        self._ghost.place(arc_points(self._centre, self.radius, reached, max(end, reached + 1)), thick)
        self._band_paint.set(self.band_color)
        outside = self.radius + thick + dp(7)
        self._band.place(arc_points(self._centre, outside, reached, max(end, reached + 1)), dp(2.5))
        self._limit_paint.set(self.limit_color if self.limit else (0, 0, 0, 0))
        self._mark(self._limit_mark, self.limit or 0, thick + dp(8), dp(2.5))
        self._move()

    def _mark(self, line: RoundLine, value_deg: float, reach: float, half_width: float) -> None:
        angle = self._angle(value_deg)
        inner, outer = (dial_point(self._centre, self.radius + r, angle) for r in (-reach, reach))
        line.place([*inner, *outer], half_width)

    def _move(self, *_: object) -> None:
        colour = self.band_color if self.value >= self.target else self.fill_color
        angle = max(self._angle(self.value), -HALF_SWEEP_DEG + 0.1)
        self._fill_paint.set(colour if self.live else (0, 0, 0, 0))
        self._fill.place(arc_points(self._centre, self.radius, -HALF_SWEEP_DEG, angle), self._thickness)
        at = dial_point(self._centre, self.radius, angle)
        self._knob_paint.set(self.knob_color if self.live else (0, 0, 0, 0))
        self._knob.place(at, self._thickness * 1.55)
        self._core_paint.set(colour if self.live else (0, 0, 0, 0))
        self._core.place(at, self._thickness * 1.0)
        self._best_paint.set(self.knob_color if self.live and self.best > 0 else (0, 0, 0, 0))
        self._mark(self._best_mark, self.best, self._thickness * 0.45, dp(1.5))

# mypy: allow-subclassing-any
"""The last seconds of movement as a rolling line, with the target as a band."""

from __future__ import annotations

from collections.abc import Sequence

from kivy.graphics import Rectangle, SmoothLine
from kivy.metrics import dp
from kivy.properties import ColorProperty, NumericProperty, ObjectProperty
from kivy.uix.widget import Widget

from .range_gauge import scale_end_deg
from .shapes import Disc, Paint, redraw_on

WINDOW_S = 10.0
MOST_POINTS = 240


class LivePlot(Widget):
    """Draws a trace of (time [s], excursion [°]) when `show` is called: once a frame at most, not once an event."""

    target = NumericProperty(60)
    limit = ObjectProperty(None, allownone=True)
    line_color = ColorProperty()
    grid_color = ColorProperty()
    band_color = ColorProperty()

    def __init__(self, **properties: object) -> None:
        self._trace: Sequence[tuple[float, float]] = ()
        super().__init__(**properties)
        with self.canvas:
            self._band_paint, self._band = Paint(), Rectangle()
            self._grid_paint, self._floor = Paint(), SmoothLine(width=1)
            self._line_paint, self._line, self._tip = Paint(), SmoothLine(width=dp(1.6)), Disc()
        redraw_on(self, self._lay_out, "pos size target limit line_color grid_color band_color")
        self._lay_out()

    def _height_of(self, value_deg: float) -> float:
        share = max(-0.05, min(1.0, value_deg / scale_end_deg(self.target, self.limit)))
        return float(self.y + dp(6) + share * (self.height - dp(12)))

    def _lay_out(self, *_: object) -> None:
        self._band_paint.set(self.band_color)
        low, high = self._height_of(self.target), self._height_of(min(self.target * 1.15, self.limit or 180.0))
        self._band.pos, self._band.size = (self.x, low), (self.width, max(dp(2), high - low))
        self._grid_paint.set(self.grid_color)
        self._floor.points = [self.x, self._height_of(0), self.x + self.width, self._height_of(0)]
        self.show(self._trace)

    def show(self, trace: Sequence[tuple[float, float]]) -> None:
        self._trace = trace
        self._line_paint.set(self.line_color if len(trace) > 1 else (0, 0, 0, 0))
        if len(trace) < 2:
            return
        end = trace[-1][0]
        step = max(1, len(trace) // MOST_POINTS)
        room = self.width - dp(6)
        points: list[float] = []
        for i in range(len(trace) - 1, -1, -step):
            time_s, value = trace[i]
            if time_s < end - WINDOW_S:
                break
            points += (self.x + room * (1 - (end - time_s) / WINDOW_S), self._height_of(value))
        if len(points) >= 4:
            self._line.points = points
            self._tip.place((points[0], points[1]), dp(4))

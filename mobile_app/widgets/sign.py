# mypy: allow-subclassing-any
"""Small drawn signs, so that a state is never told by colour alone and no font needs to have them."""

from __future__ import annotations

from kivy.metrics import dp
from kivy.properties import ColorProperty, OptionProperty
from kivy.uix.widget import Widget

from .shapes import Disc, Paint, RoundLine, redraw_on

# Strokes in a box from (-1, -1) to (1, 1); a stroke of one point is a dot.
STROKES: dict[str, tuple[tuple[float, ...], ...]] = {
    "info": ((0.0, 0.5, 0.0, 0.5), (0.0, 0.08, 0.0, -0.5)),
    "good": ((-0.45, 0.0, -0.12, -0.36, 0.48, 0.36),),
    "warn": ((0.0, 0.52, 0.0, -0.06), (0.0, -0.48, 0.0, -0.48)),
    "stop": ((-0.34, -0.34, 0.34, 0.34), (-0.34, 0.34, 0.34, -0.34)),
    "close": ((-0.4, -0.4, 0.4, 0.4), (-0.4, 0.4, 0.4, -0.4)),
    "kept": ((0.0, 0.5, 0.0, -0.3), (-0.32, 0.02, 0.0, -0.3, 0.32, 0.02), (-0.42, -0.55, 0.42, -0.55)),
}


class Sign(Widget):
    kind = OptionProperty("info", options=sorted(STROKES))
    ground_color = ColorProperty()
    ink_color = ColorProperty()

    def __init__(self, **properties: object) -> None:
        super().__init__(**properties)
        redraw_on(self, self._draw, "pos size kind ground_color ink_color")
        self._draw()

    def _draw(self, *_: object) -> None:
        radius = max(1.0, min(self.width, self.height) / 2)
        centre = self.x + self.width / 2, self.y + self.height / 2
        self.canvas.clear()
        with self.canvas:
            Paint().set(self.ground_color)
            Disc().place(centre, radius)
            Paint().set(self.ink_color)
            for stroke in STROKES[self.kind]:
                points = [centre[i % 2] + c * radius for i, c in enumerate(stroke)]
                if points[:2] == points[2:]:
                    Disc().place((points[0], points[1]), max(dp(2), radius * 0.13))
                else:
                    RoundLine().place(points, max(dp(1.2), radius * 0.1))

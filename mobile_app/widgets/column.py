# mypy: allow-subclassing-any
"""One thing below the other, as long as there is something to see."""

from __future__ import annotations

from kivy.properties import NumericProperty, VariableListProperty
from kivy.uix.layout import Layout
from kivy.uix.widget import Widget


class Column(Layout):
    """A vertical layout in which what has no height takes no spacing either; BoxLayout leaves a gap for it.

    A child with a `size_hint_y` shares what is left over. `minimum_height` is what the others need.
    """

    spacing = NumericProperty(0)
    padding = VariableListProperty([0, 0, 0, 0])
    minimum_height = NumericProperty(0)

    def __init__(self, **properties: object) -> None:
        super().__init__(**properties)
        for name in ("pos", "size", "spacing", "padding", "children", "parent"):
            self.fbind(name, self._trigger_layout)
        self._trigger_layout()

    def do_layout(self, *_: object) -> None:
        left, top, right, bottom = self.padding
        seen = [child for child in reversed(self.children) if child.size_hint_y is not None or child.height > 0]
        fixed = sum(child.height for child in seen if child.size_hint_y is None)
        gaps = self.spacing * max(0, len(seen) - 1)
        self.minimum_height = top + fixed + gaps + bottom
        shares = sum(child.size_hint_y for child in seen if child.size_hint_y is not None)
        spare = max(0.0, self.height - self.minimum_height)
        y = self.y + self.height - top
        for child in seen:
            height = child.height if child.size_hint_y is None else spare * child.size_hint_y / shares
            y -= height
            self._place(child, y, height, self.x + left, self.width - left - right)
            y -= self.spacing

    def _place(self, child: Widget, y: float, height: float, x: float, width: float) -> None:
        child.pos = (x, y)
        child.size = (child.width if child.size_hint_x is None else width * child.size_hint_x, height)

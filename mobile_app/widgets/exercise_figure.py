# mypy: allow-subclassing-any
"""The catalogue's drawing of an exercise: it follows the joint where an angle comes in, and else shows the movement."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor

from kivy.clock import Clock
from kivy.graphics import Canvas
from kivy.metrics import dp
from kivy.properties import BooleanProperty, ColorProperty, NumericProperty, ObjectProperty
from kivy.uix.stencilview import StencilView

from analytics.domain.drawing import FixedPoint, Focus
from analytics.domain.exercise import Side
from analytics.exercises.drawing import Figure, Role, Stroke

from .shapes import Chain, Paint, Point, redraw_on

SHOWING_INTERVAL_S = 1 / 30
SECONDS_PER_POSE = 1.6
"""From one key pose to the next while the movement is shown: as slow as it should be done."""
MARGIN, MARGIN_IN_FOCUS = 0.02, 0.06
"""About the figure, of body height; about a part of it more, since the rest of the body goes on there."""


def eased(phase: float) -> float:
    """The same phase, slow about each key pose."""
    pose, share = floor(phase), phase - floor(phase)
    return pose + share * share * (3 - 2 * share)


class ExerciseFigure(StencilView):
    """`excursion` [°] moves it, as far as it is drawn. `target` [°] stands faintly behind; without one the turning
    point does. `showing`: it goes through its poses by itself. `at_turning`: it stands still at the turning point,
    the start faintly behind."""

    exercise = ObjectProperty(None, allownone=True)
    side = ObjectProperty(Side.RIGHT, allownone=True)
    excursion = NumericProperty(0)
    target = NumericProperty(0)
    showing = BooleanProperty(False)
    at_turning = BooleanProperty(False)
    body_color = ColorProperty()
    far_color = ColorProperty()
    limb_color = ColorProperty()
    ghost_color = ColorProperty()
    furniture_color = ColorProperty()
    held_color = ColorProperty()
    sensor_color = ColorProperty()

    def __init__(self, **properties: object) -> None:
        self._figure: Figure | None = None
        self._shapes: list[tuple[Paint, Chain]] = []
        self._layout: tuple[tuple[str, int], ...] = ()
        self._shown_s = 0.0
        self._drawn = Canvas()
        self._box = (0.0, 0.0, 1.0, 1.0)
        """Left, bottom, width and height of what is to be seen; where the rest goes beyond the widget it is cut off."""
        super().__init__(**properties)
        self.canvas.add(self._drawn)
        self._clock = Clock.schedule_interval(self._show_on, SHOWING_INTERVAL_S)
        self._clock.cancel()
        redraw_on(self, self._choose, "exercise side")
        redraw_on(self, self._draw, "pos size excursion target at_turning body_color far_color limb_color ghost_color")
        redraw_on(self, self._draw, "furniture_color held_color sensor_color")
        redraw_on(self, self._start_or_stop, "showing")
        self._choose()
        self._start_or_stop()

    @property
    def phase(self) -> float:
        """Where the movement stands, in key poses."""
        if self._figure is None:
            return 0.0
        if self.at_turning:
            return self._figure.turning
        if self.showing:
            return eased(self._shown_s / SECONDS_PER_POSE)
        return self._figure.phase(self.excursion)

    def _choose(self, *_: object) -> None:
        self._figure = None if self.exercise is None else Figure(self.exercise, self.side or Side.RIGHT)
        self._shown_s = 0.0
        if self._figure is not None:
            left, bottom, right, top = self._figure.box()
            margin = MARGIN if self.exercise.drawing.focus is Focus.WHOLE else MARGIN_IN_FOCUS
            self._box = (left - margin, bottom - margin, right - left + 2 * margin, top - bottom + 2 * margin)
        self._draw()

    def _start_or_stop(self, *_: object) -> None:
        self._shown_s = 0.0
        if self.showing:
            self._clock()
        else:
            self._clock.cancel()
        self._draw()

    def _show_on(self, passed_s: float) -> None:
        if self.get_root_window() is not None:  # nothing is drawn on a screen that is away
            self._shown_s += min(passed_s, 4 * SHOWING_INTERVAL_S)  # after a pause it goes on, and does not jump
            self._draw()

    def _draw(self, *_: object) -> None:
        strokes = self._strokes()
        layout = tuple((stroke.name, len(stroke.points)) for _, stroke in strokes)
        if layout != self._layout:  # limbs pass before one another
            self._layout = layout
            self._drawn.clear()
            with self._drawn:
                self._shapes = [(Paint(), Chain(len(stroke.points))) for _, stroke in strokes]
        unit = self._unit()
        for (paint, chain), (colour, stroke) in zip(self._shapes, strokes, strict=True):
            paint.set(colour)
            chain.place([self._at(point, unit) for point in stroke.points], stroke.width / 2 * unit)

    def _strokes(self) -> list[tuple[Sequence[float], Stroke]]:
        """With their colours: furniture, the faint figure, the figure."""
        if self._figure is None or self.exercise is None:
            return []
        now = self._figure.strokes(self.phase)
        # Where the whole body moves about a foot, the whole of it says where to go.
        follows = {Role.LIMB} if self.exercise.drawing.fixed is FixedPoint.PELVIS else {Role.LIMB, Role.BODY}
        ghost = [stroke for stroke in self._figure.strokes(self._ghost_phase(self._figure)) if stroke.role in follows]
        stands = [stroke for stroke in now if stroke.role is Role.FURNITURE]
        person = [stroke for stroke in now if stroke.role is not Role.FURNITURE]
        return [
            *((self.furniture_color, stroke) for stroke in stands),
            *((self.ghost_color, stroke) for stroke in ghost),
            *((self._colour(stroke.role), stroke) for stroke in person),
        ]

    def _ghost_phase(self, figure: Figure) -> float:
        if self.at_turning:
            return 0.0
        return figure.phase(self.target) if self.target and figure.range_deg else figure.turning

    def _colour(self, role: Role) -> Sequence[float]:
        colours: dict[Role, Sequence[float]] = {
            Role.BODY: self.body_color,
            Role.LIMB: self.limb_color,
            Role.FAR: self.far_color,
            Role.HELD: self.held_color,
            Role.SENSOR: self.sensor_color,
        }
        return colours[role]

    def _unit(self) -> float:
        """Pixels of one body height."""
        _, _, wide, tall = self._box
        return float(max(dp(1), min(self.width / wide, self.height / tall)))

    def _at(self, point: Point, unit: float) -> Point:
        left, bottom, wide, tall = self._box
        return (
            self.x + self.width / 2 + (point[0] - left - wide / 2) * unit,
            self.y + self.height / 2 + (point[1] - bottom - tall / 2) * unit,
        )

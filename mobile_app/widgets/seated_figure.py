# mypy: allow-subclassing-any
"""A person on a chair, seen from the exercising side, whose lower leg follows the knee.

Lengths are in thighs; the hip is the origin, the person looks to the right (to the left for the left leg).
"""

from __future__ import annotations

import math

from kivy.metrics import dp
from kivy.properties import BooleanProperty, ColorProperty, NumericProperty
from kivy.uix.widget import Widget

from .shapes import Disc, Limb, Paint, Point, RoundLine, redraw_on

LEFT_EDGE, RIGHT_EDGE, FLOOR, CROWN = -0.62, 2.2, -1.36, 2.0
SHANK = 1.0
SENSOR_ON_SHANK = 0.45


class SeatedFigure(Widget):
    """`flexion` is the knee's, 0 when straight; the ghost leg shows `target_flexion`."""

    flexion = NumericProperty(90)
    target_flexion = NumericProperty(30)
    mirrored = BooleanProperty(False)
    body_color = ColorProperty()
    far_color = ColorProperty()
    skin_color = ColorProperty()
    hair_color = ColorProperty()
    limb_color = ColorProperty()
    ghost_color = ColorProperty()
    chair_color = ColorProperty()
    sensor_color = ColorProperty()

    def __init__(self, **properties: object) -> None:
        super().__init__(**properties)
        with self.canvas:
            self._chair_paint = Paint()
            self._chair = [RoundLine() for _ in range(4)]
            self._far_paint = Paint()
            self._far_leg = [Limb() for _ in range(3)]
            self._ghost_paint = Paint()
            self._ghost_leg = [Limb() for _ in range(2)]
            self._hair_paint, self._hair = Paint(), Disc()
            self._skin_paint = Paint()
            self._neck, self._head = Limb(), Disc()
            self._body_paint = Paint()
            self._torso = [Limb() for _ in range(2)]
            self._limb_paint = Paint()
            self._thigh, self._shank, self._foot = Limb(), Limb(), Limb()
            self._sleeve_paint = Paint()
            self._arm = [Limb() for _ in range(2)]
            self._hand_paint, self._hand = Paint(), Disc()
            self._sensor_paint = Paint()
            self._sensors = (Disc(), Disc())
        redraw_on(
            self,
            self._draw,
            "pos size target_flexion mirrored body_color far_color skin_color hair_color ghost_color chair_color",
        )
        redraw_on(self, self._move, "flexion limb_color sensor_color")
        self._draw()

    def _at(self, x: float, y: float) -> Point:
        across = x - (LEFT_EDGE + RIGHT_EDGE) / 2
        middle = self.x + self.width / 2
        return middle + (-across if self.mirrored else across) * self._unit, self._hip_y + y * self._unit

    def _draw(self, *_: object) -> None:
        tall, wide = CROWN - FLOOR, RIGHT_EDGE - LEFT_EDGE
        self._unit = u = max(1.0, min(self.width / wide, self.height / tall))
        self._hip_y = self.y + (self.height - tall * u) / 2 - FLOOR * u
        self._chair_paint.set(self.chair_color)
        seat, back = -0.27, -0.44
        for line, ends in zip(
            self._chair,
            (
                (back + 0.02, seat, 0.72, seat),
                (back, seat, back - 0.1, 0.98),
                (back + 0.06, seat, back + 0.02, FLOOR),
                (0.62, seat, 0.66, FLOOR),
            ),
            strict=True,
        ):
            line.place([*self._at(*ends[:2]), *self._at(*ends[2:])], 0.055 * u)
        self._far_paint.set(self.far_color)
        self._leg(self._far_leg, 90 - 6, 0.9)
        self._ghost_paint.set(self.ghost_color)
        self._lower_leg(self._ghost_leg[0], self._ghost_leg[1], self.target_flexion, 0.92)
        self._hair_paint.set(self.hair_color)
        self._hair.place(self._at(-0.055, 1.74), 0.25 * u)
        self._skin_paint.set(self.skin_color)
        self._neck.place(self._at(-0.09, 1.2), 0.1 * u, self._at(-0.04, 1.46), 0.1 * u)
        self._head.place(self._at(0.02, 1.68), 0.235 * u)
        self._body_paint.set(self.body_color)
        self._torso[0].place(self._at(-0.02, 0.05), 0.25 * u, self._at(-0.1, 0.62), 0.23 * u)
        self._torso[1].place(self._at(-0.1, 0.62), 0.23 * u, self._at(-0.1, 1.08), 0.215 * u)
        self._sleeve_paint.set(self.far_color)
        self._arm[0].place(self._at(-0.1, 1.06), 0.115 * u, self._at(0.02, 0.5), 0.095 * u)
        self._arm[1].place(self._at(0.02, 0.5), 0.095 * u, self._at(0.42, 0.3), 0.075 * u)
        self._hand_paint.set(self.skin_color)
        self._hand.place(self._at(0.5, 0.265), 0.095 * u)
        self._move()

    def _leg(self, limbs: list[Limb], flexion: float, size: float) -> None:
        u = self._unit * size
        limbs[0].place(self._at(0, -0.02), 0.2 * u, self._at(0.97, -0.04), 0.15 * u)
        self._lower_leg(limbs[1], limbs[2], flexion, size)

    def _lower_leg(self, shank: Limb, foot: Limb, flexion: float, size: float) -> Point:
        u = self._unit * size
        angle = math.radians(-flexion)
        along, toes = (math.cos(angle), math.sin(angle)), (-math.sin(angle), math.cos(angle))
        ankle = (1.0 + SHANK * along[0], SHANK * along[1])
        shank.place(self._at(1.0, 0.0), 0.148 * u, self._at(*ankle), 0.095 * u)
        heel = (ankle[0] + 0.07 * along[0] - 0.03 * toes[0], ankle[1] + 0.07 * along[1] - 0.03 * toes[1])
        tip = (heel[0] + 0.36 * toes[0] + 0.03 * along[0], heel[1] + 0.36 * toes[1] + 0.03 * along[1])
        foot.place(self._at(*heel), 0.105 * u, self._at(*tip), 0.065 * u)
        front = 0.1
        return (
            1.0 + SENSOR_ON_SHANK * along[0] + front * toes[0],
            SENSOR_ON_SHANK * along[1] + front * toes[1],
        )

    def _move(self, *_: object) -> None:
        u = self._unit
        self._limb_paint.set(self.limb_color)
        self._thigh.place(self._at(0.0, 0.0), 0.215 * u, self._at(1.0, 0.0), 0.15 * u)
        on_shank = self._lower_leg(self._shank, self._foot, self.flexion, 1.0)
        self._sensor_paint.set(self.sensor_color)
        self._sensors[0].place(self._at(0.62, 0.12), max(dp(3), 0.06 * u))
        self._sensors[1].place(self._at(*on_shank), max(dp(3), 0.06 * u))

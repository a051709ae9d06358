"""An exercise's figure as SVG: the start faint, the turning point on top.

Colours are attributes, which a page's style sheet overrides by class: figure-limb, -body, -far,
-furniture, -held, -sensor; the start is the group figure-ghost.
"""

from __future__ import annotations

from html import escape

from analytics.domain.drawing import FixedPoint
from analytics.domain.exercise import Exercise, Side

from .drawing import Figure, Role, Stroke

COLOURS = {
    Role.FURNITURE: "#c9c4b8",
    Role.HELD: "#a3620a",
    Role.FAR: "#c3ccd1",
    Role.BODY: "#8b98a0",
    Role.LIMB: "#0d5f59",
    Role.SENSOR: "#fffefb",
}
UNITS = 200
"""Of the picture for one body height."""
MARGIN = 0.03


def svg(exercise: Exercise, side: Side = Side.RIGHT) -> str:
    """A whole document, which may also stand inside a page."""
    figure = Figure(exercise, side)
    left, bottom, right, top = figure.box()
    x, y, width, height = left - MARGIN, -top - MARGIN, right - left + 2 * MARGIN, top - bottom + 2 * MARGIN
    moving = {Role.LIMB} if exercise.drawing.fixed is FixedPoint.PELVIS else {Role.LIMB, Role.BODY}
    ghosts = [[s for s in figure.strokes(phase) if s.role in moving] for phase in range(figure.turning)]
    strokes = figure.strokes(figure.turning)
    stands = [stroke for stroke in strokes if stroke.role is Role.FURNITURE]
    person = [stroke for stroke in strokes if stroke.role is not Role.FURNITURE]
    groups = [_group("stands", stands), *(_group("ghost", one, 0.25) for one in ghosts), _group("person", person)]
    view = " ".join(_number(value) for value in (x, y, width, height))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{view}" role="img" aria-label="{escape(exercise.name)}">'
        f"{''.join(groups)}</svg>"
    )


def _group(name: str, strokes: list[Stroke], opacity: float = 1) -> str:
    faint = f' opacity="{opacity}"' if opacity < 1 else ""
    lines = "".join(_line(stroke) for stroke in strokes)
    return f'<g class="figure-{name}" fill="none" stroke-linecap="round" stroke-linejoin="round"{faint}>{lines}</g>'


def _line(stroke: Stroke) -> str:
    """A line of no length with round ends is a disc."""
    points = stroke.points if len(stroke.points) > 1 else stroke.points * 2
    path = "L".join(f"{_number(px)} {_number(-py)}" for px, py in points)
    return (
        f'<path class="figure-{stroke.role}" d="M{path}" stroke="{COLOURS[stroke.role]}"'
        f' stroke-width="{_number(stroke.width)}"/>'
    )


def _number(share: float) -> str:
    return f"{share * UNITS:.1f}".removesuffix(".0")

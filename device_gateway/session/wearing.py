"""Which of the worn sensors an exercise is followed with, and what is said where they are too few."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from analytics.domain.exercise import Exercise, Follows, Layout, Segment, Side

Direction = tuple[float, float, float]
"""In a sensor's own axes."""


@dataclass(frozen=True, slots=True)
class Wearing:
    """`needed`: the layout's segments, from the body outwards; `others` only let compensations be seen.

    `last_up`: which way was up for the same sensors in the rest pose of the last session of this exercise.
    """

    layout: Layout
    needed: tuple[Segment, ...]
    others: tuple[Segment, ...] = ()
    last_up: Mapping[Segment, Direction] = field(default_factory=dict)

    @property
    def has_angle(self) -> bool:
        return self.layout.follows is Follows.ANGLE

    @property
    def all(self) -> tuple[Segment, ...]:
        return (*self.needed, *self.others)


def wearing(exercise: Exercise, side: Side, worn: Collection[Segment] | None) -> Wearing:
    """The best that the worn sensors allow; the best of all where they are too few, or (None) where nobody knows."""
    best = exercise.layouts[0]
    if worn is None:
        return Wearing(best, best.on(side))
    layout = exercise.layout(worn, side) or best
    needed = layout.on(side)
    known = [part.on(side) for part in (*exercise.sensors.required, *exercise.sensors.optional)]
    return Wearing(layout, needed, tuple(one for one in known if one in worn and one not in needed))


def too_few(exercise: Exercise, side: Side, worn: Collection[Segment], *, simulated: bool) -> str:
    """What to put on, for who cannot begin."""
    best, *alone = exercise.layouts
    missing = [one for one in best.on(side) if one not in worn]
    way = "strap one on and assign it by tapping it"
    if simulated:
        can = exercise.layout(worn, Side.RIGHT if side is Side.LEFT else Side.LEFT)
        way = f"start the gateway with --side {side}" if can else "the simulated body wears none there"
    said = f"{exercise.name} needs a sensor on the {_named(missing, 'and')}: {way}."
    instead = dict.fromkeys(segment for layout in alone for segment in layout.on(side) if [segment] != missing)
    return f"{said} One sensor alone, on the {_named(instead, 'or')}, would do as well." if instead else said


def _named(segments: Iterable[Segment], word: str) -> str:
    return f" {word} the ".join(segment.replace("_", " ") for segment in segments)

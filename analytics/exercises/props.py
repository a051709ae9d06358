"""What is in the picture besides the body: furniture where the first pose needs it, and what the limb moves with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from analytics.domain.drawing import Prop, View
from analytics.domain.exercise import Exercise, Joint, Posture

from .skeleton import FOREARM, HIP, Vector

Points = Mapping[str, Vector]
Piece = tuple[str, tuple[Vector, ...], float]
"""Name, points in space, thickness."""
Stands = Callable[[Exercise, Points], list[Piece]]

LINE, SLAB = 0.016, 0.024
SOLE, STEP_HEIGHT = 0.026, 0.1
SEAT_BELOW_HIP, BED_BELOW_BODY = 0.05, 0.068
BAND_LENGTH = 0.4
_LYING = {Posture.SUPINE, Posture.PRONE, Posture.SIDE_LYING}
_GRIPS = {Joint.ANKLE: "toes", Joint.KNEE: "knee", Joint.HIP: "ankle"}


def furniture(exercise: Exercise, rest: Points) -> list[Piece]:
    """What stands around; `rest` are the body's points in the first pose."""
    drawn = [] if exercise.posture in _LYING else _floor(exercise, rest)
    for prop in exercise.drawing.props:
        drawn += _STANDS[prop](exercise, rest) if prop in _STANDS else []
    return drawn


def held(exercise: Exercise, now: Points, rest: Points) -> list[Piece]:
    """Weights and bands, which follow the limb: `now` are its points in this pose."""
    drawn: list[Piece] = []
    for prop in exercise.drawing.props:
        if prop is Prop.WEIGHT_IN_HAND:
            drawn.append(("weight", (now["hand"],), 0.07))
        elif prop is Prop.BAND_TO_HAND:
            drawn.append(("band", (now[_GRIPS.get(exercise.joint, "other_hand")], now["hand"]), LINE / 2))
        elif prop in _PULLS:
            drawn += _band(exercise, now, rest, _PULLS[prop])
    return drawn


def _ground(exercise: Exercise, rest: Points) -> float:
    """The height of the floor: under the lowest foot, and below the step that both feet may stand on."""
    lowest = min(point[1] for point in rest.values()) - SOLE
    return min(lowest, rest["heel"][1] - SOLE - STEP_HEIGHT) if Prop.STEP in exercise.drawing.props else lowest


def _floor(exercise: Exercise, rest: Points) -> list[Piece]:
    """A line across the picture, where one looks along the floor."""
    y = _ground(exercise, rest)
    x = rest["pelvis"][0]
    match exercise.drawing.view:
        case View.SIDE:
            return [("floor", ((x - 0.45, y, 0), (x + 0.45, y, 0)), LINE / 2)]
        case View.FRONT:
            return [("floor", ((x, y, -0.4), (x, y, 0.4)), LINE / 2)]
        case _:
            return []


def _chair(exercise: Exercise, rest: Points) -> list[Piece]:
    x, y, _ = rest["pelvis"]
    floor = _ground(exercise, rest)
    seat = y - SEAT_BELOW_HIP
    pieces: list[Piece] = []
    for z in (-HIP - 0.03, HIP + 0.03):
        back, front = (x - 0.1, seat, z), (x + 0.16, seat, z)
        pieces += [
            ("chair", ((x - 0.13, y + 0.24, z), back, front), LINE),
            ("chair", (back, (x - 0.1, floor, z)), LINE),
            ("chair", (front, (x + 0.16, floor, z)), LINE),
        ]
    for corner in ((x - 0.13, y + 0.24), (x - 0.1, seat), (x + 0.16, seat)):
        pieces.append(("chair", ((*corner, -HIP - 0.03), (*corner, HIP + 0.03)), LINE))
    return pieces


def _bed(exercise: Exercise, rest: Points) -> list[Piece]:
    beside = exercise.posture is Posture.SIDE_LYING
    y = rest["pelvis"][1] - (HIP + 0.04 if beside else BED_BELOW_BODY)
    lying = [p for name, p in rest.items() if "hand" not in name and "wrist" not in name and "elbow" not in name]
    axis = 2 if beside else 0
    ends = (min(p[axis] for p in lying) - 0.06, max(p[axis] for p in lying) + 0.06)
    across = [(-HIP, HIP), (0.0, 0.0)][beside]
    pieces: list[Piece] = []
    for z in set(across):
        line = tuple((z, y, end) if beside else (end, y, z) for end in ends)
        pieces.append(("bed", line, SLAB))
        pieces += [("bed", (end, (end[0], y - 0.13, end[2])), LINE) for end in line]
    return pieces


def _table(exercise: Exercise, rest: Points) -> list[Piece]:
    """Under the exercising forearm, its edge at the wrist; or in front, under the other hand."""
    floor = _ground(exercise, rest)
    (x, y, z), reach = rest["wrist"], -FOREARM
    if exercise.joint is Joint.SHOULDER:
        (x, y, z), reach = rest["other_wrist"], 0.34
    top, end = y - 0.045, x + reach
    return [
        ("table", ((x - 0.02, top, z), (end, top, z)), SLAB),
        ("table", ((x + 0.1 * reach, top, z), (x + 0.1 * reach, floor, z)), LINE),
        ("table", ((end, top, z), (end, floor, z)), LINE),
    ]


def _wall(behind: bool) -> Stands:
    def draw(exercise: Exercise, rest: Points) -> list[Piece]:
        floor = _ground(exercise, rest)
        x = rest["pelvis"][0] - 0.085 if behind else max(rest["hand"][0], rest["toes"][0]) + 0.03
        return [("wall", ((x, floor, 0), (x, floor + 1.1, 0)), SLAB)]

    return draw


def _step(exercise: Exercise, rest: Points) -> list[Piece]:
    heel, toes = rest["heel"], rest["toes"]
    top, floor = heel[1] - SOLE, _ground(exercise, rest)
    back, front = heel[0] - 0.04, toes[0] + 0.03
    outline = ((back, floor), (back, top), (front, top), (front, floor), (back, floor))
    return [("step", tuple((x, y, heel[2]) for x, y in outline), LINE)]


def _roll(under: str) -> Stands:
    def draw(_exercise: Exercise, rest: Points) -> list[Piece]:
        x, y, z = rest[under]
        bed = rest["pelvis"][1] - BED_BELOW_BODY
        size = max(0.04, y - bed - 0.03)
        return [("roll", ((x - 0.01, bed + size / 2, z),), size)]

    return draw


def _band(exercise: Exercise, now: Points, rest: Points, pull: tuple[int, int]) -> list[Piece]:
    grip = _GRIPS.get(exercise.joint, "hand")
    x, y, z = rest[grip]
    anchor = (x + pull[0] * BAND_LENGTH, y, z + pull[1] * BAND_LENGTH)
    return [("band", (now[grip], anchor), LINE / 2), ("anchor", (anchor,), LINE * 2)]


_STANDS: Mapping[Prop, Stands] = {
    Prop.CHAIR: _chair,
    Prop.BED: _bed,
    Prop.TABLE: _table,
    Prop.WALL_BEHIND: _wall(behind=True),
    Prop.WALL_IN_FRONT: _wall(behind=False),
    Prop.STEP: _step,
    Prop.ROLL_UNDER_KNEE: _roll("knee"),
    Prop.ROLL_UNDER_HEEL: _roll("ankle"),
}
_PULLS: Mapping[Prop, tuple[int, int]] = {
    Prop.BAND_FROM_FRONT: (1, 0),
    Prop.BAND_FROM_BEHIND: (-1, 0),
    Prop.BAND_FROM_INSIDE: (0, -1),
    Prop.BAND_FROM_OUTSIDE: (0, 1),
}
"""Where a band is fixed: so far forward, and so far to the exercising side."""

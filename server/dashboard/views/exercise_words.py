"""An exercise in the dashboard's words and as its picture."""

from __future__ import annotations

from markupsafe import Markup

from analytics.domain.body import Joint, JointAngle, movements
from analytics.domain.exercise import Exercise, Side
from analytics.exercises.svg import svg

from ..wording import side_words

_ANGLES = {
    JointAngle.LEAN_FORWARD: "lean forward",
    JointAngle.LEAN_SIDEWAYS: "lean to the side",
    JointAngle.LATERAL_FLEXION: "side bend",
}


def picture(exercise: Exercise | None, side: Side) -> Markup:
    """The drawing as SVG without styles of its own, its words escaped by `svg`; empty for an exercise unknown here."""
    return Markup("" if exercise is None else svg(exercise, side))  # noqa: S704


def angle_words(exercise: Exercise | None) -> str:
    """`Knee flexion`: the angle that is followed; `Movement` where none is."""
    if exercise is None:
        return "Joint angle"
    if exercise.angle is None:
        return "Movement"
    angle = movements(exercise.joint)[exercise.direction].angle
    return f"{exercise.joint} {_ANGLES.get(angle, angle)}".capitalize()


def limb_words(exercise: Exercise | None, side: Side) -> str:
    """`Right knee`, but `Neck`; the side alone for an exercise unknown here."""
    if exercise is None:
        return f"{side.value.capitalize()} side"
    return side_words(side, exercise.joint) if exercise.joint.has_sides else exercise.joint.capitalize()


def own_limb(exercise: Exercise | None) -> str:
    """`Your knee`, to the patient."""
    return "Your movement" if exercise is None else f"Your {Joint(exercise.joint)}"

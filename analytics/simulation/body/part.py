"""What a session is made of: parts that begin and end at rest, each seen from the segment that is held still."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from analytics.domain.session import FormLabel

from .gait import CADENCE_HZ
from .movement import SITTING, STANDING, Move, Movement, Pose, Position, both, scaled

TEMPO_SHARE = {
    FormLabel.CORRECT: (1.0, 1.0, 1.0),
    FormLabel.TOO_FAST: (0.6, 0.1, 0.6),
    FormLabel.LOW_AMPLITUDE: (14 / 15, 0.9, 14 / 15),
}
SHARE_OF_RANGE = {FormLabel.CORRECT: 1.0, FormLabel.TOO_FAST: 0.95, FormLabel.LOW_AMPLITUDE: 0.7}
TEMPO_SPREAD, SHARE_SPREAD = 0.15, 0.06
"""From one repetition to the next, as shares: one standard deviation."""
POSE_S = 1.5


@dataclass(frozen=True, slots=True)
class TrueRepetition:
    """One movement as it was made. peak_s is the middle of the hold. excursion_deg: of the angle that counts, without
    sway. partial: deliberately stopped short of what was asked."""

    start_s: float
    peak_s: float
    end_s: float
    excursion_deg: float
    label: FormLabel
    partial: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """begins, ends: positions. held: the segment that stays where it is; of walking, the pelvis, which then does not
    stay. Times count from the part's beginning. cadence_hz: gait cycles per second, 0 where nobody walks."""

    duration_s: float
    begins: Position
    ends: Position
    held: str
    moves: tuple[Move, ...] = ()
    sway_deg: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    repetitions: tuple[TrueRepetition, ...] = ()
    cadence_hz: float = 0.0


def rest(duration_s: float, position: Position) -> Part:
    """Stay in a position, as still as people are."""
    return Part(duration_s, position, position, position.held, sway_deg=position.sway_deg)


def walk(duration_s: float, cadence_hz: float = CADENCE_HZ) -> Part:
    """From standing, walk about in circles and come back to where it began. At least 5 s."""
    if duration_s < 5.0:
        raise ValueError(f"Walking for {duration_s:g} s is too short to set off and stop; give at least 5 s.")
    return Part(duration_s, STANDING, STANDING, "pelvis", cadence_hz=cadence_hz)


def stand_up() -> Part:
    """From SITTING to STANDING in 2.2 s, the trunk leaning forward first, both feet where they are."""
    lean, rise = both(hip=20.0, ankle=15.0), both(hip=-110.0, knee=-90.0, ankle=-15.0)
    return Part(3.0, SITTING, STANDING, "right_foot", (*_to(lean, 0.3, 0.9), *_to(rise, 1.0, 1.5)))


def sit_down() -> Part:
    """From STANDING to SITTING, the same way back."""
    bend, straighten = both(hip=110.0, knee=90.0, ankle=15.0), both(hip=-20.0, ankle=-15.0)
    return Part(3.0, STANDING, SITTING, "right_foot", (*_to(bend, 0.3, 1.6), *_to(straighten, 1.6, 0.9)))


def repeat(
    movement: Movement,
    how: int | Sequence[FormLabel],
    rng: np.random.Generator,
    *,
    rest_s: float = 2.0,
    partial: Mapping[int, float] = MappingProxyType({}),
) -> Part:
    """A set: so many correct repetitions, or as each is labelled. rest_s: mean pause between them. partial: by index,
    the share of the full range at which a repetition is broken off."""
    labels = [FormLabel.CORRECT] * how if isinstance(how, int) else list(how)
    to_start = {
        joint: _minus(angles, movement.position.pose.get(joint, (0.0, 0.0, 0.0)))
        for joint, angles in movement.start.items()
    }
    moves: list[Move] = list(_to(to_start, 0.0, POSE_S))
    truth = []
    now_s = POSE_S + 0.5
    full_deg = abs(movement.change[movement.joint][movement.axis])
    for index, label in enumerate(labels):
        tempo = zip(movement.tempo_s, TEMPO_SHARE[label], strict=True)
        out_s, hold_s, back_s = (s * share * float(np.exp(rng.normal(0, TEMPO_SPREAD))) for s, share in tempo)
        share = partial.get(index, SHARE_OF_RANGE[label] * float(np.exp(rng.normal(0, SHARE_SPREAD))))
        change = {joint: scaled(angles, share) for joint, angles in movement.change.items()}
        back_at_s = now_s + out_s + hold_s
        moves += _to(change, now_s, out_s)
        moves += _to({joint: scaled(angles, -1.0) for joint, angles in change.items()}, back_at_s, back_s)
        truth.append(
            TrueRepetition(
                now_s, now_s + out_s + hold_s / 2, back_at_s + back_s, full_deg * share, label, index in partial
            )
        )
        now_s = back_at_s + back_s + rest_s * float(rng.uniform(0.25, 1.75))
    moves += _to({joint: scaled(angles, -1.0) for joint, angles in to_start.items()}, now_s, POSE_S)
    where = movement.position
    return Part(now_s + POSE_S, where, where, movement.root, tuple(moves), where.sway_deg, tuple(truth))


def _to(change: Pose, start_s: float, duration_s: float) -> tuple[Move, ...]:
    return tuple(Move(joint, start_s, duration_s, angles) for joint, angles in change.items() if any(angles))


def _minus(a: tuple[float, float, float], b: tuple[float, float, float]) -> tuple[float, float, float]:
    return a[0] - b[0], a[1] - b[1], a[2] - b[2]

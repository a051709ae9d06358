"""Whether sensors stay as they were put on, from what is seen of every repetition anyway.

A calibration is of how a sensor sits. Two things tell that it sits otherwise now, and neither alone is enough: the
joint's axis as the sensor sees it, which no pose can change, but which only a hinge has; and which way was up for it
before the repetition, which shows a slip about that axis as well, but which another rest pose changes too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from analytics.domain.exercise import Segment
from analytics.motion.quaternion import Vector
from analytics.motion.worn import Posture, SensorNote
from analytics.signals.samples import FloatArray

from .first_movement import MOVING_RAD_S
from .mounting import Mounting, check_mounting, check_rest, check_slipped, check_strap, plain_name
from .placement import turned_deg
from .still_pose import angle_deg

REMEMBERED_S = 30.0
REST_S, REST_WITHIN_S = 0.4, 1.0
"""The rest pose is the last time without movement, so long, that lies so soon before a repetition: who counts
repetitions lets them begin where they are well under way."""
FIRST = 3
"""Repetitions that show how steady somebody's axis and rest pose are."""
STEADY_DEG = 8.0
"""In them, of a hinge: knees of three people keep their axis within 5° (median) and 7° (most) through thirty seated
extensions of three kinds (Yurtman & Barshan)."""
IN_A_ROW = 2
"""Repetitions that must agree, so that one odd movement accuses nobody."""
LEAST_TURNED_DEG, LEAST_EXPLAINED = 30.0, 0.9
"""Out and back, of a movement that shows an axis."""


@dataclass(slots=True)
class _Reference:
    """How one direction in a sensor's frame was in the first repetitions, and how often it was another since."""

    check: Callable[[str, Vector, Vector], Mounting]
    first: list[FloatArray] = field(default_factory=list)
    off: int = 0

    def compare(self, segment: Segment, now: FloatArray) -> Mounting | None:
        """The fault, once two repetitions agree on it; the reference begins anew then."""
        if len(self.first) < FIRST:
            self.first.append(now)
            return None
        mean = np.sum(self.first, axis=0)
        if max(angle_deg(one, mean) for one in self.first) > STEADY_DEG:
            return None
        found = self.check(plain_name(segment), _vector(mean), _vector(now))
        self.off = 0 if found.fault is None else self.off + 1
        if self.off < IN_A_ROW:
            return None
        self.first, self.off = [], 0
        return found


class MountingWatch:
    """Takes every `Posture`; asked after each counted repetition, it tells what a person should know.

    last_up: for a segment, which way was up for the same sensor in its last session in this posture. up: the same of
    this session, once the first repetition was made.
    """

    def __init__(
        self, segments: Sequence[Segment], rate_hz: float, *, last_up: Mapping[Segment, Vector] | None = None
    ) -> None:
        self.up: dict[Segment, Vector] = {}
        self._segments, self._rate_hz = tuple(segments), rate_hz
        self._last_up = dict(last_up or {})
        size = round(REMEMBERED_S * rate_hz)
        self._time_s = np.full(size, -np.inf)
        self._readings = np.full((size, len(segments), 6), np.nan)
        self._next = 0
        self._axes = {segment: _Reference(check_slipped) for segment in segments}
        self._rests = {segment: _Reference(check_rest) for segment in segments}
        self._loose: dict[Segment, int] = dict.fromkeys(segments, 0)

    def update(self, one: Posture) -> None:
        """Take one instant."""
        row = self._next
        self._time_s[row] = one.time_s
        self._readings[row, :, :3], self._readings[row, :, 3:] = one.rate_rad_s, one.acc_m_s2
        if not all(one.known):
            self._readings[row, ~np.array(one.known)] = np.nan
        self._next = (row + 1) % len(self._time_s)

    def repetition(self, start_s: float, end_s: float) -> Iterator[SensorNote]:
        """A repetition was counted between these times."""
        order = np.argsort(self._time_s)
        time_s, readings = self._time_s[order], self._readings[order]
        before = readings[(time_s >= start_s - REST_WITHIN_S) & (time_s <= start_s)]
        moved = readings[(time_s >= start_s) & (time_s <= end_s)]
        for k, segment in enumerate(self._segments):
            for found in self._look(segment, _without_gaps(before[:, k]), _without_gaps(moved[:, k])):
                if found.refusal is not None:
                    yield SensorNote(segment, end_s, found.refusal)

    def _look(self, segment: Segment, before: FloatArray, moved: FloatArray) -> Iterator[Mounting]:
        if len(moved) >= REST_S * self._rate_hz:
            yield from self._in_movement(segment, moved[:, :3])
        if (rest := self._rest(before)) is not None:
            yield from self._at_rest(segment, rest[:, 3:].mean(axis=0))

    def _in_movement(self, segment: Segment, rate_rad_s: FloatArray) -> Iterator[Mounting]:
        axis = self._axis(segment, rate_rad_s)
        if axis is not None and (slipped := self._axes[segment].compare(segment, axis)) is not None:
            self._rests[segment] = _Reference(check_rest)  # said once, not once more of the pose
            yield slipped
        strap = check_strap(plain_name(segment), rate_rad_s, self._rate_hz)
        self._loose[segment] = 0 if strap.fault is None else self._loose[segment] + 1
        if self._loose[segment] == IN_A_ROW:
            yield strap

    def _at_rest(self, segment: Segment, acc_m_s2: FloatArray) -> Iterator[Mounting]:
        up = acc_m_s2 / np.linalg.norm(acc_m_s2)
        if segment not in self.up:
            self.up[segment] = _vector(up)
            if segment in self._last_up:
                yield check_mounting(plain_name(segment), self.up[segment], self._last_up[segment])
        if (moved := self._rests[segment].compare(segment, up)) is not None:
            yield moved

    def _rest(self, readings: FloatArray) -> FloatArray | None:
        """The last of them that are of no movement."""
        size = max(2, round(REST_S * self._rate_hz))
        moving = np.sqrt((readings[:, :3] ** 2).sum(axis=1)) > MOVING_RAD_S
        ends = (end for end in range(len(readings), size - 1, -1) if not moving[end - size : end].any())
        end = next(ends, None)
        return None if end is None else readings[end - size : end]

    def _axis(self, segment: Segment, rate_rad_s: FloatArray) -> FloatArray | None:
        """About which the sensor turned, in the sense of the first repetition."""
        if turned_deg(rate_rad_s, self._rate_hz) < LEAST_TURNED_DEG:
            return None
        shares, axes = np.linalg.eigh(rate_rad_s.T @ rate_rad_s)
        if shares[2] < LEAST_EXPLAINED * shares.sum():
            return None
        first = self._axes[segment].first
        return np.asarray(axes[:, 2] if not first or axes[:, 2] @ first[0] >= 0 else -axes[:, 2])


def _without_gaps(readings: FloatArray) -> FloatArray:
    return np.asarray(readings[np.isfinite(readings).all(axis=1)])


def _vector(v: FloatArray) -> Vector:
    x, y, z = (v / np.linalg.norm(v)).tolist()
    return (x, y, z)

"""From the motion of one segment and all joint angles to the motion of the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from analytics.signals.samples import FloatArray

from .moving_frame import MovingFrame
from .skeleton import Joint, metres, path


def carried(
    held: str, frame: MovingFrame, angles_deg: Mapping[str, FloatArray], segments: Iterable[str], height_m: float
) -> dict[str, MovingFrame]:
    """Frames of segments, and of those between, where one segment's frame is known.

    angles_deg: courses (3 angles, 3, n) of every joint on the way. height_m: of the body.
    """
    frames = {held: frame}
    for segment in segments:
        at = held
        for joint, outwards in path(held, segment):
            there = joint.outer if outwards else joint.inner
            if there not in frames:
                frames[there] = _through(joint, frames[at], angles_deg[joint.name], height_m, outwards)
            at = there
    return frames


def _through(joint: Joint, frame: MovingFrame, angles_deg: FloatArray, height_m: float, outwards: bool) -> MovingFrame:
    place = metres(joint.place, height_m)
    turns = [
        (axis, np.radians(sign * course))
        for axis, sign, course in zip(joint.sequence, joint.sign, angles_deg, strict=True)
        if course.any()
    ]
    if outwards:
        frame = frame.shifted(place)
        for axis, course in turns:
            frame = frame.turned(axis, course)
        return frame
    for axis, course in reversed(turns):
        frame = frame.turned(axis, -course)
    return frame.shifted(-place)

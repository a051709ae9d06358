"""The axis of a joint in the frames of both its sensors, from slow repetitions; neither segment needs to lie still.

`hinge_search` finds it. Here it is described, given its sense, judged, and refused with a sentence where it is not
good enough.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import cos, degrees, pi, radians

import numpy as np

from analytics.motion import rotations
from analytics.motion.heading import heading_from_shared_turning
from analytics.motion.quaternion import Quaternion, Vector
from analytics.signals.samples import FloatArray

from .drawn_joint import DrawnTurns
from .hinge_search import Circle, HingeSearch
from .joint_acceleration import JointAcceleration
from .walking import WALKED, walks

AGAIN = "Do five slow repetitions"
LEAST_EXPLAINED = 0.9
LARGEST_RESIDUAL_DEG = 8.0
LARGEST_CHANGE_DEG = 10.0
"""Between the halves of the movement. An axis wrong by 10° costs half a degree of flexion, by 20° two (RING chain)."""
LEAST_EXCURSION_DEG = 15.0
LEAST_DURATION_S = 1.5
LEAST_SAMPLES = 10
HEADING_SEEN_RAD = radians(20.0)
STILL_SHARE = 0.3
"""Where the proximal segment turns by less than this share of the distal one, it rests or is hardly carried along, and
always in the same sense (`heading_from_shared_turning`): that decides between two headings half a turn apart, and
tells the heading where the movement shows it less well than HEADING_SEEN_RAD."""
CIRCLE_ERROR_RAD, SHARED_ERROR_RAD = radians(10.0), radians(40.0)
"""Else both have their say. What a thigh rolls in step makes the circle thinnest at a wrong heading, what it turns in
step the other; in 40 simulated people each of 10 and 20° for the one and 20 and 40° for the other is as good."""
LEAST_LIKELIER = 3.0
SAME_EXCURSION = 0.1
"""Two headings half a turn apart give a leg that bends in one plane two different angles. One must be 20 times as
likely as the other (e³), unless their excursions agree within this share. Of the single squats, lunges and steps of
one to four seconds (CMU) that pass, all but one have the right one, by the reference."""
FELT_AT_MOST = 4.0
"""What is felt does not outvote what the exercise is: skin that moves in step misleads it each time (simulated squats
and steps were up to 5 on the wrong side)."""
WORKING_RATE_HZ, FORCE_RATE_HZ = 20.0, 50.0
"""Movement that shows an axis is slow; forces are smoothed over 0.15 s."""


@dataclass(frozen=True, slots=True, eq=False)
class FunctionalHinge:
    """A hinge as movement showed it.

    proximal_axis, distal_axis: the joint's axis in the sensors' frames, so that the movement's first half turns the
    distal segment positively about it. start: distal orientation as seen from the proximal sensor when the movement
    began; start_up: the vertical in the proximal sensor's frame then. heading_rad: turn about the vertical that brings
    the distal earth frame into the proximal one, at the last sample; drift_rad_s: its rate; heading_error_rad: one
    standard deviation, as far as the movement itself showed it.
    likelier: how much likelier that heading is than one half a turn away (log likelihood). excursion_deg: range of the
    angle. explained: share of the turning that is about the axis. residual_deg: RMS turn across it. stability_deg: by
    how much the axis differs between the movement's halves.
    refusal: why not to go by it and what to do, in one sentence; None where it is good.
    """

    proximal_axis: Vector
    distal_axis: Vector
    start: Quaternion
    start_up: Vector
    heading_rad: float
    drift_rad_s: float
    heading_error_rad: float
    likelier: float
    excursion_deg: float
    explained: float
    residual_deg: float
    stability_deg: float
    refusal: str | None = None


def functional_hinge(
    proximal: FloatArray,
    distal: FloatArray,
    time_s: FloatArray,
    *,
    acc_m_s2: FloatArray | None = None,
    joint: str = "joint",
    least_excursion_deg: float = LEAST_EXCURSION_DEG,
    drawn: DrawnTurns | None = None,
    on_foot: bool = True,
) -> FunctionalHinge:
    """Find the axis.

    proximal, distal: (n, 4) orientations at the same instants, without magnetometer, from filters that have settled.
    time_s: (n,), even. acc_m_s2: (n, 2, 3) specific force of both sensors; without it walking is not noticed, and a
    movement of both segments in one plane is refused, for it has two answers. joint: what to call it to the patient.
    drawn: what the segments do in the exercise, where that is known. on_foot: whether walking could look like it.
    Raises ValueError for fewer than LEAST_SAMPLES.
    """
    if len(time_s) < LEAST_SAMPLES:
        raise ValueError(f"A joint's axis needs {LEAST_SAMPLES} samples, not {len(time_s)}.")
    duration_s = float(time_s[-1] - time_s[0])
    rate_hz = (len(time_s) - 1) / duration_s
    few, some = (slice(None, None, max(1, round(rate_hz / hz))) for hz in (WORKING_RATE_HZ, FORCE_RATE_HZ))
    felt = None
    if acc_m_s2 is not None:
        felt = JointAcceleration(proximal[some], distal[some], acc_m_s2[some], rate_hz / some.step)
    search = HingeSearch(proximal[few], distal[few], time_s[few], felt)
    heading, drift = search.find()
    error = search.error_rad(heading, drift)
    likelier, doubtful = _against_elsewhere(search, heading, drift)
    if drawn is not None:
        here, there = (
            _turns_deg(search.circle(*one), proximal[few], distal[few])
            for one in ((heading, drift), search.elsewhere(heading, drift)[:2])
        )
        likelier = max(-FELT_AT_MOST, min(FELT_AT_MOST, likelier)) + drawn.likelier(here, there)
        doubtful &= abs(likelier) < LEAST_LIKELIER
        if likelier < 0.0:
            heading, drift, _ = search.elsewhere(heading, drift)
            search.trust(heading, drift)
            likelier = -likelier
    rates = [_rates(q[few], time_s[few]) for q in (proximal, distal)]
    if float(np.linalg.norm(rates[0])) <= STILL_SHARE * float(np.linalg.norm(rates[1])):
        axis = rotations.rotate(distal[0], search.circle(heading, drift).axes[1])
        shared = heading_from_shared_turning(axis, rates[0], rates[1])
        if error > HEADING_SEEN_RAD:
            heading, drift = shared, 0.0
        else:
            if cos(heading - shared) < 0.0:
                heading, drift, likelier = search.elsewhere(heading, drift)
                likelier = -likelier
            doubt = error**2 + CIRCLE_ERROR_RAD**2
            toward = (shared - heading + pi) % (2 * pi) - pi
            heading += doubt / (doubt + SHARED_ERROR_RAD**2) * toward
        search.trust(heading, drift)
        # The twin heading may be what the movement itself speaks for, as in split squats on a moving thigh.
        doubtful = drawn is None and likelier < -LEAST_LIKELIER
    elif error > HEADING_SEEN_RAD:
        doubtful = True
    circle = search.circle(heading, drift)
    middle = len(circle.angle_rad) // 2
    halves = [search.circle(heading, drift, part).axes for part in (slice(middle), slice(middle, None))]
    found = FunctionalHinge(
        *_sense(circle),
        start_up=_vector(rotations.rotate(rotations.conjugate(proximal[0]), np.array([0.0, 0.0, 1.0]))),
        heading_rad=heading + drift * (float(time_s[-1]) - search.middle_s),
        drift_rad_s=drift,
        heading_error_rad=error,
        likelier=likelier,
        excursion_deg=degrees(float(np.ptp(circle.angle_rad))),
        explained=circle.explained,
        residual_deg=degrees(float(np.sqrt(np.mean(circle.across_rad**2)))),
        stability_deg=max(_between_lines_deg(a, b) for a, b in zip(*halves, strict=True)),
    )
    if on_foot and acc_m_s2 is not None and any(walks(acc_m_s2[:, k], rate_hz) for k in (0, 1)):
        return replace(found, refusal=WALKED)
    if duration_s < LEAST_DURATION_S:
        return replace(found, refusal=f"That was too short to see how your {joint} moves. {AGAIN}.")
    return replace(found, refusal=_refusal(found, joint, least_excursion_deg, doubtful=doubtful))


def several_directions(joint: str) -> str:
    """What to say of a movement that is not about one axis."""
    return f"Your {joint} turned in more than one direction. {AGAIN}, straight out and back, and move nothing else."


def _refusal(found: FunctionalHinge, joint: str, least_excursion_deg: float, *, doubtful: bool) -> str | None:
    if found.excursion_deg < least_excursion_deg:
        return f"Your {joint} moved by {found.excursion_deg:.0f}° only. {AGAIN}, as far as is comfortable."
    if found.explained < LEAST_EXPLAINED or found.residual_deg > LARGEST_RESIDUAL_DEG:
        return several_directions(joint)
    if found.stability_deg > LARGEST_CHANGE_DEG:
        return f"A sensor slipped while your {joint} moved. Tighten both straps. {AGAIN}."
    if doubtful:
        return f"It is not clear which way your {joint} bends. {AGAIN}, with only the part beyond the {joint} moving."
    return None


def _against_elsewhere(search: HingeSearch, heading: float, drift: float) -> tuple[float, bool]:
    """How much likelier this heading is than one half a turn away, and whether that leaves the angle in doubt."""
    other_heading, other_drift, likelier = search.elsewhere(heading, drift)
    here, there = (
        float(np.ptp(search.circle(*one).angle_rad)) for one in ((heading, drift), (other_heading, other_drift))
    )
    differs = abs(here - there) > SAME_EXCURSION * max(here, there)
    return likelier, differs and likelier < LEAST_LIKELIER


def _turns_deg(circle: Circle, proximal: FloatArray, distal: FloatArray) -> tuple[float, float]:
    """How far proximal and distal segment turned about the axis until they were furthest from where they began."""
    proximal_axis, distal_axis, _ = _sense(circle)
    furthest = int(np.argmax(np.abs(circle.angle_rad - circle.angle_rad[0])))
    turns = [rotations.to_rotation_vector(rotations.relative(q[0], q[furthest])) for q in (proximal, distal)]
    return degrees(float(turns[0] @ proximal_axis)), degrees(float(turns[1] @ distal_axis))


def _sense(circle: Circle) -> tuple[Vector, Vector, Quaternion]:
    """Both axes in the sense in which the movement goes away from where it began, and the orientation there."""
    angle = circle.angle_rad
    begin = float(np.median(angle[: max(1, len(angle) // 40)]))
    away = 1.0 if angle[int(np.argmax(np.abs(angle - begin)))] >= begin else -1.0
    proximal, distal = circle.axes
    w, x, y, z = (np.cos(begin / 2) * circle.middle + np.sin(begin / 2) * circle.along).tolist()
    return _vector(away * proximal), _vector(away * distal), (w, x, y, z)


def _rates(orientation: FloatArray, time_s: FloatArray) -> FloatArray:
    """Angular rate (n - 1, 3) in the earth frame."""
    turn = rotations.multiply(orientation[1:], rotations.conjugate(orientation[:-1]))
    return np.asarray(rotations.to_rotation_vector(turn) / np.diff(time_s)[:, None])


def _between_lines_deg(a: FloatArray, b: FloatArray) -> float:
    """An axis has no sense of its own."""
    return degrees(float(np.arctan2(np.linalg.norm(np.cross(a, b)), abs(a @ b))))


def _vector(v: FloatArray) -> Vector:
    x, y, z = (v / np.linalg.norm(v)).tolist()
    return (x, y, z)

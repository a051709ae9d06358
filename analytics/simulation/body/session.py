"""A session: its parts one after the other, what sensors measured in it, and the truth."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from analytics.signals.samples import BoolArray, FloatArray

from .gait import walking_pelvis
from .mounting import Mounting, worn
from .moving_frame import MovingFrame
from .part import Part, TrueRepetition
from .performance import ANYONE, Person, joint_angles
from .sensor import INEXPENSIVE, MagneticField, SensorModel, reading, resampled
from .skeleton import JOINTS, beside
from .tree import carried

STILL_RAD_S, STILL_M_S2 = float(np.radians(2.0)), 0.1


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedSession:
    """Signals and truth.

    sensors: segment to specific force [m/s²] and angular rate [rad/s], (n, 3) each. mag_ut: segment to flux density
    (n, 3), empty without a field. orientations, sensor_orientations: segment to quaternions (n, 4), segment or sensor
    to earth. angles_deg: joint to its three angles (n, 3), named in `skeleton`, of joints beside a worn segment; an arm
    that swings behind the trunk is elevated negatively. still: segment to (n,)
    whether it turns slower than 2 °/s and accelerates less than 0.1 m/s².
    """

    rate_hz: float
    time_s: FloatArray
    sensors: dict[str, tuple[FloatArray, FloatArray]]
    mag_ut: dict[str, FloatArray]
    orientations: dict[str, FloatArray]
    sensor_orientations: dict[str, FloatArray]
    angles_deg: dict[str, FloatArray]
    still: dict[str, BoolArray]
    repetitions: tuple[TrueRepetition, ...]


def simulate(
    parts: Sequence[Part],
    sensors: Iterable[str | Mounting],
    rng: np.random.Generator,
    *,
    rate_hz: float = 100.0,
    person: Person = ANYONE,
    model: SensorModel = INEXPENSIVE,
    field: MagneticField | None = None,
) -> SimulatedSession:
    """A person does the parts in turn.

    sensors: segments that wear one anyhow, or mountings. Computed part by part, so an hour needs little more memory
    than its result. Raises ValueError where a part does not begin in the position in which the one before it ends.
    """
    worn_by = [worn(s, rng, height_m=person.height_m) if isinstance(s, str) else s for s in sensors]
    mounts = {mount.segment: mount for mount in worn_by}
    collected: dict[tuple[str, str], list[FloatArray]] = {}
    repetitions: list[TrueRepetition] = []
    n = 0
    for part, angles, frames in performed(parts, mounts, rng, rate_hz=rate_hz, person=person):
        for key, values in _observed(mounts, angles, frames, rate_hz, field):
            collected.setdefault(key, []).append(values[:-1])
        repetitions += [_later(one, n / rate_hz) for one in part.repetitions]
        n += round(part.duration_s * rate_hz)
    of: dict[str, dict[str, FloatArray]] = {kind: {} for kind in ("acc", "gyr", "mag", *_TRUTH)}
    for (kind, name), blocks in collected.items():
        of[kind][name] = np.concatenate(blocks)
    measured, mag_ut = {}, {}
    for name in mounts:
        taken_at: FloatArray = np.arange(float(n)) * (1 + rng.normal(0, model.clock_ppm) * 1e-6)
        acc, gyr = (
            resampled(of[kind][name], taken_at) if model.clock_ppm else of[kind][name] for kind in ("acc", "gyr")
        )
        measured[name] = reading(model.acc, acc, rate_hz, rng), reading(model.gyr, gyr, rate_hz, rng)
        if field:
            mag_ut[name] = reading(model.mag, of["mag"][name], rate_hz, rng)
    still = {name: values.astype(np.bool_) for name, values in of["still"].items()}
    segments, mounted, joints = of["segment"], of["sensor"], of["joint"]
    time_s = np.arange(n) / rate_hz
    return SimulatedSession(rate_hz, time_s, measured, mag_ut, segments, mounted, joints, still, tuple(repetitions))


_TRUTH = ("segment", "sensor", "joint", "still")


def performed(
    parts: Sequence[Part],
    segments: Iterable[str],
    rng: np.random.Generator,
    *,
    rate_hz: float,
    person: Person,
) -> Iterator[tuple[Part, dict[str, FloatArray], dict[str, MovingFrame]]]:
    """Each part with its joint angles and frames, one sample longer than the part: the last is the next one's first.

    Between parts everything rests, so that another segment can be the one that is held.
    """
    for before, after in pairwise(parts):
        if before.ends is not after.begins:
            raise ValueError(
                "A part begins in another position than the one in which the part before it ends; "
                "put stand_up() or sit_down() between them."
            )
    start = parts[0].begins
    pose = {name: np.array(start.pose.get(name, (0.0, 0.0, 0.0))) for name in JOINTS}
    held, orientation, place_m = start.held, start.orientation, np.zeros(3)
    for part in parts:
        time_s = np.arange(round(part.duration_s * rate_hz) + 1) / rate_hz
        angles = joint_angles(part, pose, time_s, person.restless, rng)
        first = {name: course[:, :, :1] for name, course in angles.items()}
        last = MovingFrame.at_rest(1, orientation, place_m)
        here = carried(held, last, first, [part.held], person.height_m)[part.held]
        root = MovingFrame.at_rest(len(time_s), here.orientation[0], here.place_m[0])
        if part.cadence_hz:
            root = walking_pelvis(root, time_s, part.cadence_hz)
        frames = carried(part.held, root, angles, segments, person.height_m)
        yield part, angles, frames
        pose = {name: course[:, 0, -1] for name, course in angles.items()}
        held, orientation, place_m = part.held, root.orientation[-1], root.place_m[-1]


def _observed(
    mounts: Mapping[str, Mounting],
    angles: Mapping[str, FloatArray],
    frames: Mapping[str, MovingFrame],
    rate_hz: float,
    field: MagneticField | None,
) -> Iterator[tuple[tuple[str, str], FloatArray]]:
    """What is kept of a part, each under its kind and the name of a segment or joint."""
    for name, mount in mounts.items():
        segment = frames[name]
        sensor = mount.carried(segment, angles, rate_hz)
        yield ("acc", name), sensor.specific_force_m_s2()
        yield ("gyr", name), sensor.rate_rad_s
        yield ("segment", name), segment.orientation
        yield ("sensor", name), sensor.orientation
        turning, moving = np.linalg.norm(segment.rate_rad_s, axis=1), np.linalg.norm(segment.acc_m_s2, axis=1)
        yield ("still", name), np.asarray((turning < STILL_RAD_S) & (moving < STILL_M_S2), dtype=np.float64)
        if field:
            yield ("mag", name), field.seen_by(sensor)
    for joint in dict.fromkeys(joint.name for name in mounts for joint in beside(name)):
        yield ("joint", joint), angles[joint][:, 0].T.copy()


def _later(one: TrueRepetition, by_s: float) -> TrueRepetition:
    return replace(one, start_s=one.start_s + by_s, peak_s=one.peak_s + by_s, end_s=one.end_s + by_s)

"""Sets of repetitions and pauses among recordings of any origin, and fair cuts of them.

A cut needs the moment after the k-th repetition. Where each was labelled by hand, it is the label's end. Where only
their number n is known, and the set was trimmed to them, it is where the phase of the movement's fundamental (n cycles
per set, demodulated over the whole set) has gone through k turns since the beginning: this follows an uneven tempo,
comes out at n by construction and has nothing in common with how repetitions are counted.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from analytics.evaluation.recordings import Arrays
from analytics.signals.samples import BoolArray, FloatArray

PAUSE_WORDS = ("break", "pause", "rest")
SHORTEST_PAUSE_S = 8.0
"""A shorter one lies between two repetitions of a set."""
SPLICE_MARGIN_S = 2.0
"""Left out at either end of a pause that is spliced: people finish a set late and begin it early."""
SPLICED_PAUSE_S = (8.0, 15.0)
CUT_REPETITIONS = (3, 18)
AFTER_LABEL_S = 0.5
WALKING_WORDS = ("gait", "mobgap", "walk")


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """One sensor. time_s: (n,). acc_m_s2, gyr_rad_s: (n, 3)."""

    time_s: FloatArray
    acc_m_s2: FloatArray
    gyr_rad_s: FloatArray

    def part(self, start_s: float, end_s: float) -> Motion:
        within = (self.time_s >= start_s) & (self.time_s < end_s)
        return Motion(self.time_s[within], self.acc_m_s2[within], self.gyr_rad_s[within])


@dataclass(frozen=True, slots=True, eq=False)
class LabelledSet:
    """cuts_s: (repetitions,) where to cut after the first, the second, … demonstration: times of one repetition."""

    name: str
    group: str
    motion: Motion
    repetitions: int
    cuts_s: FloatArray
    demonstration: tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Activity:
    """Where nothing is to be counted: between the times of each stretch [s], to the label's edge. asked: the sets
    between pauses, from and to when [s], and how many repetitions the person was asked for."""

    name: str
    group: str
    motion: Motion
    stretches: list[tuple[float, float]]
    asked: list[tuple[float, float, int]]

    @property
    def minutes(self) -> float:
        return sum(end - start for start, end in self.stretches) / 60.0


def sensor(one: Arrays, index: int | None = None) -> Motion:
    """One sensor's samples, on the recording's own time, or on its rate (`meta.fs`) from 0."""
    acc, gyr = one.numbers("acc"), one.numbers("gyr")
    acc, gyr = (acc, gyr) if index is None else (acc[:, index], gyr[:, index])
    time_s = one.numbers("t") if "t" in one else np.arange(len(acc)) / float(one.meta.get("fs", 100.0))
    return Motion(time_s, acc, gyr)


def labelled_set(one: Arrays) -> LabelledSet | None:
    """The set that a recording holds, if its repetitions are known: each (`reps`) or their number (`reps_in_set`).

    Of several sensors the one that turns most is taken: the one on the limb that exercises, which a person would know.
    """
    if "reps" in one and one.numbers("gyr").ndim == 3 and "template" not in str(one.meta.get("kind", "")):
        if not len(one.numbers("reps")):
            return None
        turning = np.nansum(one.numbers("gyr") ** 2, axis=(0, 2))
        motion = sensor(one, int(turning.argmax()))
        labels = one.numbers("reps")[:, :2] / float(one.meta.get("fs", 25.0)) + motion.time_s[0]
        labels = labels[labels[:, 0].argsort()]
        group = str(one.meta.get("exercise_name", "hand labels"))
        cuts_s = np.minimum(labels[:, 1] + AFTER_LABEL_S, [*labels[1:, 0], np.inf])
        return LabelledSet(one.name, group, motion, len(labels), cuts_s, (float(labels[0, 0]), float(labels[0, 1])))
    if "reps_in_set" in one.meta:
        motion, count = sensor(one), int(one.meta["reps_in_set"])
        cuts_s = phase_times(motion, count)
        group = str(one.meta.get("exercise", "sets"))
        return LabelledSet(one.name, group, motion, count, cuts_s, (float(cuts_s[0]), float(cuts_s[1])))
    return None


def phase_times(motion: Motion, count: int) -> FloatArray:
    """(count,) times at which a trimmed set of so many cycles has done 1, 2, … of them."""
    span_s = motion.time_s[-1] - motion.time_s[0]
    passed = (motion.time_s - motion.time_s[0]) / span_s
    channels = np.nan_to_num(np.concatenate([motion.gyr_rad_s, motion.acc_m_s2 / 9.80665], axis=1))
    turning = np.exp(-2j * np.pi * count * passed)[:, None] * (channels - channels.mean(axis=0))
    low = _smooth(turning, max(1, round(2.0 * len(passed) / count)))
    best = low[:, int(np.abs(low).mean(axis=0).argmax())]
    phase = count * passed + np.unwrap(np.angle(best)) / (2 * np.pi)
    phase = np.maximum.accumulate((phase - phase[0]) * count / (phase[-1] - phase[0]))
    times: FloatArray = np.interp(np.arange(1, count + 1), phase, motion.time_s)
    return times


def _smooth(values: NDArray[np.complex128], width: int) -> NDArray[np.complex128]:
    """A Hann window over each column, normalised at the ends."""
    window = np.hanning(width + 2)[1:-1]
    weight = np.convolve(np.ones(len(values)), window, "same")
    return np.stack([np.convolve(column, window, "same") / weight for column in values.T], axis=1)


def pauses(one: Arrays) -> Activity | None:
    """What was labelled as a pause, per sample (`label`), and the sets between."""
    if "label" not in one or one.numbers("gyr").ndim != 2:
        return None
    motion = sensor(one)
    resting = np.array([any(word in str(label).lower() for word in PAUSE_WORDS) for label in one.arrays["label"]])
    begins = np.flatnonzero(np.diff(resting.astype(int), prepend=1) < 0).tolist()
    stretches, asked = [], []
    from_index = 0
    for first, last in _runs(resting):
        start_s, end_s = float(motion.time_s[first]), float(motion.time_s[last])
        if end_s - start_s < SHORTEST_PAUSE_S:
            continue
        number = sum(from_index <= begin < first for begin in begins)
        if number:
            asked.append((float(motion.time_s[from_index]), start_s, number))
        stretches.append((start_s, end_s))
        from_index = last
    if number := sum(begin >= from_index for begin in begins):
        asked.append((float(motion.time_s[from_index]), float(motion.time_s[-1]), number))
    return Activity(one.name, "pauses", motion, stretches, asked) if stretches else None


def _runs(resting: BoolArray) -> Iterator[tuple[int, int]]:
    """First and last index of each run of rest."""
    bounds = [0, *(np.flatnonzero(np.diff(resting.astype(int))) + 1).tolist(), len(resting)]
    return ((first, end - 1) for first, end in pairwise(bounds) if resting[first])


def walking(one: Arrays) -> Iterator[Activity]:
    """Each sensor of a recording of walking (the name of its dataset, or labelled `strides`, says so)."""
    said = f"{one.meta.get('dataset', '')} {one.meta.get('activity', '')}".lower()
    if "strides" not in one and not any(word in said for word in WALKING_WORDS):
        return
    shape = one.numbers("gyr").shape
    for index in range(shape[1]) if len(shape) == 3 else [None]:
        motion = sensor(one, index)
        name = one.name if index is None else f"{one.name} sensor {index + 1}"
        whole = [(float(motion.time_s[0]), float(motion.time_s[-1]))]
        yield Activity(name, "walking", motion, whole, [])


def cut(one: LabelledSet, rests: Sequence[Motion]) -> LabelledSet:
    """The first few repetitions between two pauses; how many, and which pauses, is drawn from the set's name."""
    rng = np.random.default_rng(zlib.crc32(one.name.encode()))
    most = min(CUT_REPETITIONS[1], one.repetitions - 1)
    kept = int(rng.integers(min(CUT_REPETITIONS[0], most), most + 1))
    exercised = one.motion.part(one.motion.time_s[0], float(one.cuts_s[kept - 1]))
    before, after = _some(rests, rng), _some(rests, rng)
    parts = [_joined(before, -1, exercised, 0), exercised, _joined(after, 0, exercised, -1)]
    rate_hz = 1.0 / float(np.median(np.diff(one.motion.time_s)))
    joined, now_s, demonstration = [], 0.0, one.demonstration
    for part in parts:
        shift_s = now_s - part.time_s[0]
        if part is parts[1]:
            demonstration = one.demonstration[0] + shift_s, one.demonstration[1] + shift_s
        moved = _at_rate(part, rate_hz, shift_s)
        joined.append(moved)
        now_s = float(moved.time_s[-1]) + 1.0 / rate_hz
    motion = Motion(*(np.concatenate(column) for column in zip(*map(_columns, joined), strict=True)))
    return LabelledSet(f"{one.name} first {kept}", one.group, motion, kept, np.empty(0), demonstration)


def rests_of(activities: Sequence[Activity], sets: Sequence[LabelledSet]) -> list[Motion]:
    """Real pauses of the folder, for splicing; where it has none, a sensor that lies still."""
    found = [_within(one, *stretch) for one in activities for stretch in one.stretches if one.group == "pauses"]
    found = [rest for rest in found if len(rest.time_s) > 1 and rest.time_s[-1] - rest.time_s[0] >= SPLICED_PAUSE_S[0]]
    if found or not sets:
        return found
    time_s = np.arange(0.0, SPLICED_PAUSE_S[1], 0.02)
    return [Motion(time_s, np.tile([0.0, 0.0, 9.80665], (len(time_s), 1)), np.zeros((len(time_s), 3)))]


def _within(one: Activity, start_s: float, end_s: float) -> Motion:
    """A pause without its margins; where the recording begins or ends with it, there is none."""
    begins_s, ends_s = one.motion.time_s[0], one.motion.time_s[-1]
    start_s += SPLICE_MARGIN_S if start_s > begins_s else 0.0
    end_s -= SPLICE_MARGIN_S if end_s < ends_s else 0.0
    return one.motion.part(start_s, end_s)


def _some(rests: Sequence[Motion], rng: np.random.Generator) -> Motion:
    rest = rests[int(rng.integers(len(rests)))]
    length_s = float(rng.uniform(*SPLICED_PAUSE_S))
    start_s = rest.time_s[0] + rng.uniform(0, max(0.0, rest.time_s[-1] - rest.time_s[0] - length_s))
    return rest.part(start_s, start_s + length_s)


def _joined(rest: Motion, at: int, exercised: Motion, to: int) -> Motion:
    """The pause, turned as a whole so that its sensor is inclined at the joint as the set's: sensors do not jump."""
    have, want = _force(rest, at), _force(exercised, to)
    axis, cosine = np.cross(have, want), float(have @ want)
    x, y, z = axis
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    turn = np.eye(3) + cross + cross @ cross / max(1.0 + cosine, 1e-6)
    return Motion(rest.time_s, rest.acc_m_s2 @ turn.T, rest.gyr_rad_s @ turn.T)


def _force(motion: Motion, at: int) -> FloatArray:
    """The direction of the specific force at the beginning (0) or at the end (-1), over a fifth of a second."""
    edge = motion.time_s[at]
    mean: FloatArray = np.nanmean(motion.acc_m_s2[np.abs(motion.time_s - edge) <= 0.2], axis=0)
    return mean / np.linalg.norm(mean)


def _at_rate(part: Motion, rate_hz: float, shift_s: float) -> Motion:
    time_s = np.arange(part.time_s[0], part.time_s[-1], 1.0 / rate_hz)
    acc, gyr = (
        np.stack([np.interp(time_s, part.time_s, column) for column in values.T], axis=1)
        for values in (part.acc_m_s2, part.gyr_rad_s)
    )
    return Motion(time_s + shift_s, acc, gyr)


def _columns(part: Motion) -> tuple[FloatArray, FloatArray, FloatArray]:
    return part.time_s, part.acc_m_s2, part.gyr_rad_s

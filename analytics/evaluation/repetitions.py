"""`sinew evaluate repetitions`: repetitions counted against labelled ones, and counted where there are none.

One frozen configuration for everything: `MovementCounter()` on one sensor. It is told neither the exercise nor the
number of repetitions, nor the person, nor shown a demonstration; a person has only told which sensor is worn on the
limb that exercises. Seated knee extensions with hand labels go through the joint tracker as well, as on the gateway.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from analytics.domain.exercise import Side
from analytics.evaluation.recordings import Arrays, recordings_with
from analytics.evaluation.repetition_sets import (
    Activity,
    LabelledSet,
    Motion,
    cut,
    labelled_set,
    pauses,
    rests_of,
    walking,
)
from analytics.evaluation.report import Report, Result
from analytics.exercises import exercise
from analytics.motion.repetition.demonstration import SubsequenceWarping
from analytics.motion.repetition.movement_counter import CountedMovement, MovementCounter
from analytics.motion.repetition.pose import RATE_HZ, PoseStream
from analytics.signals.recording import RecordingError, load_recording
from analytics.training.replay import repetitions as tracked

CONSTANTS = (20, 30)
TRACKED, TRACKED_CUTS = "seated_knee_extension", (3, 11, 17)
WITH_BEYOND, BY_TURN = "and too many in sets", "by the turning point"
WARPING_LIMIT = 1.0
"""Of the baseline by one demonstration: of 0.2, 0.35, 0.5, 0.7 and 1.0 the one that counts best, so it is flattered."""
NOTES = (
    "One configuration for all: the counter is told neither exercise, number nor person, and shown no demonstration.",
    "A cut set is the first 3 to 18 repetitions (drawn from the set's name) between two real pauses from this folder, "
    "turned as a whole so that the sensor does not jump. It is cut after a hand label or, where only the number n of "
    "repetitions is known, where the phase of n cycles per set says so, which has nothing to do with the counter.",
    "by_demonstration: subsequence warping shown the first repetition of the same set. always_20: a constant answer.",
    "A repetition is false where it lies wholly in a labelled pause of 8 s or more, to the label's edge, or anywhere "
    "in walking. One that reaches into the time of a set belongs to that set; how many of those are more than the set "
    "was asked for stands beneath, and how many of all have their turning point in a pause. The labels are a timer's: "
    "who is asked for n repetitions and does n, beginning early or ending late, did nothing false.",
)


@dataclass(frozen=True, slots=True)
class _Answer:
    group: str
    name: str
    labelled: int
    counted: int
    by_demonstration: int | None

    @property
    def within(self) -> bool:
        return abs(self.counted - self.labelled) <= 1


def evaluate(folder: Path, say: Callable[[str], None]) -> Report:
    """Count everything below the folder that has a known answer. Raises RecordingError where nothing has."""
    recordings = recordings_with(folder, "acc", "gyr")
    sets = [found for one in recordings if (found := labelled_set(one))]
    idle = [resting for one in recordings if (resting := pauses(one))]
    idle += [activity for one in recordings for activity in walking(one)]
    if not sets and not idle:
        raise RecordingError(
            f"No recording below {folder} says how many repetitions it holds ('reps', or meta 'reps_in_set') or where "
            "there are none ('label', or walking); name another folder."
        )
    rests = rests_of(idle, sets)
    answers = list(_answers(sets, rests, say)) + [row for one in recordings for row in _tracked(one)]
    idled = [_idle(one, say) for one in idle]
    return Report(
        results=[*_sets_within_one(answers), *_false_per_minute(idled)],
        header=("set", "sets", "within ±1", "exact", "counted for"),
        rows=[*_rows(answers), *_idle_rows(idled)],
        notes=NOTES,
    )


def _answers(sets: Sequence[LabelledSet], rests: Sequence[Motion], say: Callable[[str], None]) -> Iterator[_Answer]:
    for one in sets:
        for kind, these in (("whole", one), ("cut", cut(one, rests))):
            counted = len(count(these.motion))
            say(f"{these.name}: {counted} of {these.repetitions}")
            yield _Answer(f"{one.group} {kind}", these.name, these.repetitions, counted, _by_demonstration(these))


def count(motion: Motion) -> list[CountedMovement]:
    """What the gateway would have counted."""
    counter = MovementCounter()
    return counter.update(motion.time_s, motion.acc_m_s2, motion.gyr_rad_s) + counter.finish()


def _by_demonstration(one: LabelledSet) -> int:
    """Subsequence warping on angular rate, shown one repetition of this very set."""
    poses = PoseStream().update(one.motion.time_s, one.motion.acc_m_s2, one.motion.gyr_rad_s)
    vectors = np.array([pose.vector for pose in poses])
    rows = np.gradient(vectors[:, :3], 1 / RATE_HZ, axis=0)
    times = np.array([pose.time_s for pose in poses])
    shown = rows[(times >= one.demonstration[0]) & (times <= one.demonstration[1])]
    warping = SubsequenceWarping(shown, WARPING_LIMIT)
    return sum(warping.update(row) is not None for row in rows) + (warping.finish() is not None)


def _tracked(one: Arrays) -> Iterator[_Answer]:
    """The same recording through two sensors and the joint's angle, where the catalogue has the exercise."""
    found = labelled_set(one) if one.meta.get("exercise_name") == TRACKED else None
    if found is None:
        return
    recording, knee = load_recording(one.path), exercise("knee.extension.seated")
    start_s = recording.time_s[0]
    yield _Answer("knee angle whole", one.name, found.repetitions, len(tracked(recording, knee, Side.RIGHT)), None)
    for kept in TRACKED_CUTS:
        if kept < found.repetitions:
            part = recording.cut(start_s, start_s + float(found.cuts_s[kept - 1] - found.motion.time_s[0]))
            counted = len(tracked(part, knee, Side.RIGHT))
            yield _Answer("knee angle cut", f"{one.name} first {kept}", kept, counted, None)


@dataclass(frozen=True, slots=True)
class _Idle:
    """What was counted in a recording with pauses, or of walking. false: wholly where nothing is to be counted.
    turned: with the turning point there. beyond: more than asked for, over the sets. off: sets that are not within one.
    """

    activity: Activity
    false: int
    turned: int
    beyond: int
    off: int


def _idle(one: Activity, say: Callable[[str], None]) -> _Idle:
    counted = count(one.motion)
    false = sum(any(a <= rep.start_s and rep.end_s <= b for a, b in one.stretches) for rep in counted)
    turned = sum(any(a <= rep.turned_s <= b for a, b in one.stretches) for rep in counted)
    more = [sum(rep.start_s < b and rep.end_s > a for rep in counted) - asked for a, b, asked in one.asked]
    say(f"{one.name}: {false} false in {one.minutes:.1f} min of {one.group}")
    return _Idle(one, false, turned, sum(max(0, n) for n in more), sum(abs(n) > 1 for n in more))


def _sets_within_one(answers: Sequence[_Answer]) -> list[Result]:
    if not answers:
        return []
    constants = {f"always_{n}": float(np.mean([abs(n - one.labelled) <= 1 for one in answers])) for n in CONSTANTS}
    shown = [abs(one.by_demonstration - one.labelled) <= 1 for one in answers if one.by_demonstration is not None]
    value = float(np.mean([one.within for one in answers]))
    baselines = constants | ({"by_demonstration": float(np.mean(shown))} if shown else {})
    return [Result("sets_within_one", value, "fraction", len(answers), baselines)]


def _false_per_minute(idled: Sequence[_Idle]) -> list[Result]:
    if not idled:
        return []
    total_min = sum(one.activity.minutes for one in idled)
    false, turned, beyond = (
        sum(column) for column in zip(*((o.false, o.turned, o.beyond) for o in idled), strict=True)
    )
    others = {WITH_BEYOND: (false + beyond) / total_min, BY_TURN: turned / total_min}
    return [Result("false_per_minute", false / total_min, "1/min", len(idled), others)]


def _rows(answers: Sequence[_Answer]) -> list[tuple[str, ...]]:
    """One row per exercise, whole and cut, then the sets that are further off, by name."""
    rows: list[tuple[str, ...]] = []
    for group in sorted({one.group for one in answers}):
        these = [one for one in answers if one.group == group]
        exact = sum(one.counted == one.labelled for one in these)
        usual = f"{median(one.counted / one.labelled for one in these):.2f}"
        rows.append((group, str(len(these)), str(sum(one.within for one in these)), str(exact), usual))
    off = [one for one in answers if not one.within]
    return rows + [(one.name, "1", "0", "0", f"{one.counted} for {one.labelled}") for one in off]


def _idle_rows(idled: Sequence[_Idle]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for group in sorted({one.activity.group for one in idled}):
        these = [one for one in idled if one.activity.group == group]
        minutes = sum(one.activity.minutes for one in these)
        rows.append((f"{group}, {minutes:.1f} min", str(len(these)), "–", "–", f"{sum(o.false for o in these)} for 0"))
        if sets := sum(len(one.activity.asked) for one in these):
            within, beyond = sets - sum(o.off for o in these), sum(o.beyond for o in these)
            rows.append((f"sets between {group}, by a timer", str(sets), str(within), "–", f"{beyond} too many"))
            turned = sum(o.turned for o in these)
            rows.append((f"{group}, by the turning point", str(len(these)), "–", "–", f"{turned} for 0"))
    return rows

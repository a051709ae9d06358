"""`sinew evaluate repetitions`: counted against labelled, on whole sessions and on sessions cut short.
 A counter that always answered 30 would look perfect on whole sessions, so each hand-labelled session is also cut
after its first 3, 11 and 17 repetitions.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path

from analytics.domain.exercise import Exercise, Side
from analytics.exercises import exercise
from analytics.motion.events import RepetitionDone
from analytics.signals.recording import RecordingError
from analytics.training.dataset import DataError, Interval, uci_folder, uci_intervals, uci_recording, uci_subjects
from analytics.training.replay import repetitions

CUTS = (3, 11, 17)
AFTER_CUT_S = 0.5
PROTOCOL_REPETITIONS = 30
"""Ten of each kind in a test session, where nobody labelled each."""


@dataclass(frozen=True, slots=True)
class CountedSet:
    """matched: labelled repetitions that exactly one counted one overlaps; None without labels of each."""

    name: str
    labelled: int
    counted: int
    matched: int | None


def evaluate(folder: Path, exercise_: Exercise) -> list[CountedSet]:
    """Count every set in the folder. Raises RecordingError or DataError."""
    sets = []
    for subject in uci_subjects(folder):
        recording = uci_recording(folder, subject, "test")
        labels, by_hand = uci_intervals(folder, subject, "test")
        counted = repetitions(recording, exercise_, Side.RIGHT)
        if not by_hand:
            sets.append(CountedSet(recording.name, PROTOCOL_REPETITIONS, len(counted), None))
            continue
        sets.append(CountedSet(recording.name, len(labels), len(counted), _matched(labels, counted)))
        for first in CUTS:
            part = recording.cut(recording.time_s[0], labels[first - 1].end_s + AFTER_CUT_S)
            found = repetitions(part, exercise_, Side.RIGHT)
            name = f"{recording.name} first {first}"
            sets.append(CountedSet(name, first, len(found), _matched(labels[:first], found)))
    return sets


def _matched(labels: list[Interval], counted: list[RepetitionDone]) -> int:
    return sum(sum(label.overlap_s(one) > 0 for one in counted) == 1 for label in labels)


def main(argv: list[str]) -> int:
    """Arguments after `sinew evaluate`. Answers the exit code."""
    parser = argparse.ArgumentParser(
        prog="sinew evaluate", description="Measure what the program computes on recordings."
    )
    tasks = parser.add_subparsers(dest="task", required=True)
    task = tasks.add_parser(
        "repetitions", help="counted against labelled", description="Count repetitions in recordings."
    )
    task.add_argument("--data", type=Path, required=True, help="folder that holds uci_physical_therapy")
    task.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    options = parser.parse_args(argv)
    try:
        sets = evaluate(uci_folder(options.data), exercise("knee.extension.seated"))
    except (DataError, RecordingError) as error:
        print(error, file=sys.stderr)
        return 1
    within = sum(abs(one.counted - one.labelled) <= 1 for one in sets) / len(sets)
    if options.json:
        constant = sum(abs(PROTOCOL_REPETITIONS - one.labelled) <= 1 for one in sets) / len(sets)
        result = {
            "metric": "sets_within_one",
            "value": round(within, 4),
            "unit": "fraction",
            "n": len(sets),
            "baselines": {"always_30": round(constant, 4)},
        }
        print(json.dumps({"task": "repetitions", "data": str(options.data), "results": [result]}))
        return 0
    print(f"{'set':<24}{'labelled':>9}{'counted':>9}{'matched':>9}")
    for one in sets:
        print(f"{one.name:<24}{one.labelled:>9}{one.counted:>9}{'–' if one.matched is None else one.matched:>9}")
    print(f"within ±1: {within:.0%} of {len(sets)} sets")
    return 0

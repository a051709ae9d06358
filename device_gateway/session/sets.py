"""Counting a dose: sets, the repetitions in them, and the rests between."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto
from itertools import pairwise

from analytics.domain.measure import Measure
from analytics.domain.program import Dose
from analytics.domain.session import Repetition, SetReport
from analytics.motion.events import RepetitionMotion
from analytics.motion.measures import of_set


class Progress(Enum):
    """What the repetitions so far have brought to its end."""

    GOING_ON = auto()
    SET_DONE = auto()
    ALL_DONE = auto()


class SetCounter:
    """`dose` may be eased between any two repetitions. What is done beyond it counts to the last set."""

    def __init__(self, dose: Dose) -> None:
        self.dose = dose
        self.set_number = 1
        self.count_in_set = 0
        self.repetitions: list[Repetition] = []
        self._sets: list[list[Repetition]] = [[]]
        self._motions: dict[int, RepetitionMotion] = {}
        self._all_done = False

    def add(self, repetition: Repetition, motion: RepetitionMotion | None = None) -> None:
        """`motion`: its curve, for how alike the set's are; None where no angle was followed."""
        if motion is not None:
            self._motions[repetition.number] = motion
        self.repetitions.append(repetition)
        self._sets[-1].append(repetition)
        self.count_in_set += 1

    def progress(self) -> Progress:
        """Where the repetitions so far have led; ALL_DONE is told once."""
        if self.count_in_set < self.dose.repetitions:
            return Progress.GOING_ON
        if self.set_number < self.dose.sets:
            return Progress.SET_DONE
        told, self._all_done = self._all_done, True
        return Progress.GOING_ON if told else Progress.ALL_DONE

    def next_set(self) -> None:
        self.set_number += 1
        self.count_in_set = 0
        self._sets.append([])

    def reports(self) -> tuple[SetReport, ...]:
        """The sets that hold repetitions, with the rests as they were taken."""
        done = [(number, repetitions) for number, repetitions in enumerate(self._sets, 1) if repetitions]
        rests_s = [after[0].start_s - before[-1].end_s for (_, before), (_, after) in pairwise(done)]
        return tuple(
            SetReport(
                number=number,
                start_s=set_[0].start_s,
                end_s=set_[-1].end_s,
                repetitions=len(set_),
                rest_s=rest_s,
                measures=self._measures(set_),
            )
            for (number, set_), rest_s in zip(done, [*rests_s, None], strict=bool(done))
        )

    def _measures(self, set_: Sequence[Repetition]) -> tuple[Measure, ...]:
        """Of those of its repetitions that could be measured."""
        measured = [{measure.code: measure for measure in one.measures} for one in set_ if one.measures]
        motions = [self._motions[one.number] for one in set_ if one.number in self._motions]
        curves = [(motion.time_s, motion.flexion_deg) for motion in motions]
        return tuple(of_set(measured, curves).values()) if measured else ()

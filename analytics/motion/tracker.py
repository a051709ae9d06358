"""From the samples of worn sensors to joint angle, repetitions and what else a session wants to know of a movement.

Samples go in as they arrive, wherever on their segments the sensors sit; angles, the calibration, repetitions and
notes come out. The first movement shows the axis; what was buffered until then is gone over once more, so the first
repetition counts as well. A recording goes through the same object.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from analytics.domain.exercise import Exercise, Follows, Layout, Segment, Side
from analytics.motion.by_angle import ByAngle
from analytics.motion.by_pattern import ByPattern
from analytics.motion.calibration.mounting_watch import MountingWatch
from analytics.motion.events import AngleSample, RepetitionDone, TrackerEvent
from analytics.motion.measuring import Measuring
from analytics.motion.quaternion import Vector
from analytics.motion.repetition.demonstrated_counter import DemonstratedCounter
from analytics.motion.timed.run import TimedTestRun
from analytics.motion.worn import Posture, SensorNote, WornSensors
from analytics.signals.samples import FloatArray, ImuSamples


class Tracker:
    """One object per exercise and session. `update` gives the same events however the samples were cut into packets.

    rates_hz: sampling rate of each worn segment's sensor; all are one, for the samples are on one grid of time. Which
        segments wear one decides how the exercise is followed (`Exercise.layout`).
    target_excursion_deg: what the program asks for; a movement that stops short of it is told, not counted.
    goniometer_deg: the joint's angle in the rest pose as a clinician measured it, where one did.
    shown: where no angle is followed, counts repetitions of one that was demonstrated; without it, three alike show it.
    last_up: for a segment, which way was up for the same sensor in its last session in this posture.
    """

    def __init__(
        self,
        exercise: Exercise,
        side: Side,
        rates_hz: Mapping[Segment, float],
        *,
        target_excursion_deg: float | None = None,
        goniometer_deg: float | None = None,
        shown: DemonstratedCounter | None = None,
        last_up: Mapping[Segment, Vector] | None = None,
    ) -> None:
        layout = exercise.layout(rates_hz, side)
        if layout is None:
            raise ValueError(_missing(exercise, side, rates_hz))
        if not min(rates_hz.values()) > 0:
            raise ValueError(f"A sensor's sampling rate must be above 0 Hz, not {min(rates_hz.values())}.")
        if len(set(rates_hz.values())) > 1:
            raise ValueError("The sensors' samples must be on one grid of time; see TimeGrid.")
        needed = layout.on(side)
        rate_hz = rates_hz[needed[0]]
        others = tuple(segment for segment in rates_hz if segment not in needed)
        self.layout: Layout = layout
        self._worn = WornSensors(needed, others, rate_hz)
        self._mounting = MountingWatch(self._worn.segments, rate_hz, last_up=last_up)
        self._measuring = Measuring(exercise, side, self._worn.segments, rate_hz)
        self._test = TimedTestRun(exercise, side, self._worn.segments) if exercise.test else None
        self._way: ByAngle | ByPattern
        if layout.follows is Follows.PATTERN:
            self._way = ByPattern(self._measuring, shown)
        else:
            self._way = ByAngle(
                exercise,
                layout,
                rate_hz,
                self._measuring,
                target_excursion_deg=target_excursion_deg,
                goniometer_deg=goniometer_deg,
            )

    @property
    def up(self) -> Mapping[Segment, Vector]:
        """Which way was up for each sensor in the rest pose, once a repetition was made from it."""
        return self._mounting.up

    def go(self, time_s: float) -> None:
        """ "Go" was said, of a timed test. Raises RuntimeError before `TestReady`, and where there is no test."""
        if self._test is None:
            raise RuntimeError("This exercise is no timed test.")
        self._test.go(time_s)

    def update(self, segment: Segment, samples: ImuSamples, time_s: FloatArray) -> list[TrackerEvent]:
        """Take a run of samples of one sensor with the session time (n,) of each. Segments not worn are ignored."""
        if segment not in self._worn.segments:
            return []
        return [event for one in self._worn.update(segment, samples, time_s) for event in self._heed(one)]

    def finish(self) -> list[TrackerEvent]:
        """No more samples come."""
        return [*self._way.finish(), *(self._test.finish() if self._test else ())]

    def _heed(self, one: Posture | SensorNote) -> Iterator[TrackerEvent]:
        if isinstance(one, SensorNote):
            yield one
            return
        self._measuring.add(one)
        self._mounting.update(one)
        for event in self._way.update(one):
            yield event
            if isinstance(event, RepetitionDone):
                yield from self._mounting.repetition(event.start_s, event.end_s)
            elif self._test is not None and isinstance(event, AngleSample):
                self._test.follow(event.time_s, event.excursion_deg)
        if self._test is not None:
            yield from self._test.add(one)


def _missing(exercise: Exercise, side: Side, rates_hz: Mapping[Segment, float]) -> str:
    first = next(one for one in exercise.layouts[0].on(side) if one not in rates_hz)
    return f"{exercise.name} needs a sensor on the {first.replace('_', ' ')}; none was given."

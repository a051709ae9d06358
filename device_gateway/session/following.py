"""From the samples of two sensors to joint angles and repetitions, by way of finding out which sensor is which.

The tracker hears every sample at once; what it says is held back until that is known, and nothing of it is lost.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from analytics.domain.exercise import Exercise, Segment, Side
from analytics.domain.live import Cue, SessionState
from analytics.domain.session import Placement
from analytics.motion.events import RepetitionDone, TrackerEvent
from analytics.motion.tracker import Tracker
from analytics.signals.samples import FloatArray, ImuSamples

from .conversation import Cause, Conversation
from .preparation import Preparation

EARLY_S = 30.0
"""Samples kept until it is known which sensor is which: as long as the tracker looks back."""
UNDECIDED = frozenset({SessionState.PLACING, SessionState.STILL})


@dataclass(frozen=True, slots=True)
class News:
    """What came of some samples: where they lead the conversation, what is to be said, what the tracker says.

    `now`: what the tracker says of this moment, also where it is held back from `events` till later.
    """

    causes: tuple[Cause, ...] = ()
    cue: Cue | None = None
    events: tuple[TrackerEvent, ...] = ()
    now: tuple[TrackerEvent, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    segment: Segment
    samples: ImuSamples
    time_s: FloatArray


class Following:
    """`talk` is only looked at: whoever is given the news leads it on, each before the next is asked for."""

    def __init__(
        self, exercise: Exercise, side: Side, talk: Conversation, *, guided: bool, limit_deg: float | None = None
    ) -> None:
        self.placement: Placement | None = None
        self.preparation: Preparation | None = None
        self._exercise = exercise
        self._side = side
        self._talk = talk
        self._guided = guided
        self._limit_deg = limit_deg
        self._pair = (exercise.proximal_segment(side), exercise.distal_segment(side))
        self._tracker: Tracker | None = None
        self._rates_hz: dict[Segment, float] = {}
        self._early: deque[_Run] = deque()
        self._held: tuple[TrackerEvent, ...] = ()

    def take(self, segment: Segment, rate_hz: float, samples: ImuSamples, time_s: FloatArray) -> Iterator[News]:
        """Take a run of samples of one sensor, placed on session time (n,). Segments not exercised are let be."""
        if segment not in self._pair:
            return
        run = _Run(segment, samples, time_s)
        if self._tracker is not None:
            yield from self._follow(self._tracker, run)
            return
        self._rates_hz[segment] = rate_hz
        self._remember(run)
        if len(self._rates_hz) == len(self._pair):
            tracker = self._tracker = Tracker(self._exercise, self._side, self._rates_hz)
            self.preparation = Preparation(
                self._exercise, self._side, self._rates_hz, guided=self._guided, limit_deg=self._limit_deg
            )
            yield News((Cause.SENSORS_STREAM,))
            early = tuple(self._early)
            self._early.clear()
            for one in early:
                yield from self._follow(tracker, one)

    def skip(self) -> Iterator[News]:
        """Of PLACING and STILL: go on with what is known."""
        if self._talk.step is SessionState.PLACING:
            yield from self._place(Cause.SKIP)
        else:
            yield News((Cause.SKIP,))
            yield self._release()

    def finish(self) -> Iterator[News]:
        """No more samples come."""
        if self._tracker is not None:
            while self._talk.step in UNDECIDED:
                yield News((Cause.SKIP,))
            yield self._release()
            yield News(events=tuple(self._tracker.finish()))

    def worn(self, segment: Segment) -> Segment:
        """Where the sensor that is said to sit on `segment` truly sits."""
        if self.placement is not Placement.SWAPPED or segment not in self._pair:
            return segment
        proximal, distal = self._pair
        return distal if segment == proximal else proximal

    def _remember(self, run: _Run) -> None:
        self._early.append(run)
        while self._early[0].time_s[-1] < run.time_s[-1] - EARLY_S:
            self._early.popleft()

    def _follow(self, tracker: Tracker, run: _Run) -> Iterator[News]:
        events = tuple(tracker.update(self.worn(run.segment), run.samples, run.time_s))
        if self._talk.step in UNDECIDED:
            self._remember(run)
            self._held += tuple(e for e in events if not (self._talk.paused and isinstance(e, RepetitionDone)))
            yield News(now=events)
        else:
            yield News(events=events, now=events)
        if self.preparation is not None:
            for outcome in self.preparation.update(
                run.segment, run.time_s, run.samples.gyr_rad_s, lambda: self._talk.step
            ):
                yield from self._heed(outcome.cause)
                if outcome.cue is not None:
                    yield News(cue=outcome.cue)

    def _heed(self, cause: Cause | None) -> Iterator[News]:
        match cause:
            case Cause.PLACED:
                yield from self._place(cause)
            case Cause.HELD_STILL:  # it was asked for: the movement after it calibrates
                self._track_anew(())
                yield News((cause,))
            case Cause.NOT_STILL:
                yield News((cause,))
                yield self._release()

    def _place(self, cause: Cause) -> Iterator[News]:
        """It is decided which sensor is which: what was held back is told, or is tracked again the right way round."""
        assert self.preparation is not None
        self.placement = self.preparation.placement
        if self.placement is Placement.SWAPPED:
            self._track_anew(tuple(self._early))
            yield News(now=self._held)
        settled = self.preparation.after_placing()
        if settled is None:
            yield News((cause,))
        else:
            yield News((cause, settled))
            yield self._release()

    def _track_anew(self, early: tuple[_Run, ...]) -> None:
        """Forget what the tracker found, and have it hear this."""
        rates_hz = {self.worn(segment): rate_hz for segment, rate_hz in self._rates_hz.items()}
        tracker = self._tracker = Tracker(self._exercise, self._side, rates_hz)
        told = [tracker.update(self.worn(run.segment), run.samples, run.time_s) for run in early]
        self._held = tuple(event for events in told for event in events)

    def _release(self) -> News:
        held, self._held = self._held, ()
        self._early.clear()
        return News(events=held)

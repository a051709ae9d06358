"""From the samples of worn sensors to angles and repetitions, by way of finding out which sensor is which.

The tracker hears every sample at once; what it says is held back until that is known, and nothing of it is lost.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from analytics.domain.exercise import Exercise, Segment, Side
from analytics.domain.live import Cue, SessionState
from analytics.domain.session import Placement
from analytics.motion.events import CalibrationRefused, RepetitionDone, TrackerEvent
from analytics.motion.tracker import Tracker
from analytics.signals.samples import FloatArray, ImuSamples

from .conversation import Cause, Conversation
from .judging import CALIBRATION_REFUSED, refusal_cue
from .preparation import Preparation
from .wearing import Direction, Wearing

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
    """`talk` is only looked at: whoever is given the news leads it on, each before the next is asked for.

    rest_pose_deg: the joint's angle in the rest pose as a clinician measured it, where one did.
    """

    def __init__(
        self,
        exercise: Exercise,
        side: Side,
        talk: Conversation,
        wearing: Wearing,
        *,
        guided: bool,
        limit_deg: float | None = None,
        rest_pose_deg: float | None = None,
    ) -> None:
        self.placement: Placement | None = None
        self.preparation: Preparation | None = None
        self._exercise = exercise
        self._side = side
        self._talk = talk
        self._wearing = wearing
        self._guided = guided
        self._limit_deg = limit_deg
        self._rest_pose_deg = rest_pose_deg
        self._tracker: Tracker | None = None
        self._rates_hz: dict[Segment, float] = {}
        self._refused = False
        self._segment_of: Mapping[Segment, Segment] = {}
        self._early: deque[_Run] = deque()
        self._held: tuple[TrackerEvent, ...] = ()

    def take(self, segment: Segment, rate_hz: float, samples: ImuSamples, time_s: FloatArray) -> Iterator[News]:
        """Take a run of samples of one sensor, placed on session time (n,). Segments not exercised are let be."""
        if segment not in self._wearing.all:
            return
        run = _Run(segment, samples, time_s)
        if self._tracker is not None:
            yield from self._follow(self._tracker, run)
            return
        if segment in self._wearing.needed:
            self._rates_hz[segment] = rate_hz
        self._remember(run)
        if len(self._rates_hz) == len(self._wearing.needed):
            tracker = self._tracker = self._new_tracker()
            # Only the needed ones may be exchanged: what swings elsewhere is nobody's exercise.
            rates_hz = {one: hz for one, hz in self._rates_on_grid().items() if one in self._wearing.needed}
            self.preparation = Preparation(
                self._exercise, self._side, rates_hz, guided=self._guided, limit_deg=self._limit_deg
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

    def go(self, time_s: float) -> None:
        """A timed test began at this session time."""
        if self._tracker is not None:
            self._tracker.go(time_s)

    def up(self, segment: Segment) -> Direction | None:
        """Which way was up in the rest pose for the sensor that truly sits there."""
        return None if self._tracker is None else self._tracker.up.get(segment)

    def worn(self, segment: Segment) -> Segment:
        """Where the sensor that is said to sit on `segment` truly sits."""
        return self._segment_of.get(segment, segment)

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
        if self._talk.step is SessionState.CALIBRATING:
            for event in events:
                if isinstance(event, CalibrationRefused):
                    self._refused = True
                    yield News(cue=refusal_cue(event, self._limit_deg))
        if self.preparation is not None and run.segment in self._wearing.needed:
            for outcome in self.preparation.update(run.segment, run.samples, run.time_s, lambda: self._talk.step):
                yield from self._heed(outcome.cause)
                if outcome.cue is not None and not self._is_told(outcome.cue):
                    yield News(cue=outcome.cue)

    def _is_told(self, cue: Cue) -> bool:
        """Of one movement, the tracker says more exactly what was wrong with it, where it says anything. A pattern
        needs three movements, and none of them is wrong."""
        told, self._refused = self._refused or not self._wearing.has_angle, False
        return told and cue.code == CALIBRATION_REFUSED

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
        self._segment_of = self.preparation.segment_of
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
        tracker = self._tracker = self._new_tracker()
        told = [tracker.update(self.worn(run.segment), run.samples, run.time_s) for run in early]
        self._held = tuple(event for events in told for event in events)

    def _new_tracker(self) -> Tracker:
        """A movement short of the program's target counts, and is told (docs/decisions/0012)."""
        return Tracker(
            self._exercise,
            self._side,
            self._rates_on_grid(),
            goniometer_deg=self._rest_pose_deg,
            last_up=self._wearing.last_up,
        )

    def _rates_on_grid(self) -> dict[Segment, float]:
        """One rate for all, also of a sensor that is not connected yet: the grid's."""
        return dict.fromkeys(self._wearing.all, next(iter(self._rates_hz.values())))

    def _release(self) -> News:
        held, self._held = self._held, ()
        self._early.clear()
        return News(events=held)

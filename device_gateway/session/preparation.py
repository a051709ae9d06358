"""From the first samples to an axis: which sensor is which, a still pose, a movement that shows how the joint turns.

What the patient does anyway is enough: resting before the first movement is the still pose, and that movement is the
check and the calibration. Only who is led through (`guided`) is asked to hold still where they did not, or to move one
segment by itself where the exercise turns two of them alike.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import floor

from analytics.domain.exercise import Exercise, Segment, Side
from analytics.domain.live import Cue, CueLevel, SessionState
from analytics.domain.session import Placement
from analytics.motion.calibration import ALONE_MARGIN, ExpectedTurns, StillPose, plain_name
from analytics.motion.calibration.still_pose import NOT_STILL
from analytics.signals.samples import FloatArray, ImuSamples

from .conversation import Cause
from .movement_watch import Ended, HeldStill, Moved, MovementWatch, Seen

VOTES_TO_SWAP = 2
"""That sensors are exchanged is believed after two movements that say so; that they are not, after one."""
TRIES = 3
"""So often a step is asked for again; then the session goes on without it, and its report says so."""
PATTERN_LEAST_DEG = 10.0
"""What is a movement where the exercise has no angle that says."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What follows from what was seen: where the conversation goes, what is said."""

    cause: Cause | None = None
    cue: Cue | None = None


class Preparation:
    """Lasts until the axis is found. `placement`, `segment_of` and `still` are its findings so far.

    rates_hz: of every worn sensor by the segment it is said to be on. segment_of: said to true.
    still: what each sensor showed in the still pose; empty until one was held.
    """

    def __init__(
        self,
        exercise: Exercise,
        side: Side,
        rates_hz: Mapping[Segment, float],
        *,
        guided: bool,
        limit_deg: float | None = None,
    ) -> None:
        self.placement = Placement.UNCHECKED
        self.segment_of: Mapping[Segment, Segment] = {segment: segment for segment in rates_hz}
        self.still: Mapping[Segment, StillPose] = {}
        self._exercise = exercise
        self._guided = guided
        self._not_beyond = "" if limit_deg is None else f", not beyond {floor(limit_deg)}°"
        self._expected = ExpectedTurns(exercise, side, rates_hz)
        pair = self._expected.pair
        others = () if pair is None else rates_hz.keys() - pair
        least_deg = PATTERN_LEAST_DEG if exercise.angle is None else exercise.angle.least_excursion_deg
        self._watch = MovementWatch(rates_hz, least_deg, others)
        self._asks_alone = guided and pair is not None and not self._expected.decides
        if self._asks_alone:
            self._watch.shares, self._watch.least_margin = self._expected.outer_alone, ALONE_MARGIN
        elif self._expected.decides:
            self._watch.shares = self._expected.shares
        self._swap_votes: Counter[frozenset[tuple[Segment, Segment]]] = Counter()
        self._tries_left = TRIES
        self._restless = 0

    @property
    def still_deg_s(self) -> float | None:
        """RMS angular rate in the still pose, of the most restless sensor."""
        return max((pose.rms_deg_s for pose in self.still.values()), default=None)

    def invitation(self, step: SessionState) -> Cue | None:
        """What is said on coming to a step, to who is led through."""
        if not self._guided:
            return None
        match step:
            case SessionState.PLACING if self._asks_alone:
                text = f"{self._alone()} It shows which sensor is where."
                return _say("placing", text, CueLevel.INFO)
            case SessionState.PLACING if self._expected.decides:
                text = f"Do the exercise once, slowly{self._not_beyond}. It shows which sensor is where."
                return _say("placing", text, CueLevel.INFO)
            case SessionState.STILL:
                return _say("still", "Now hold still for two seconds, as you begin the exercise.", CueLevel.INFO)
            case SessionState.CALIBRATING:
                text = f"Begin: slowly, and as far as is comfortable{self._not_beyond}."
                return _say("calibrating", text, CueLevel.INFO)
        return None

    def update(
        self, segment: Segment, samples: ImuSamples, time_s: FloatArray, step: Callable[[], SessionState]
    ) -> Iterator[Outcome]:
        """Look at a run of samples with their session times (n,); `segment` is where the sensor is said to sit.

        `step` tells where the session stands, which each outcome may change before the next is asked for.
        """
        if segment not in self.segment_of or not len(samples):
            return
        if step() is SessionState.PLACING and not self._watch.shares:
            yield Outcome(Cause.PLACED)
        for seen in self._watch.update(segment, samples, time_s):
            if isinstance(seen, HeldStill) and seen.refusal is None:
                self.still = seen.poses
            yield from self._judge(seen, step())

    def after_placing(self) -> Cause | None:
        """Whether the still pose is settled by what was seen so far, or by nobody being there to ask for it."""
        if self.still:
            return Cause.HELD_STILL
        return None if self._guided else Cause.NOT_STILL

    def _judge(self, seen: Seen, step: SessionState) -> Iterator[Outcome]:
        match step, seen:
            case SessionState.PLACING, Moved(segment_of):
                yield from self._vote(segment_of)
            case SessionState.PLACING, Ended(clear):
                yield from self._ask_again(clear)
            case SessionState.STILL, HeldStill():
                yield Outcome(Cause.HELD_STILL) if seen.refusal is None else self._ask_for_stillness(seen.refusal)
            case SessionState.STILL, Ended():
                yield self._ask_for_stillness(NOT_STILL)
            case SessionState.CALIBRATING, Ended() if self._exercise.angle is not None:
                joint = self._exercise.joint
                how = self._not_beyond or " and fully"
                text = f"That did not show how your {joint} moves. Again, slowly{how}, and move nothing else."
                yield Outcome(cue=_say("calibration_refused", text, CueLevel.WARN))

    def _vote(self, segment_of: Mapping[Segment, Segment]) -> Iterator[Outcome]:
        moved = {said: true for said, true in segment_of.items() if said != true}
        if not moved:
            self.placement = Placement.CHECKED
            yield Outcome(Cause.PLACED)
            return
        this = frozenset(moved.items())
        self._swap_votes[this] += 1
        if self._swap_votes[this] == VOTES_TO_SWAP:
            self.placement = Placement.SWAPPED
            self.segment_of = {**self.segment_of, **moved}
            number = "Two" if len(moved) == 2 else "Some"
            which = "Your two sensors are" if len(self.segment_of) == 2 else f"{number} of your sensors are"
            text = f"{which} worn the other way round. That is all right: they are read that way today."
            yield Outcome(Cause.PLACED, _say("sensors_swapped", text, CueLevel.INFO))

    def _ask_again(self, clear: bool) -> Iterator[Outcome]:
        self._tries_left -= 1
        if not self._tries_left:
            yield Outcome(Cause.PLACED)
        elif not clear:
            again = f"Do the exercise once more, slowly{self._not_beyond}."
            how = self._alone() if self._asks_alone or self._expected.outer_turns_more else again
            text = f"Which sensor is which is not clear yet. {how}"
            yield Outcome(cue=_say("placement_unclear", text, CueLevel.WARN))

    def _alone(self) -> str:
        assert self._expected.pair is not None
        return f"Move only your {plain_name(self._expected.pair[1])} once, slowly{self._not_beyond}."

    def _ask_for_stillness(self, refusal: str) -> Outcome:
        self._restless += 1
        if self._restless == TRIES:
            return Outcome(Cause.NOT_STILL)
        return Outcome(cue=_say("not_still", refusal, CueLevel.WARN))


def _say(code: str, text: str, level: CueLevel) -> Cue:
    return Cue(code=code, text=text, level=level)

"""From the first samples to an axis: which sensor is which, a still pose, a movement that shows how the joint turns.

What the patient does anyway is enough: resting before the first movement is the still pose, and that movement is the
check and the calibration. Only who is led through (`guided`) is asked to hold still where they did not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import floor

from analytics.domain.exercise import Exercise, Segment, Side
from analytics.domain.live import Cue, CueLevel, SessionState
from analytics.domain.session import Placement
from analytics.signals.samples import FloatArray

from .conversation import Cause
from .movement_watch import Ended, HeldStill, Moved, MovementWatch, Seen

VOTES_TO_SWAP = 2
"""That sensors are exchanged is believed after two movements that say so; that they are not, after one."""
TRIES = 3
"""So often a step is asked for again; then the session goes on without it, and its report says so."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What follows from what was seen: where the conversation goes, what is said."""

    cause: Cause | None = None
    cue: Cue | None = None


class Preparation:
    """Lasts until the axis is found. `placement` and `still_deg_s` are its findings so far."""

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
        self.still_deg_s: float | None = None
        self._exercise = exercise
        self._distal = exercise.distal_segment(side)
        self._guided = guided
        self._not_beyond = "" if limit_deg is None else f", not beyond {floor(limit_deg)}°"
        self._watch = MovementWatch(rates_hz, exercise.least_excursion_deg)
        self._swap_votes = 0
        self._tries_left = TRIES
        self._restless = 0

    def invitation(self, step: SessionState) -> Cue | None:
        """What is said on coming to a step, to who is led through."""
        if not self._guided:
            return None
        match step:
            case SessionState.PLACING:
                text = f"Do the exercise once, slowly{self._not_beyond}. It shows which sensor is where."
                return _say("placing", text, CueLevel.INFO)
            case SessionState.STILL:
                return _say("still", "Now sit still for two seconds.", CueLevel.INFO)
            case SessionState.CALIBRATING:
                text = f"Begin: slowly, and as far as is comfortable{self._not_beyond}."
                return _say("calibrating", text, CueLevel.INFO)
        return None

    def update(
        self, segment: Segment, time_s: FloatArray, gyr_rad_s: FloatArray, step: Callable[[], SessionState]
    ) -> Iterator[Outcome]:
        """Look at a run of samples; `segment` is where the sensor is said to sit.

        `step` tells where the session stands, which each outcome may change before the next is asked for.
        """
        for seen in self._watch.update(segment, time_s, gyr_rad_s):
            if isinstance(seen, HeldStill):
                self.still_deg_s = seen.rms_deg_s
            yield from self._judge(seen, step())

    def after_placing(self) -> Cause | None:
        """Whether the still pose is settled by what was seen so far, or by nobody being there to ask for it."""
        if self.still_deg_s is not None:
            return Cause.HELD_STILL
        return None if self._guided else Cause.NOT_STILL

    def _judge(self, seen: Seen, step: SessionState) -> Iterator[Outcome]:
        match step, seen:
            case SessionState.PLACING, Moved(mover):
                yield from self._vote(mover)
            case SessionState.PLACING, Ended(clear):
                yield from self._ask_again(clear)
            case SessionState.STILL, HeldStill():
                yield Outcome(Cause.HELD_STILL)
            case SessionState.STILL, Ended():
                yield self._ask_for_stillness()
            case SessionState.CALIBRATING, Ended():
                joint = self._exercise.joint
                how = self._not_beyond or " and fully"
                text = f"That did not show how your {joint} moves. Again, slowly{how}, and move nothing else."
                yield Outcome(cue=_say("calibration_refused", text, CueLevel.WARN))

    def _vote(self, mover: Segment) -> Iterator[Outcome]:
        if mover == self._distal:
            self.placement = Placement.CHECKED
            yield Outcome(Cause.PLACED)
            return
        self._swap_votes += 1
        if self._swap_votes == VOTES_TO_SWAP:
            self.placement = Placement.SWAPPED
            text = "Your two sensors are worn the other way round. That is all right: they are read that way today."
            yield Outcome(Cause.PLACED, _say("sensors_swapped", text, CueLevel.INFO))

    def _ask_again(self, clear: bool) -> Iterator[Outcome]:
        self._tries_left -= 1
        if not self._tries_left:
            yield Outcome(Cause.PLACED)
        elif not clear:
            yield Outcome(
                cue=_say(
                    "placement_unclear",
                    "Which sensor is which is not clear yet. Move only the "
                    f"{self._exercise.distal.replace('_', ' ')} once, slowly{self._not_beyond}.",
                    CueLevel.WARN,
                )
            )

    def _ask_for_stillness(self) -> Outcome:
        self._restless += 1
        if self._restless == TRIES:
            return Outcome(Cause.NOT_STILL)
        return Outcome(
            cue=_say("not_still", "That was not still: sit back and rest the leg for two seconds.", CueLevel.WARN)
        )


def _say(code: str, text: str, level: CueLevel) -> Cue:
    return Cue(code=code, text=text, level=level)

"""What the listeners of one session are told."""

from __future__ import annotations

from collections.abc import Sequence

from analytics.domain.exercise import Exercise
from analytics.domain.live import (
    Cue,
    CueEvent,
    FinishedEvent,
    RepetitionEvent,
    SensorState,
    SessionState,
    Snapshot,
    StateEvent,
)
from analytics.domain.program import Dose
from analytics.domain.session import Repetition, SessionOpening, SessionReport
from analytics.motion.events import AngleSample
from device_gateway.live.hub import LiveHub

from .conversation import Conversation
from .judging import angle_event
from .sets import SetCounter
from .wording import precautions_cue


class Teller:
    """`talk` and `sets` are only looked at. `rest_deg`: the angle in the rest pose; None where no angle is followed."""

    def __init__(
        self,
        hub: LiveHub,
        opening: SessionOpening,
        exercise: Exercise,
        talk: Conversation,
        sets: SetCounter,
        *,
        rest_deg: float | None,
        limit_deg: float | None,
        precautions: Sequence[str],
    ) -> None:
        self.rest_left_s = 0
        self._hub = hub
        self._opening = opening
        self._exercise = exercise
        self._talk = talk
        self._sets = sets
        self._rest_deg = rest_deg
        self._limit_deg = limit_deg
        self._precautions = tuple(precautions)

    def begin(self, sensors: Sequence[SensorState]) -> None:
        """A new session has begun."""
        self._hub.publish(
            Snapshot(
                state=self._talk.state,
                session_id=self._opening.id,
                exercise=self._exercise.code,
                exercise_name=self._exercise.name,
                side=self._opening.side,
                dose=self._sets.dose,
                rest_flexion_deg=self._rest_deg,
                limit_deg=self._limit_deg,
                sensors=tuple(sensors),
                precautions=self._precautions,
            )
        )
        if self._precautions:
            self.cue(precautions_cue(self._precautions))

    def state(self, rest_left_s: int, dose: Dose | None = None) -> None:
        """Where the session stands; `dose`, where that has changed. The rest that is left counts while resting."""
        resting = self._talk.state is SessionState.RESTING
        self.rest_left_s = rest_left_s if resting else 0
        self._hub.publish(
            StateEvent(
                state=self._talk.state,
                set_number=self._sets.set_number,
                rest_s=self.rest_left_s if resting else None,
                dose=dose,
            )
        )

    def angle(self, angle: AngleSample) -> None:
        self._hub.publish(angle_event(angle))

    def repetition(self, repetition: Repetition) -> None:
        sets = self._sets
        self._hub.publish(
            RepetitionEvent(set_number=sets.set_number, count_in_set=sets.count_in_set, repetition=repetition)
        )

    def cue(self, cue: Cue) -> None:
        self._hub.publish(CueEvent(cue=cue))

    def finished(self, report: SessionReport) -> None:
        self._hub.publish(FinishedEvent(report=report))

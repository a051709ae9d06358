"""One exercise session, live: angles, repetitions, their form, cues and sets, from the samples of two worn sensors."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import datetime

from analytics.domain.exercise import Exercise, Segment
from analytics.domain.live import (
    AngleEvent,
    Command,
    Cue,
    CueEvent,
    CueLevel,
    FinishedEvent,
    RepetitionEvent,
    SensorState,
    SessionState,
    Snapshot,
    StateEvent,
)
from analytics.domain.program import Dose
from analytics.domain.session import (
    Calibration,
    Form,
    FormLabel,
    PainMoment,
    Repetition,
    SensorRecord,
    SessionOpening,
    SessionReport,
)
from analytics.form.bundle import FormScorer
from analytics.form.cues import CueChooser
from analytics.motion.tracker import AngleSample, Calibrated, JointTracker, RepetitionDone, TrackerEvent
from analytics.signals.samples import FloatArray, ImuSamples
from device_gateway.live.hub import LiveHub

from .movement_limit import MovementLimit
from .trace import TraceCollector

ALL_DONE = "Well done, that was all for today. You can end the session."
EARLY_S = 10.0
"""Samples kept for the tracker while it waits for the other sensor to say its rate."""


def with_hurt(hurts: tuple[PainMoment, ...], time_s: float, pain: int | None) -> tuple[PainMoment, ...]:
    """The moments of pain and this one. A number after one without is the answer to "How much?", not another pain."""
    if pain is not None and hurts and hurts[-1].pain is None:
        return (*hurts[:-1], PainMoment(time_s=hurts[-1].time_s, pain=pain))
    return (*hurts, PainMoment(time_s=time_s, pain=pain))


class ExerciseSession:
    """Turns samples into live events and, at the end, into a report.

    Time is session time in seconds. Nothing here waits or reads a clock, so a session can be replayed. Without a
    `scorer`, repetitions are not judged and `unscored` says why. `limit_deg` is the excursion not to be passed today.
    """

    def __init__(
        self,
        opening: SessionOpening,
        exercise: Exercise,
        dose: Dose,
        *,
        scorer: FormScorer | None,
        unscored: str,
        hub: LiveHub,
        limit_deg: float | None = None,
    ) -> None:
        self.opening = opening
        self.dose = dose
        self.limit_deg = limit_deg
        self.paused = False
        self.set_number = 1
        self.count_in_set = 0
        self.repetitions: list[Repetition] = []
        self.hurts: tuple[PainMoment, ...] = ()
        self.calibration: Calibration | None = None
        self._finished = False
        self._exercise = exercise
        self._scorer = scorer
        self._unscored = unscored
        self._cues = CueChooser(exercise, limit_deg)
        self._limit = None if limit_deg is None else MovementLimit(limit_deg)
        self._hub = hub
        self._trace = TraceCollector()
        self._tracker: JointTracker | None = None
        self._rates_hz: dict[Segment, float] = {}
        self._early: deque[tuple[Segment, ImuSamples, FloatArray]] = deque()
        self._needed = {exercise.proximal_segment(opening.side), exercise.distal_segment(opening.side)}

    @property
    def state(self) -> SessionState:
        """What a listener is shown: a pause hides how far the sensors are, and outlasts their being found."""
        if self._finished:
            return SessionState.FINISHED
        if self.paused:
            return SessionState.PAUSED
        if self._tracker is None:
            return SessionState.CONNECTING
        return SessionState.EXERCISING if self.calibration else SessionState.CALIBRATING

    def begin(self, sensors: Sequence[SensorState]) -> None:
        """Tell listeners that a new session has begun."""
        self._hub.publish(
            Snapshot(
                state=self.state,
                session_id=self.opening.id,
                exercise=self._exercise.code,
                exercise_name=self._exercise.name,
                side=self.opening.side,
                dose=self.dose,
                rest_flexion_deg=self._exercise.rest_flexion_deg,
                sensors=tuple(sensors),
            )
        )

    def take(self, segment: Segment, rate_hz: float, samples: ImuSamples, time_s: FloatArray) -> None:
        """Take a run of samples of one sensor, placed on session time (n,). Segments not exercised are let be."""
        if segment not in self._needed:
            return
        if self._tracker is not None:
            self._tell(self._tracker.update(segment, samples, time_s))
            return
        self._rates_hz[segment] = rate_hz
        self._early.append((segment, samples, time_s))
        while self._early[0][2][-1] < time_s[-1] - EARLY_S:
            self._early.popleft()
        if self._needed <= self._rates_hz.keys():
            self._tracker = JointTracker(self._exercise, self.opening.side, self._rates_hz)
            if not self.paused:
                self._tell_state()
            for early in self._early:
                self._tell(self._tracker.update(*early))
            self._early.clear()

    def obey(self, command: Command, time_s: float) -> None:
        """Do what a listener asks of a session that runs, at this session time."""
        match command.command:
            case "pause":
                self.pause()
            case "resume":
                self.resume()
            case "hurts":
                self.hurt(time_s, command.pain)

    def pause(self) -> None:
        """Repetitions do not count until `resume`, whatever the sensors do meanwhile."""
        if not self.paused:
            self.paused = True
            self._tell_state()

    def resume(self) -> None:
        if self.paused:
            self.paused = False
            self._tell_state()

    def hurt(self, time_s: float, pain: int | None) -> None:
        """The patient says that it hurts: the set ends here and now, and nothing counts until `resume`."""
        self.hurts = with_hurt(self.hurts, time_s, pain)
        ends_set = self.count_in_set > 0 and self.set_number < self.dose.sets
        if ends_set:
            self._next_set()
        if ends_set or not self.paused:
            self.paused = True
            self._tell_state()
        self._cue(
            Cue(
                code="hurts",
                text="Stop. Rest the joint. If the pain does not go away, call your physiotherapist.",
                level=CueLevel.STOP,
            )
        )

    def finish(self) -> None:
        """Take in what is still inside the tracker. No samples may come afterwards."""
        if self._tracker is not None:
            self._tell(self._tracker.finish())
        self._finished = True
        self._tell_state()

    def report(
        self,
        *,
        ended_at: datetime,
        sensors: Sequence[SensorRecord],
        chunk_count: int,
        chunks_sha256: str,
        simulated: bool,
    ) -> SessionReport:
        """The whole session; also told to listeners."""
        report = SessionReport(
            **self.opening.model_dump(),
            ended_at=ended_at,
            repetitions=tuple(self.repetitions),
            calibration=self.calibration,
            trace=self._trace.trace(),
            sensors=tuple(sensors),
            form_model=self._scorer.name if self._scorer else None,
            chunk_count=chunk_count,
            chunks_sha256=chunks_sha256,
            simulated=simulated,
            hurts=self.hurts,
        )
        self._hub.publish(FinishedEvent(report=report))
        return report

    def _tell(self, events: Sequence[TrackerEvent]) -> None:
        for event in events:
            match event:
                case AngleSample():
                    self._trace.add(event.time_s, event.flexion_deg)
                    if self._limit is not None and (warning := self._limit.check(event.excursion_deg)):
                        self._cue(warning)
                    self._hub.publish(
                        AngleEvent(
                            time_s=event.time_s,
                            sensor_time_us=event.sensor_time_us,
                            flexion_deg=event.flexion_deg,
                            excursion_deg=event.excursion_deg,
                        )
                    )
                case Calibrated():
                    self.calibration = event.calibration
                    if not self.paused:
                        self._tell_state()
                case RepetitionDone():
                    if not self.paused:
                        self._count(event)

    def _count(self, done: RepetitionDone) -> None:
        repetition = Repetition(
            number=len(self.repetitions) + 1,
            start_s=done.start_s,
            peak_s=done.peak_s,
            end_s=done.end_s,
            excursion_deg=done.excursion_deg,
            excursion_error_deg=done.excursion_error_deg,
            peak_flexion_deg=done.peak_flexion_deg,
            peak_velocity_deg_s=done.peak_velocity_deg_s,
            form=self._judge(done),
        )
        self.repetitions.append(repetition)
        self.count_in_set += 1
        self._hub.publish(
            RepetitionEvent(
                set_number=self.set_number,
                count_in_set=self.count_in_set,
                repetition=repetition,
            )
        )
        cue = self._cues.after_repetition(repetition, self.dose)
        if cue is not None:
            self._cue(cue)
        if self.count_in_set >= self.dose.repetitions and self.set_number < self.dose.sets:
            self._next_set()
            self._tell_state()
        elif self.count_in_set == self.dose.repetitions:
            self._cue(Cue(code="all_done", text=ALL_DONE, level=CueLevel.GOOD))

    def _judge(self, done: RepetitionDone) -> Form:
        if self._scorer is None:
            return Form(label=FormLabel.NOT_JUDGED, reason=self._unscored)
        return self._scorer.judge(
            done.motion,
            self.dose.target_excursion_deg,
            excursion_deg=done.excursion_deg,
            excursion_error_deg=done.excursion_error_deg,
        )

    def _next_set(self) -> None:
        self.set_number += 1
        self.count_in_set = 0

    def _cue(self, cue: Cue) -> None:
        self._hub.publish(CueEvent(cue=cue))

    def _tell_state(self) -> None:
        self._hub.publish(StateEvent(state=self.state, set_number=self.set_number))

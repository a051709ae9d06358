"""One exercise session, live: the conversation, and the angles, repetitions, form, cues and sets in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from importlib.metadata import version
from math import ceil

from analytics.domain.check_in import CheckIn
from analytics.domain.exercise import Exercise, Segment
from analytics.domain.live import (
    Command,
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
from analytics.domain.session import (
    Calibration,
    EasingAction,
    Rating,
    SensorRecord,
    SessionOpening,
    SessionReport,
)
from analytics.form.bundle import FormScorer
from analytics.form.cues import CueChooser
from analytics.motion.events import AngleSample, Calibrated, RepetitionDone, TrackerEvent
from analytics.motion.grid import TimeGrid
from analytics.motion.repetition import NotCounted
from analytics.motion.worn import SensorNote
from analytics.safety.rules import Rules, load_rules
from analytics.safety.session import NOTHING_STANDS, Advice, Standing
from analytics.signals.samples import FloatArray, ImuSamples
from device_gateway.live.hub import LiveHub

from .care import Care
from .conversation import Cause, Conversation
from .following import UNDECIDED, Following, News
from .judging import angle_event, cue_of, repetition_of
from .movement_limit import MovementLimit
from .movement_watch import MOVING_RAD_S
from .sets import Progress, SetCounter
from .trace import TraceCollector
from .wording import ABANDONED, ALL_DONE, HURTS, eased_cue, precautions_cue, stopped_cue

ANSWER_S = 120.0
"""So long a question waits; then it counts as not asked."""
ABANDONED_S = 30 * 60.0
"""Without movement and without a word for so long, nobody exercises any more."""


class ExerciseSession:
    """Turns commands and samples into live events and, at the end, into a report.

    Time is session time in seconds and comes in with samples, commands and ticks. Nothing here waits or reads a clock,
    so a session can be replayed. Without a `scorer`, repetitions are not judged and `unscored` says why. `limit_deg` is
    the excursion not to be passed today. `guided`: somebody is there who is asked before, led through, and answers.
    `standing`: what speaks against it unless it is answered.
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
        guided: bool = False,
        precautions: Sequence[str] = (),
        rules: Rules | None = None,
        standing: Standing = NOTHING_STANDS,
    ) -> None:
        self.opening = opening
        self.guided = guided
        self.limit_deg = limit_deg
        self.prescribed = dose
        self.sets = SetCounter(dose)
        self.care = Care(rules or load_rules(), standing)
        self.felt: Rating | None = None
        self.calibration: Calibration | None = None
        self.abandoned = False
        self._talk = Conversation()
        self._talk.advance(Cause.START)
        if not guided:
            self._talk.advance(Cause.NOT_ASKED)
        self._exercise = exercise
        self._scorer = scorer
        self._unscored = unscored
        self._precautions = tuple(precautions)
        self._cues = CueChooser(exercise, limit_deg)
        self._limit = None if limit_deg is None else MovementLimit(limit_deg)
        self._hub = hub
        self._trace = TraceCollector()
        self._now_s = self._since_s = self._active_s = 0.0
        self._rest_told_s = 0
        self._grid = TimeGrid({exercise.proximal_segment(opening.side), exercise.distal_segment(opening.side)})
        self._following = Following(exercise, opening.side, self._talk, guided=guided, limit_deg=limit_deg)

    @property
    def state(self) -> SessionState:
        """What a listener is shown."""
        return self._talk.state

    @property
    def step(self) -> SessionState:
        """Where it stands, whether or not a pause lies over it."""
        return self._talk.step

    @property
    def dose(self) -> Dose:
        """What is asked for now: what was prescribed for today, or less."""
        return self.sets.dose

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
                limit_deg=self.limit_deg,
                sensors=tuple(sensors),
                precautions=self._precautions,
            )
        )
        if self._precautions:
            self._cue(precautions_cue(self._precautions))

    # What listeners ask

    def obey(self, command: Command, time_s: float) -> None:
        """Do what a listener asks, at this session time. Raises GatewayError where that cannot be done now."""
        self.tick(time_s)
        self._active_s = self._now_s
        match command.command:
            case "pause":
                self.pause()
            case "resume":
                self.resume()
            case "hurts":
                self.hurt(time_s, command.pain)
            case "check_in" if command.check_in is not None:
                self._answer(command.check_in)
            case "rate":
                self._advance(Cause.ANSWERED_LAST)
                self.felt = Rating(pain=command.pain, effort=command.effort)
            case "skip":
                self._skip()

    def tick(self, time_s: float) -> None:
        """Time passes, whether or not samples come."""
        self._now_s = max(self._now_s, time_s)
        match self.step:
            case SessionState.CHECKING_IN if self._now_s - self._since_s >= ANSWER_S:
                self._unanswered(Cause.NOT_ASKED)
            case SessionState.RATING if self._now_s - self._since_s >= ANSWER_S:
                self._advance(Cause.UNANSWERED)
            case SessionState.RESTING:
                if self._rest_left_s() <= 0:
                    self._advance(Cause.REST_OVER)
                elif not self._talk.paused and self._rest_left_s() != self._rest_told_s:
                    self._tell_state()
        if self._now_s - self._active_s >= ABANDONED_S and self._talk.allows(Cause.ABANDONED):
            self._abandon()

    def pause(self) -> None:
        """Repetitions do not count until `resume`, whatever the sensors do meanwhile."""
        before = self.state
        self._talk.pause()
        if self.state is not before:
            self._tell_state()

    def resume(self) -> None:
        """Go on; after a pain without a number, with less."""
        if self._talk.paused:
            self._talk.resume()
            self._tell_state()
            self._follow_advice(self.care.resumed())

    def hurt(self, time_s: float, pain: int | None) -> None:
        """The patient says that it hurts: the set ends here and now, and nothing counts until `resume`."""
        advice = self.care.hurt(time_s, pain)
        before = self.state, self.sets.set_number
        if self.sets.count_in_set > 0 and self.sets.set_number < self.dose.sets:
            self.sets.next_set()
        self._talk.pause()
        if (self.state, self.sets.set_number) != before:
            self._tell_state()
        self._cue(HURTS)
        self._follow_advice(advice)

    def _answer(self, check_in: CheckIn) -> None:
        if not self._talk.allows(Cause.ANSWERED):
            self._advance(Cause.ANSWERED)  # says why not
        advice = self.care.answer(check_in)
        if advice is None or advice.action is not EasingAction.STOPPED:
            self._advance(Cause.ANSWERED)
        self._follow_advice(advice)

    def _skip(self) -> None:
        if self.step in UNDECIDED:
            self._heed(self._following.skip())
        elif self.step is SessionState.CHECKING_IN:
            self._unanswered(Cause.SKIP)
        else:
            self._advance(Cause.SKIP)

    def _unanswered(self, cause: Cause) -> None:
        """The questions are passed over: what was told before stands."""
        advice = self.care.unanswered()
        if advice is None:
            self._advance(cause)
        self._follow_advice(advice)

    def _abandon(self) -> None:
        """What was held back is told first, so that no repetition is lost."""
        while self.step in UNDECIDED:
            self._heed(self._following.skip())
        if self._talk.allows(Cause.ABANDONED):
            self.abandoned = True
            self._advance(Cause.ABANDONED)
            self._cue(ABANDONED)

    def _follow_advice(self, advice: Advice | None) -> None:
        """At once, whoever is online: written down, done, and told with its reason."""
        if advice is None:
            return
        dose = self.care.write_down(advice, self._now_s, self.dose)
        if dose is None:
            self._advance(Cause.TOO_MUCH if self._talk.allows(Cause.TOO_MUCH) else Cause.REFUSED)
            self._cue(stopped_cue(advice.reason))
            return
        self.sets.dose = dose
        self._tell_state(dose)
        self._cue(eased_cue(advice.reason, dose))
        if self.step is SessionState.EXERCISING:
            self._settle_progress()

    # What sensors say

    def take(self, segment: Segment, rate_hz: float, samples: ImuSamples, time_s: FloatArray) -> None:
        """Take a run of samples of one sensor, placed on session time (n,). Segments not exercised are let be."""
        if self.step is not SessionState.FINISHED:
            self.tick(float(time_s[-1]))
            if float((samples.gyr_rad_s**2).sum(axis=1).max()) > MOVING_RAD_S**2:
                self._active_s = self._now_s
            for run in self._grid.take(segment, rate_hz, samples, time_s):
                self._heed(self._following.take(*run))

    def finish(self) -> None:
        """Take in what is still inside the tracker. No samples may come afterwards."""
        if self.step is not SessionState.FINISHED:
            self._heed(self._following.finish())
            self._advance(Cause.STOP)

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
            repetitions=tuple(self.sets.repetitions),
            calibration=self.calibration,
            trace=self._trace.trace(),
            sensors=tuple(s.model_copy(update={"segment": self._following.worn(s.segment)}) for s in sensors),
            form_model=self._scorer.name if self._scorer else None,
            chunk_count=chunk_count,
            chunks_sha256=chunks_sha256,
            simulated=simulated,
            hurts=self.care.hurts,
            check_in=self.care.check_in,
            placement=self._following.placement,
            sets=self.sets.reports(),
            easings=self.care.easings,
            felt=self.felt,
            abandoned=self.abandoned,
            gateway_software=version("sinew"),
        )
        self._hub.publish(FinishedEvent(report=report))
        return report

    def _heed(self, said: Iterable[News]) -> None:
        for news in said:
            if news.cue is not None and not self._talk.paused:
                self._cue(news.cue)
            self._watch_limit(news.now)
            self._advance(*news.causes)
            self._tell(news.events)

    def _watch_limit(self, events: Iterable[TrackerEvent]) -> None:
        for event in events:
            if isinstance(event, AngleSample) and self._limit and (warning := self._limit.check(event.excursion_deg)):
                self._cue(warning)

    def _tell(self, events: Iterable[TrackerEvent]) -> None:
        for event in events:
            match event:
                case AngleSample():
                    self._trace.add(event.time_s, event.flexion_deg)
                    self._hub.publish(angle_event(event))
                case Calibrated():
                    self._calibrated(event.calibration)
                case RepetitionDone() if not self._talk.paused and not self.care.stopped:
                    self._count(event)
                case NotCounted() | SensorNote() if not self._talk.paused and (cue := cue_of(event)) is not None:
                    self._cue(cue)

    def _calibrated(self, calibration: Calibration) -> None:
        preparation, self._following.preparation = self._following.preparation, None
        still_deg_s = preparation.still_deg_s if preparation is not None else None
        self.calibration = calibration.model_copy(update={"still_deg_s": still_deg_s})
        if self._talk.allows(Cause.AXIS_FOUND):
            self._advance(Cause.AXIS_FOUND)

    def _count(self, done: RepetitionDone) -> None:
        if self.step is SessionState.RESTING:
            self._advance(Cause.REST_OVER)
        number, target_deg = len(self.sets.repetitions) + 1, self.dose.target_excursion_deg
        repetition = repetition_of(done, number, target_deg, scorer=self._scorer, unscored=self._unscored)
        self.sets.add(repetition)
        self._hub.publish(
            RepetitionEvent(set_number=self.sets.set_number, count_in_set=self.sets.count_in_set, repetition=repetition)
        )
        cue = self._cues.after_repetition(repetition, self.dose)
        if cue is not None:
            self._cue(cue)
        self._settle_progress()

    def _settle_progress(self) -> None:
        """A set may be done, or all: by a repetition, or because less is asked for now."""
        match self.sets.progress():
            case Progress.SET_DONE:
                self.sets.next_set()
                if self.dose.rest_s > 0 and self._talk.allows(Cause.SET_DONE):
                    self._advance(Cause.SET_DONE)
                else:
                    self._tell_state()
            case Progress.ALL_DONE:
                self._advance(Cause.ALL_DONE)
                self._cue(ALL_DONE)

    # What listeners are told

    def _advance(self, *causes: Cause) -> None:
        """Go where these lead, one after the other, and tell where that is if it shows."""
        before = self.state
        for cause in causes:
            self._talk.advance(cause)
            self._since_s = self._now_s
        if self.state is before:
            return
        self._tell_state()
        preparation = self._following.preparation
        if preparation is not None and (cue := preparation.invitation(self.state)):
            self._cue(cue)

    def _rest_left_s(self) -> int:
        return ceil(self.dose.rest_s - (self._now_s - self._since_s))

    def _tell_state(self, dose: Dose | None = None) -> None:
        resting = self.state is SessionState.RESTING
        self._rest_told_s = self._rest_left_s() if resting else 0
        self._hub.publish(
            StateEvent(
                state=self.state,
                set_number=self.sets.set_number,
                rest_s=self._rest_told_s if resting else None,
                dose=dose,
            )
        )

    def _cue(self, cue: Cue) -> None:
        self._hub.publish(CueEvent(cue=cue))

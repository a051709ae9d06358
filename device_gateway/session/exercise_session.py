"""One exercise session, live: the conversation, and the angles, repetitions, form, cues and sets in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from importlib.metadata import version
from math import ceil

from analytics.domain.check_in import CheckIn
from analytics.domain.exercise import Exercise, Segment
from analytics.domain.live import Command, SensorState, SessionState
from analytics.domain.program import Dose
from analytics.domain.session import (
    Calibration,
    EasingAction,
    Rating,
    SensorRecord,
    SessionOpening,
    SessionReport,
)
from analytics.motion.calibration import MOVING_RAD_S
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
from .judging import Judge, cue_of
from .referee import Referee
from .sets import Progress, SetCounter
from .telling import Teller
from .trace import TraceCollector
from .wearing import Wearing
from .wording import ABANDONED, ALL_DONE, HURTS, eased_cue, stopped_cue

ANSWER_S = 120.0
"""So long a question waits; then it counts as not asked."""
ABANDONED_S = 30 * 60.0
"""Without movement and without a word for so long, nobody exercises any more."""


class ExerciseSession:
    """Turns commands and samples into live events and, at the end, into a report.

    Time is session time in seconds and comes in with samples, commands and ticks. Nothing here waits or reads a clock,
    so a session can be replayed. `limit_deg` is the excursion not to be passed today. `guided`: somebody is there who
    is asked before, led through, and answers. `standing`: what speaks against it unless it is answered.
    """

    def __init__(
        self,
        opening: SessionOpening,
        exercise: Exercise,
        dose: Dose,
        *,
        judge: Judge,
        wearing: Wearing,
        hub: LiveHub,
        limit_deg: float | None = None,
        guided: bool = False,
        precautions: Sequence[str] = (),
        rules: Rules | None = None,
        standing: Standing = NOTHING_STANDS,
        rest_pose_deg: float | None = None,
    ) -> None:
        self.opening = opening
        self.guided = guided
        self.limit_deg = limit_deg
        self.rest_pose_deg = rest_pose_deg
        self.wearing = wearing
        self.prescribed = dose
        self.sets = SetCounter(dose)
        self.care = Care(rules or load_rules(), standing)
        self.felt: Rating | None = None
        self.calibration: Calibration | None = None
        self._still_deg_s: float | None = None
        self.abandoned = False
        self._talk = Conversation()
        self._talk.advance(Cause.START)
        if not guided:
            self._talk.advance(Cause.NOT_ASKED)
        self._exercise = exercise
        self._judge = judge
        self._teller = Teller(
            hub, opening, exercise, self._talk, self.sets,
            rest_deg=_rest_deg(exercise, wearing, rest_pose_deg), limit_deg=limit_deg, precautions=precautions,
        )  # fmt: skip
        self._trace = TraceCollector()
        self._now_s = self._since_s = self._active_s = 0.0
        self._grid = TimeGrid(wearing.needed, wearing.others)
        self._following = Following(
            exercise, opening.side, self._talk, wearing,
            guided=guided, limit_deg=limit_deg, rest_pose_deg=rest_pose_deg,
        )  # fmt: skip
        self._referee = Referee(exercise.test, self._following.go) if exercise.test is not None else None

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
        self._teller.begin(sensors)

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
            case SessionState.EXERCISING if self._referee is not None and not self._talk.paused:
                if (cue := self._referee.tick(self._now_s)) is not None:
                    self._teller.cue(cue)
            case SessionState.CHECKING_IN if self._now_s - self._since_s >= ANSWER_S:
                self._unanswered(Cause.NOT_ASKED)
            case SessionState.RATING if self._now_s - self._since_s >= ANSWER_S:
                self._advance(Cause.UNANSWERED)
            case SessionState.RESTING:
                if self._rest_left_s() <= 0:
                    self._advance(Cause.REST_OVER)
                elif not self._talk.paused and self._rest_left_s() != self._teller.rest_left_s:
                    self._tell_state()
        if self._now_s - self._active_s >= ABANDONED_S and self._talk.allows(Cause.ABANDONED):
            self._abandon()

    def pause(self) -> None:
        """Repetitions do not count until `resume`, whatever the sensors do meanwhile."""
        before = self.state
        self._pause()
        if self.state is not before:
            self._tell_state()

    def resume(self) -> None:
        """Go on; after a pain without a number, with less."""
        if self._talk.paused:
            self._talk.resume()
            self._tell_state()
            if self._referee is not None and (cue := self._referee.resume(self._now_s)) is not None:
                self._teller.cue(cue)
            self._follow_advice(self.care.resumed())

    def hurt(self, time_s: float, pain: int | None) -> None:
        """The patient says that it hurts: the set ends here and now, and nothing counts until `resume`."""
        advice = self.care.hurt(time_s, pain)
        before = self.state, self.sets.set_number
        if self.sets.count_in_set > 0 and self.sets.set_number < self.dose.sets:
            self.sets.next_set()
        self._pause()
        if (self.state, self.sets.set_number) != before:
            self._tell_state()
        self._teller.cue(HURTS)
        self._follow_advice(advice)

    def _pause(self) -> None:
        self._talk.pause()
        if self._talk.paused and self._referee is not None:
            self._referee.interrupt()

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
            self._teller.cue(ABANDONED)

    def _follow_advice(self, advice: Advice | None) -> None:
        """At once, whoever is online: written down, done, and told with its reason."""
        if advice is None:
            return
        dose = self.care.write_down(advice, self._now_s, self.dose)
        if dose is None:
            self._advance(Cause.TOO_MUCH if self._talk.allows(Cause.TOO_MUCH) else Cause.REFUSED)
            self._teller.cue(stopped_cue(advice.reason))
            return
        self.sets.dose = dose
        self._tell_state(dose)
        self._teller.cue(eased_cue(advice.reason, dose, test=self._referee is not None))
        if self.step is SessionState.EXERCISING and self._referee is None:
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
            sensors=tuple(map(self._as_worn, sensors)),
            form_model=self._judge.form_model,
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
            test=self._referee.result if self._referee is not None else None,
            gateway_software=version("sinew"),
        )
        self._teller.finished(report)
        return report

    def _as_worn(self, sensor: SensorRecord) -> SensorRecord:
        segment = self._following.worn(sensor.segment)
        return sensor.model_copy(update={"segment": segment, "up": self._following.up(segment)})

    def _heed(self, said: Iterable[News]) -> None:
        for news in said:
            if news.cue is not None and not self._talk.paused:
                self._teller.cue(news.cue)
            for event in news.now:
                if isinstance(event, AngleSample) and (warning := self._judge.warning(event)) is not None:
                    self._teller.cue(warning)
            self._advance(*news.causes)
            self._tell(news.events)

    def _tell(self, events: Iterable[TrackerEvent]) -> None:
        for event in events:
            match event:
                case AngleSample():
                    self._trace.add(event.time_s, event.flexion_deg)
                    self._teller.angle(event)
                case Calibrated():
                    self._calibrated(event.calibration)
                case RepetitionDone() if not self._talk.paused and not self.care.stopped:
                    self._count(event)
                case NotCounted() | SensorNote() if not self._talk.paused and (cue := cue_of(event)) is not None:
                    self._teller.cue(cue)
            if self._referee is not None:
                self._hold_test(self._referee, event)

    def _hold_test(self, referee: Referee, event: TrackerEvent) -> None:
        if (cue := referee.hear(event, self._now_s)) is None:
            return
        self._teller.cue(cue)
        if referee.ready and self._talk.allows(Cause.AXIS_FOUND):
            self._advance(Cause.AXIS_FOUND)  # a test needs no more than it says itself
        if referee.over and self._talk.allows(Cause.ALL_DONE):
            self._advance(Cause.ALL_DONE)

    def _calibrated(self, calibration: Calibration | None) -> None:
        preparation, self._following.preparation = self._following.preparation, None
        if preparation is not None:
            self._still_deg_s = preparation.still_deg_s
        if calibration is not None:
            self.calibration = calibration.model_copy(update={"still_deg_s": self._still_deg_s})
        if self._talk.allows(Cause.AXIS_FOUND):
            self._advance(Cause.AXIS_FOUND)

    def _count(self, done: RepetitionDone) -> None:
        if self._referee is not None and not self._referee.counts(done.peak_s):
            return
        if self.step is SessionState.RESTING:
            self._advance(Cause.REST_OVER)
        repetition = self._judge.repetition(done, len(self.sets.repetitions) + 1, self.dose.target_excursion_deg)
        self.sets.add(repetition, done.motion)
        self._teller.repetition(repetition)
        if self._referee is not None:
            return  # nobody is coached in a test, and it ends by its own rule
        if (cue := self._judge.cue(repetition, self.dose)) is not None:
            self._teller.cue(cue)
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
                self._teller.cue(ALL_DONE)

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
            self._teller.cue(cue)

    def _rest_left_s(self) -> int:
        return ceil(self.dose.rest_s - (self._now_s - self._since_s))

    def _tell_state(self, dose: Dose | None = None) -> None:
        self._teller.state(self._rest_left_s(), dose)


def _rest_deg(exercise: Exercise, wearing: Wearing, measured_deg: float | None) -> float | None:
    """The primary angle in the rest pose, by a goniometer where there is that; None where no angle is followed."""
    if not wearing.has_angle:
        return None
    return exercise.rest_flexion_deg if measured_deg is None else measured_deg

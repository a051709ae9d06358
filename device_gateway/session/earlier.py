"""What earlier sessions say about the next one: which exercises are done today, and what speaks against any."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from analytics.domain.base import Word
from analytics.domain.check_in import CheckIn, RedFlag
from analytics.domain.exercise import Segment, Side
from analytics.domain.program import Prescription, Program
from analytics.domain.session import EasingAction, SessionReport
from analytics.exercises.catalogue import UnknownExercise
from analytics.safety.rules import Rules
from analytics.safety.session import Advice, Standing, before_session, hurts_now
from device_gateway.clocks.calendar import WRITTEN

from .library import Library
from .wearing import Direction

MOST_WORN = 500
"""Remembered ways to wear a sensor: more than anybody has exercises times sensors."""
SETTLE = "Once that is settled, answer the questions before exercising again."


class WornBefore(Word):
    """How a sensor sat in the rest pose of an exercise. `up`: which way was up, in its own axes."""

    address: str
    segment: Segment
    exercise: str
    up: Direction


class EarlierSessions(Word):
    """`done` holds exercise and side of what was done on `day`; `check_in` the answers with a red flag that stands.

    A calendar may jump by years: no time clears a red flag, only answers do. `stopped_on` is the day that was over by a
    rule, and `stopped_because` what the patient was told. `worn`: how each sensor sat last, the newest last.
    """

    day: date | None = None
    done: tuple[tuple[str, Side], ...] = ()
    check_in: CheckIn | None = None
    stopped_on: date | None = None
    stopped_because: str = ""
    worn: tuple[WornBefore, ...] = ()

    def and_then(self, report: SessionReport, today: date) -> EarlierSessions:
        """These and one more; without a repetition or a result, or on an earlier day, it does not count as done."""
        done = self.done_on(today)
        of_today = report.started_at.astimezone().date() == today
        tested = report.test is not None and report.test.measure is not None
        if of_today and (report.repetitions or tested) and (report.exercise, report.side) not in done:
            done = (*done, (report.exercise, report.side))
        news = self.model_copy(update={"day": today, "done": done, "worn": self._worn_now(report)})
        for easing in report.easings:
            if easing.action is EasingAction.STOPPED:
                at = report.started_at + timedelta(seconds=easing.time_s)
                news = news._stopped(Advice(easing.action, easing.rule, easing.reason), at, today)
        return news

    def last_up(self, sensors: Mapping[str, Segment], exercise: str) -> dict[Segment, Direction]:
        """Which way was up for each of these sensors, by its address, when it was last worn there for this exercise."""
        return {
            one.segment: one.up
            for one in self.worn
            if one.exercise == exercise and sensors.get(one.address) is one.segment
        }

    def _worn_now(self, report: SessionReport) -> tuple[WornBefore, ...]:
        now = [
            WornBefore(address=one.address, segment=one.segment, exercise=report.exercise, up=one.up)
            for one in report.sensors
            if one.up is not None
        ]
        again = {(one.address, one.segment, one.exercise) for one in now}
        before = [one for one in self.worn if (one.address, one.segment, one.exercise) not in again]
        return tuple([*before, *now][-MOST_WORN:])

    def answered(self, check_in: CheckIn, at: datetime, rules: Rules, today: date) -> EarlierSessions:
        """After these answers: they tell of red flags, or that there are none, or say nothing of them."""
        news = self
        if check_in.red_flags is not None:
            before = (self.check_in.red_flags if self.check_in is not None else None) or ()
            flags = tuple(flag for flag in RedFlag if check_in.red_flags and flag in {*before, *check_in.red_flags})
            news = self.model_copy(update={"check_in": check_in.model_copy(update={"red_flags": flags})})
        advice = before_session(check_in, rules)
        return news if advice is None or advice.action is not EasingAction.STOPPED else news._stopped(advice, at, today)

    def hurt(self, pain: int, at: datetime, rules: Rules, today: date) -> EarlierSessions:
        """After a pain in mid-session."""
        advice = hurts_now(pain, rules)
        return self if advice is None or advice.action is not EasingAction.STOPPED else self._stopped(advice, at, today)

    def dated(self, today: date) -> EarlierSessions:
        """A stop that was dated by a calendar that could not be right is of the day on which that is set right."""
        wrong = self.stopped_on is not None and self.stopped_on < WRITTEN.date() <= today
        return self.model_copy(update={"stopped_on": today}) if wrong else self

    def done_on(self, day: date) -> tuple[tuple[str, Side], ...]:
        return self.done if self.day == day else ()

    def due(self, program: Program, day: date, library: Library) -> Prescription:
        """The first exercise that can be done here and is not done yet; the first of all where every one is."""
        able = [p for p in program.prescriptions if knows(library, p.exercise)] or program.prescriptions
        done = self.done_on(day)
        return next((p for p in able if (p.exercise, p.side) not in done), able[0])

    def standing(self, today: date, rules: Rules) -> Standing:
        """What speaks against exercising today."""
        flag = before_session(self.check_in, rules) if self.check_in is not None and self.check_in.red_flags else None
        told = f"You were told earlier today: {self.stopped_because}"
        stop = Advice(EasingAction.STOPPED, "stopped_today", told) if self.stopped_on == today else None
        return Standing(flag, stop)

    def _stopped(self, advice: Advice, at: datetime, today: date) -> EarlierSessions:
        """Of one day, the first that was told stands, and of an earlier one nothing takes today's away.

        A red flag stands by its answers, not for a day.
        """
        day = at.astimezone().date()
        if advice.rule.startswith("red_flag.") or self.stopped_on in {day, today}:
            return self
        return self.model_copy(update={"stopped_on": day, "stopped_because": advice.reason})


def knows(library: Library, exercise: str) -> bool:
    """Whether this gateway can do it, with sensors enough."""
    try:
        library.exercise(exercise)
    except UnknownExercise:
        return False
    return True

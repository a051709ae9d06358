"""When a timed test begins and ends, and what is said of it."""

from __future__ import annotations

import pytest

from analytics.domain.live import CueLevel
from analytics.domain.measure import Measure, Unit
from analytics.domain.session import TestResult as Result
from analytics.exercises import catalogue
from analytics.motion.timed.run import TestDone as Done
from analytics.motion.timed.run import TestNotReady as NotReady
from analytics.motion.timed.run import TestReady as Ready
from device_gateway.session.referee import READY_S, Referee

TIME = Measure(code="sit_to_stand.five", name="Five times sit to stand", value=12.34, unit=Unit.SECOND, error=0.15)
DONE = Done(30.0, Result(measure=TIME, notes=("Rest now.",)))


class Course:
    """A test with what was said of it, and when it was told to begin."""

    def __init__(self, code: str = "sit_to_stand.five") -> None:
        test = catalogue()[code].test
        assert test is not None
        self.begun: list[float] = []
        self.said: list[str] = []
        self.referee = Referee(test, self.begun.append)

    def hear(self, event: Ready | NotReady | Done, now_s: float) -> None:
        self._say(self.referee.hear(event, now_s))

    def tick(self, *times_s: float) -> None:
        for now_s in times_s:
            self._say(self.referee.tick(now_s))

    def resume(self, now_s: float) -> None:
        self._say(self.referee.resume(now_s))

    def _say(self, cue) -> None:
        if cue is not None:
            self.said.append(cue.code)


def test_a_practice_then_go_then_the_result() -> None:
    course = Course()
    course.hear(NotReady(4.0, "Stand up fully."), 4.1)
    course.tick(6.0)
    course.hear(Ready(10.0), 10.3)
    course.tick(10.5, 12.99, 13.2, 14.0)
    assert course.begun == [10.0 + READY_S], "from the instant of what made it ready, whenever that was heard"
    assert not course.referee.counts(12.9)
    assert course.referee.counts(15.0)
    course.hear(DONE, 30.1)
    assert course.said == ["test_not_ready", "test_ready", "test_go", "test_result"]
    assert course.referee.result is DONE.result


def test_what_came_late_over_a_lost_link_is_no_past_beginning() -> None:
    course = Course()
    course.hear(Ready(10.0), 40.0)
    course.tick(40.2, 43.0)
    assert course.begun == [43.0]
    late = Course()
    late.hear(Ready(10.0), 10.1)
    late.tick(60.0)
    assert late.begun == [60.0], "nobody heard it before"


@pytest.mark.parametrize(("code", "stops"), [("sit_to_stand.thirty_seconds", [43.0]), ("sit_to_stand.five", [])])
def test_what_lasts_a_time_ends_with_a_signal(code: str, stops: list[float]) -> None:
    course = Course(code)
    course.hear(Ready(10.0), 10.0)
    heard = []
    for now_s in (13.0, 30.0, 42.9, 43.0, 43.5):
        before = len(course.said)
        course.tick(now_s)
        heard += [now_s for said in course.said[before:] if said == "test_stop"]
    assert heard == stops


def test_a_pause_makes_it_void_and_it_begins_again() -> None:
    course = Course()
    course.hear(Ready(10.0), 10.0)
    course.tick(13.0)
    course.referee.interrupt()
    course.hear(DONE, 14.0)
    assert not course.referee.over, "it is the one that was interrupted"
    course.tick(20.0)
    assert course.begun == [13.0]
    assert course.referee.result.notes == ("The test was interrupted and not begun again.",)
    course.resume(21.0)
    course.tick(24.0)
    course.hear(DONE, 36.0)
    assert (course.begun, course.referee.result) == ([13.0, 24.0], DONE.result)


def test_what_was_never_ready_says_that_it_was_not_begun() -> None:
    course = Course()
    course.referee.interrupt()
    course.resume(5.0)
    course.tick(60.0)
    assert (course.begun, course.said) == ([], [])
    assert course.referee.result == Result(measure=None, notes=("The test was not begun.",))


def test_the_result_is_said_with_what_belongs_to_it() -> None:
    course = Course()
    course.hear(Ready(10.0), 10.0)
    course.tick(13.0)
    cue = course.referee.hear(DONE, 30.0)
    assert cue is not None
    assert (cue.text, cue.level) == ("Five times sit to stand: 12.3 ± 0.1 s. Rest now.", CueLevel.GOOD)

"""The signals of a timed test: "get ready", "go" and "stop", and what came of it.

"Go" comes a fixed time after what made the test ready, so that a replay gives the same signals.
"""

from __future__ import annotations

from collections.abc import Callable

from analytics.domain.live import Cue, CueLevel
from analytics.domain.session import TestResult
from analytics.domain.timed_test import TimedTest
from analytics.motion.events import TrackerEvent
from analytics.motion.timed.run import TestDone, TestNotReady, TestReady

READY_S = 3.0
"""From "get ready" to "go": time to hear it and to sit still."""
FRESH_S = 1.0
"""What is heard of later than this, after a link was lost, is counted from when it is heard."""
GET_READY = Cue(code="test_ready", text="Get ready. Keep still until you hear “Go”.", level=CueLevel.INFO)
GO = Cue(code="test_go", text="Go!", level=CueLevel.INFO)
STOP = Cue(code="test_stop", text="Stop: the time is over.", level=CueLevel.INFO)
NOT_BEGUN = "The test was not begun."
INTERRUPTED = "The test was interrupted and not begun again."


class Referee:
    """`begin` tells the tracker at which session time "go" was said."""

    def __init__(self, test: TimedTest, begin: Callable[[float], None]) -> None:
        self.ready = False
        self._seconds = test.seconds
        self._begin = begin
        self._go_at_s: float | None = None
        self._went_s: float | None = None
        self._stop_at_s: float | None = None
        self._result: TestResult | None = None
        self._why_none = NOT_BEGUN

    @property
    def result(self) -> TestResult:
        return self._result or TestResult(measure=None, notes=(self._why_none,))

    @property
    def over(self) -> bool:
        return self._result is not None

    def counts(self, peak_s: float) -> bool:
        """Whether a repetition that turned at this time belongs to the test, and is no practice."""
        return self._went_s is not None and peak_s > self._went_s

    def interrupt(self) -> None:
        """A pause: what is under way is void."""
        if self._went_s is not None and not self.over:
            self._why_none = INTERRUPTED
            self._went_s = None
        self._go_at_s = self._stop_at_s = None

    def resume(self, now_s: float) -> Cue | None:
        """The pause is over: what was ready before it gets another "go"."""
        return self._get_ready(now_s) if self.ready and not self.over else None

    def hear(self, event: TrackerEvent, now_s: float) -> Cue | None:
        """What is to be said of what the tracker says."""
        match event:
            case _ if self.over:
                return None
            case TestReady(time_s) if self._went_s is None:
                self.ready = True
                return self._get_ready(time_s if now_s - time_s <= FRESH_S else now_s)
            case TestNotReady(_, sentence) if self._went_s is None:
                return Cue(code="test_not_ready", text=sentence, level=CueLevel.WARN)
            case TestDone(_, result) if self._went_s is not None:
                self._result = result
                return _told(result)
        return None

    def tick(self, now_s: float) -> Cue | None:
        """What is to be said now. Only asked while the test may go on."""
        if self._go_at_s is not None and now_s >= self._go_at_s:
            self._went_s = self._go_at_s if now_s - self._go_at_s <= FRESH_S else now_s
            self._go_at_s = None
            self._stop_at_s = None if self._seconds is None else self._went_s + self._seconds
            self._begin(self._went_s)
            return GO
        if self._stop_at_s is not None and now_s >= self._stop_at_s and not self.over:
            self._stop_at_s = None
            return STOP
        return None

    def _get_ready(self, since_s: float) -> Cue:
        self._go_at_s = since_s + READY_S
        return GET_READY


def _told(result: TestResult) -> Cue:
    figure = f"{result.measure}." if result.measure is not None else "There is no result this time."
    level = CueLevel.INFO if result.measure is None else CueLevel.GOOD
    return Cue(code="test_result", text=" ".join((figure, *result.notes)), level=level)

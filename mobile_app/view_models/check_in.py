# mypy: allow-subclassing-any
"""Before exercising: one question at a time, the most urgent first, and what to do where the answer is no to exercise.

The rules are the gateway's own (analytics.safety), so what to do is said at once, with or without a gateway.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from kivy.event import EventDispatcher
from kivy.properties import ListProperty, OptionProperty, StringProperty

from analytics.domain.check_in import CheckIn, RedFlag, Swelling
from analytics.domain.session import EasingAction
from analytics.safety.rules import load_rules
from analytics.safety.session import before_session

PAIN = {"pain_now": "How much does it hurt now?", "pain_this_morning": "How much did it hurt this morning?"}
SWOLLEN = "Is the joint more swollen than before the last session?"
YES_NO = ("No", "Yes")
SWELLINGS = {"It is not swollen": Swelling.NONE, "No, as before": Swelling.SAME, "Yes, more": Swelling.MORE}


class CheckInViewModel(EventDispatcher):
    stage = OptionProperty("", options=["", "choice", "pain", "refused"])
    question = StringProperty("")
    options = ListProperty([], doc="the answers to choose from, of a 'choice'")
    reason = StringProperty("", doc="what to do instead of exercising")
    unheard = StringProperty("", doc="that the gateway does not know of the answers yet")

    def __init__(
        self, now: Callable[[], datetime], *, on_answered: Callable[[CheckIn], None], on_close: Callable[[], None]
    ) -> None:
        super().__init__()
        self._now = now
        self._on_answered = on_answered
        self._on_close = on_close
        self._rules = load_rules()
        self._asked: list[str] = []
        self._answers: dict[str, object] = {}
        self._flags: list[RedFlag] = []

    def begin(self) -> None:
        """Ask from the first question."""
        self._asked = [*self._rules.red_flag, *PAIN, SWOLLEN]
        self._answers, self._flags, self.reason, self.unheard = {}, [], "", ""
        self._ask()

    def choose(self, option: str) -> None:
        """One of `options`. A red flag ends the questions."""
        if self.stage != "choice" or option not in self.options:
            return
        asked = self._asked.pop(0)
        if asked == SWOLLEN:
            self._answers["swelling"] = SWELLINGS[option]
        elif option == "Yes":
            self._flags.append(RedFlag(asked))
            self._asked.clear()
        self._ask()

    def rate(self, pain: int) -> None:
        """0 to 10, of a 'pain' question."""
        if self.stage == "pain":
            self._answers[self._asked.pop(0)] = pain
            self._ask()

    def close(self) -> None:
        """Leave the questions, or what was said instead of exercising."""
        self.stage = ""
        self._on_close()

    def _ask(self) -> None:
        if not self._asked:
            self._finish()
            return
        asked = self._asked[0]
        if asked in PAIN:
            self.stage, self.question, self.options = "pain", PAIN[asked], []
        elif asked == SWOLLEN:
            self.stage, self.question, self.options = "choice", SWOLLEN, list(SWELLINGS)
        else:
            self.stage, self.question, self.options = "choice", self._rules.red_flag[RedFlag(asked)].question, [*YES_NO]

    def _finish(self) -> None:
        check_in = CheckIn.model_validate({**self._answers, "red_flags": tuple(self._flags), "given_at": self._now()})
        advice = before_session(check_in, self._rules)
        refused = advice is not None and advice.action is EasingAction.STOPPED
        if advice is not None and refused:
            self.question, self.options, self.reason = "Not today.", [], advice.reason
        self.stage = "refused" if refused else ""
        self._on_answered(check_in)  # refused too: the clinic must hear of it

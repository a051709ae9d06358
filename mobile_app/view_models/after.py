# mypy: allow-subclassing-any
"""After a session: what was done, in one honest sentence, and how it felt."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from kivy.event import EventDispatcher
from kivy.properties import BooleanProperty, NumericProperty, OptionProperty, StringProperty

from analytics.domain.base import uuid7
from analytics.domain.program import Dose
from analytics.domain.session import Feedback
from mobile_app import words
from mobile_app.store import SavedSession

NOT_SAID = -1


class AfterViewModel(EventDispatcher):
    stage = OptionProperty("asking", options=["asking", "waiting", "sent", "refused"])
    headline = StringProperty("")
    did = StringProperty("")
    form = StringProperty("")
    zero = StringProperty("")
    pain = NumericProperty(NOT_SAID)
    effort = NumericProperty(NOT_SAID)
    can_send = BooleanProperty(False)
    message = StringProperty("", doc="what became of the answers")

    def __init__(self, now: Callable[[], datetime], on_feedback: Callable[[Feedback], None]) -> None:
        super().__init__()
        self._now = now
        self._on_feedback = on_feedback
        self._session_id: UUID | None = None

    def open(self, session: SavedSession, dose: Dose | None, joint: str, *, pain: int | None) -> None:
        """Begin asking about a session. `pain` is what the patient already said when it hurt."""
        report = session.report
        self._session_id = session.id
        self.stage, self.message = "asking", ""
        self.headline = "Well done" if session.repetitions and pain is None else "That is all for now"
        self.did = words.what_you_did(session.repetitions, dose, joint)
        self.form = words.how_it_looked([repetition.form for repetition in session.repetitions])
        self.zero = words.zero_in_words(report.calibration.zero if report and report.calibration else None)
        self.pain = NOT_SAID if pain is None else pain
        self.effort = NOT_SAID

    def on_pain(self, *_: object) -> None:
        self._judge()

    def on_effort(self, *_: object) -> None:
        self._judge()

    def _judge(self) -> None:
        self.can_send = NOT_SAID not in {self.pain, self.effort}

    def send(self) -> None:
        """Hand the answers over to be kept and sent. The identifier is made here, so sending twice is harmless."""
        if not self.can_send or self.stage != "asking" or self._session_id is None:
            return
        now = self._now()
        feedback = Feedback(
            id=uuid7(int(now.timestamp() * 1000)),
            session_id=self._session_id,
            pain=int(self.pain),
            effort=int(self.effort),
            given_at=now,
        )
        self.stage = "waiting"
        self.message = "Saved on this phone. It will be sent when the network is back."
        self._on_feedback(feedback)

    def sent(self) -> None:
        """The clinic has what was said."""
        if self.stage == "waiting":
            self.stage, self.message = "sent", "Your clinic has your answers."

    def refused(self, reason: str) -> None:
        """The clinic will not take it; the phone keeps it all the same."""
        if self.stage == "waiting":
            self.stage, self.message = "refused", f"{reason} Your answers stay saved on this phone."

    def could_not_save(self, reason: str) -> None:
        """The answers are only on the screen: let the patient try again."""
        self.stage, self.message = "asking", reason

"""What must be heard even where the line is down when it is said: pain, and answers that speak against exercising.

It is on the disk before it is sent, and stays owed until the gateway's own events show that it was taken: a line that
took it is no proof that the gateway did. While something is owed, the phone goes on looking for its gateway.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from analytics.domain.check_in import CheckIn
from analytics.domain.live import Command, CueEvent, FinishedEvent, LiveEvent, Snapshot
from analytics.domain.session import EasingAction
from analytics.safety.rules import load_rules
from analytics.safety.session import before_session

from .store import Store, UrgentWords
from .view_models.exercise import UNDER_WAY

HURTS = "hurts"
"""Command of the phone, and code of the cue with which the gateway answers each."""


def refuses(check_in: CheckIn | None) -> bool:
    """Whether these answers speak against exercising, by the gateway's own rules."""
    advice = None if check_in is None else before_session(check_in, load_rules())
    return advice is not None and advice.action is EasingAction.STOPPED


def must_be_heard(command: Command) -> bool:
    """All else may be wrong by the time it is heard."""
    return command.command == HURTS or refuses(command.check_in)


class Urgent:
    """What one line must still be told, and what the gateway has taken. Raises StoreError as the store does."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now
        self._to_tell = False

    def connected(self) -> None:
        """A new line: what is owed is told once on it."""
        self._to_tell = True

    def hear(self, patient_id: str, event: LiveEvent) -> list[Command]:
        """Settle what this event shows to be taken, or too late. Returns what is to be told to the gateway now."""
        owed = self._store.untold(patient_id)
        for words in [words for words in owed if _is_settled(words, event)] + _answered(owed, event):
            self._store.settle_urgent(words, now=self._now())
            owed.remove(words)
        if not self._to_tell or not isinstance(event, Snapshot | FinishedEvent):
            return []
        under_way = isinstance(event, Snapshot) and event.state in UNDER_WAY
        self._to_tell = under_way  # answers wait for the end of a session that runs: it has had its own
        # The program may be another one by now, and answers are not about one exercise of it.
        return [
            words.command.model_copy(update={"exercise": None, "side": None})
            for words in owed
            if words.command.command == HURTS or not under_way
        ]


def _is_settled(words: UrgentWords, event: LiveEvent) -> bool:
    if words.command.command != HURTS:
        return isinstance(event, FinishedEvent) and event.report.check_in == words.command.check_in
    if isinstance(event, FinishedEvent):
        return True
    # A pain of one session must not stop another.
    return isinstance(event, Snapshot) and (
        event.state not in UNDER_WAY or words.session_id not in {None, event.session_id}
    )


def _answered(owed: list[UrgentWords], event: LiveEvent) -> list[UrgentWords]:
    """The gateway answers each "It hurts" with a cue, in order."""
    hurts = [words for words in owed if words.command.command == HURTS]
    return hurts[:1] if isinstance(event, CueEvent) and event.cue.code == HURTS else []

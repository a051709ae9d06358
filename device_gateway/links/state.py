"""The states of a sensor's link, and the one place that moves it from one to the next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum


class LinkState(StrEnum):
    SEARCHING = "searching"
    CONNECTING = "connecting"
    STREAMING = "streaming"
    LOST = "lost"
    CLOSED = "closed"


ALLOWED: Mapping[LinkState, frozenset[LinkState]] = {
    LinkState.SEARCHING: frozenset({LinkState.CONNECTING, LinkState.LOST, LinkState.CLOSED}),
    LinkState.CONNECTING: frozenset({LinkState.STREAMING, LinkState.LOST, LinkState.CLOSED}),
    LinkState.STREAMING: frozenset({LinkState.LOST, LinkState.CLOSED}),
    LinkState.LOST: frozenset({LinkState.SEARCHING, LinkState.CLOSED}),
    LinkState.CLOSED: frozenset(),
}
"""Where each may go. A link that is closed is made anew, not opened again."""


class ForbiddenMoveError(RuntimeError):
    """A fault of this program: the link was told to go where it cannot."""


class LinkStateMachine:
    """Begins SEARCHING. `on_move` hears of every move."""

    def __init__(self, on_move: Callable[[], None]) -> None:
        self._state = LinkState.SEARCHING
        self._on_move = on_move

    @property
    def now(self) -> LinkState:
        return self._state

    def move(self, to: LinkState) -> None:
        """Raises ForbiddenMoveError, and stays, where `to` is not allowed from here."""
        if to not in ALLOWED[self._state]:
            raise ForbiddenMoveError(f"A link that is {self._state} cannot become {to}.")
        self._state = to
        self._on_move()

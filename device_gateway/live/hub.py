"""What listeners hear while a session runs: ordered events, a snapshot on joining, the newest angle for the slow.

The hub's snapshot is a fold over the events it publishes, so one who joins late and one who heard everything agree.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from analytics.domain.live import (
    AngleEvent,
    ConditionsEvent,
    CueEvent,
    FinishedEvent,
    LiveEvent,
    RepetitionEvent,
    SensorEvent,
    SessionState,
    Snapshot,
    StateEvent,
)

ANGLE_INTERVAL_S = 1 / 60
"""Of the machine's time: no screen shows more, whatever the sampling rate or a replay's speed."""
MOST_WAITING_EVENTS = 256
MOST_WAITING_BYTES = 2**20
"""Beyond either, a listener is behind. A session tells a few events a second besides angles, so this is a minute of a
network that takes nothing: what waits longer is too old to act upon. A report of 1000 repetitions is let through."""


def fold(snapshot: Snapshot, event: LiveEvent) -> Snapshot:
    """What a joiner must be told once `event` has happened."""
    match event:
        case Snapshot():
            return event.model_copy(update={"conditions": snapshot.conditions})  # a session's begin mends nothing
        case AngleEvent():
            news: dict[str, object] = {"flexion_deg": event.flexion_deg}
        case RepetitionEvent():
            news = {
                "set_number": event.set_number,
                "repetitions": event.count_in_set,
                "total_repetitions": event.repetition.number,
            }
        case CueEvent():
            news = {"cue": event.cue}
        case SensorEvent():
            others = tuple(sensor for sensor in snapshot.sensors if sensor.segment != event.sensor.segment)
            news = {"sensors": tuple(sorted((*others, event.sensor), key=lambda sensor: sensor.segment))}
        case StateEvent():
            in_set = snapshot.repetitions if event.set_number == snapshot.set_number else 0
            news = {
                "state": event.state,
                "set_number": event.set_number,
                "repetitions": in_set,
                "rest_s": event.rest_s,
                "dose": event.dose or snapshot.dose,
            }
        case ConditionsEvent():
            news = {"conditions": event.conditions}
        case FinishedEvent():
            news = {"state": SessionState.FINISHED}
    return snapshot.model_copy(update={**news, "sequence": event.sequence})


class Listener:
    """One who listens. Of angles it is told the newest; of all else everything, unless it falls far behind.

    One that is behind is kept nothing for: what it takes next is a snapshot of that moment, which holds all that it
    missed (totals, state, cue, conditions), and the events that follow it.
    """

    def __init__(self, newest: Callable[[], Snapshot]) -> None:
        self._newest = newest
        self._messages: deque[tuple[int, bytes]] = deque()
        self._waiting_bytes = 0
        self._angle: tuple[int, bytes] | None = None
        self._behind = True  # who has heard nothing yet needs a snapshot too
        self._news = asyncio.Event()
        self._news.set()

    def hear(self, event: LiveEvent, message: bytes) -> None:
        """`message` is `event` as it is sent."""
        if self._behind:
            return
        if isinstance(event, AngleEvent):
            self._angle = (event.sequence, message)
        else:
            self._messages.append((event.sequence, message))
            self._waiting_bytes += len(message)
            if len(self._messages) > MOST_WAITING_EVENTS or self._waiting_bytes > MOST_WAITING_BYTES:
                self._forget()
        self._news.set()

    async def next(self) -> bytes:
        """The next message in order; waits for one."""
        await self._news.wait()
        if self._behind:
            self._behind = False
            message = self._newest().model_dump_json().encode()
        elif self._angle and not (self._messages and self._messages[0] < self._angle):
            message, self._angle = self._angle[1], None
        else:
            message = self._messages.popleft()[1]
            self._waiting_bytes -= len(message)
        if not self._messages and self._angle is None:
            self._news.clear()
        return message

    def _forget(self) -> None:
        self._messages.clear()
        self._waiting_bytes, self._angle, self._behind = 0, None, True


class LiveHub:
    """Numbers events and hands them to every listener; never waits for any of them."""

    def __init__(self) -> None:
        self.snapshot = Snapshot(sequence=0, state=SessionState.IDLE)
        self._listeners: set[Listener] = set()
        self._angle: AngleEvent | None = None
        self._sending: asyncio.TimerHandle | None = None
        self._quiet_until_s = 0.0

    @property
    def listeners(self) -> int:
        """How many listen now."""
        return len(self._listeners)

    def join(self) -> Listener:
        listener = Listener(lambda: self.snapshot)
        self._listeners.add(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        self._listeners.discard(listener)

    def publish(self, event: LiveEvent) -> None:
        """Tell everyone. The event's own sequence number is replaced by the next one."""
        if isinstance(event, AngleEvent):
            self._angle = event
            if self._sending is None:
                # Even when nothing was sent lately, not before the loop's next turn: a packet brings several samples
                # at once, and of those the newest is the news.
                loop = asyncio.get_running_loop()
                self._sending = loop.call_at(max(loop.time(), self._quiet_until_s), self._send_angle)
            return
        if self._sending is not None and self._sending.when() > self._quiet_until_s:
            self._send_angle()  # it is due, and came before this event
        self._send(event)

    def _send_angle(self) -> None:
        if self._sending is not None:
            self._sending.cancel()
            self._sending = None
        if self._angle is not None:
            self._quiet_until_s = asyncio.get_running_loop().time() + ANGLE_INTERVAL_S
            event, self._angle = self._angle, None
            self._send(event)

    def _send(self, event: LiveEvent) -> None:
        numbered = event.model_copy(update={"sequence": self.snapshot.sequence + 1})
        self.snapshot = fold(self.snapshot, numbered)
        if isinstance(numbered, Snapshot):
            numbered = self.snapshot  # with what it does not change: those who listen hear the same as those who join
        message = numbered.model_dump_json().encode()
        for listener in self._listeners:
            listener.hear(numbered, message)

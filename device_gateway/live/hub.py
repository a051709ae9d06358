"""What listeners hear while a session runs: ordered events, a snapshot on joining, the newest angle for the slow.

The hub's snapshot is a fold over the events it publishes, so one who joins late and one who heard everything agree.
"""

from __future__ import annotations

import asyncio
from collections import deque

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
            news = {"state": event.state, "set_number": event.set_number, "repetitions": in_set}
        case ConditionsEvent():
            news = {"conditions": event.conditions}
        case FinishedEvent():
            news = {"state": SessionState.FINISHED}
    return snapshot.model_copy(update={**news, "sequence": event.sequence})


class Listener:
    """One who listens. Nothing but angles is ever left out, and of angles never the newest."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._messages: deque[tuple[int, str]] = deque([(snapshot.sequence, snapshot.model_dump_json())])
        self._angle: tuple[int, str] | None = None
        self._news = asyncio.Event()
        self._news.set()

    def hear(self, event: LiveEvent, message: str) -> None:
        if isinstance(event, AngleEvent):
            self._angle = (event.sequence, message)
        else:
            self._messages.append((event.sequence, message))
        self._news.set()

    async def next(self) -> str:
        """The next message in order; waits for one."""
        await self._news.wait()
        if self._angle and not (self._messages and self._messages[0] < self._angle):
            message, self._angle = self._angle[1], None
        else:
            message = self._messages.popleft()[1]
        if not self._messages and self._angle is None:
            self._news.clear()
        return message


class LiveHub:
    """Numbers events and hands them to every listener; never waits for any of them."""

    def __init__(self) -> None:
        self.snapshot = Snapshot(sequence=0, state=SessionState.IDLE)
        self._listeners: set[Listener] = set()
        self._waiting_angle: AngleEvent | None = None
        self._angle_timer: asyncio.TimerHandle | None = None

    def join(self) -> Listener:
        listener = Listener(self.snapshot)
        self._listeners.add(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        self._listeners.discard(listener)

    def publish(self, event: LiveEvent) -> None:
        """Tell everyone. The event's own sequence number is replaced by the next one."""
        if isinstance(event, AngleEvent):
            self._waiting_angle = event
            if self._angle_timer is None:
                self._send_angle()
        else:
            self._send(event)

    def _send_angle(self) -> None:
        """Send the newest angle now, and hold what follows until the next one is due."""
        self._angle_timer = None
        if self._waiting_angle is not None:
            event, self._waiting_angle = self._waiting_angle, None
            self._angle_timer = asyncio.get_running_loop().call_later(ANGLE_INTERVAL_S, self._send_angle)
            self._send(event)

    def _send(self, event: LiveEvent) -> None:
        numbered = event.model_copy(update={"sequence": self.snapshot.sequence + 1})
        self.snapshot = fold(self.snapshot, numbered)
        message = numbered.model_dump_json()
        for listener in self._listeners:
            listener.hear(numbered, message)

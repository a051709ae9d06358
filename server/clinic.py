"""What a request may ask the running server for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Annotated, cast

from fastapi import Depends, Request, WebSocket

from server.access.throttle import AttemptThrottle
from server.database import Database
from server.devices.challenges import Challenges
from server.exercises import Exercises
from server.live.relay import LiveRelay
from server.settings import Settings


def utc_now() -> datetime:
    """The machine's clock, read at the edge only; everything below is told the time."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Clinic:
    settings: Settings
    database: Database
    throttle: AttemptThrottle
    now: Callable[[], datetime] = utc_now
    challenges: Challenges = field(default_factory=Challenges)
    live: LiveRelay = field(default_factory=LiveRelay)
    exercises: Exercises = field(default_factory=Exercises)

    def local_now(self) -> datetime:
        """The same instant by the clock on the clinic's wall, for what depends on the day."""
        return self.now().astimezone(self.settings.zone)

    def today(self) -> date:
        """The calendar day in the clinic, which is not always that of UTC."""
        return self.local_now().date()


def clinic_of(request: Request) -> Clinic:
    """The clinic that this request came to."""
    return cast(Clinic, request.app.state.clinic)


def clinic_of_socket(socket: WebSocket) -> Clinic:
    """The clinic that this WebSocket leads to."""
    return cast(Clinic, socket.app.state.clinic)


ThisClinic = Annotated[Clinic, Depends(clinic_of)]
"""In a route: `async with clinic.database.reading() as db:`, or `.writing()`, which commits before the answer."""

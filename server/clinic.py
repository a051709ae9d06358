"""What a request may ask the running server for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, cast

from fastapi import Depends, Request

from server.access.throttle import AttemptThrottle
from server.database import Database
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


def clinic_of(request: Request) -> Clinic:
    """The clinic that this request came to."""
    return cast(Clinic, request.app.state.clinic)


ThisClinic = Annotated[Clinic, Depends(clinic_of)]
"""In a route: `async with clinic.database.reading() as db:`, or `.writing()`, which commits before the answer."""

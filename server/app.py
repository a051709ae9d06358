"""The server as one ASGI application: what is where, and what surrounds every request."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from fastapi import FastAPI

from server import errors
from server.access import api as access
from server.access.throttle import AttemptThrottle
from server.adaptation import api as adaptation
from server.clinic import Clinic, utc_now
from server.consents import api as consents
from server.dashboard import installation as dashboard
from server.database import Database
from server.devices import api as devices
from server.exercises import Exercises
from server.live import api as live
from server.middleware import BodyLimit, RequestLog, SecurityHeaders
from server.patients import api as patients
from server.programs import api as programs
from server.releases import api as releases
from server.routing import API
from server.sessions import api as sessions
from server.settings import Settings


def create_app(settings: Settings, *, now: Callable[[], datetime] = utc_now) -> FastAPI:
    """The application for one clinic. Its lifespan opens and closes the database; `now` is the only clock it reads."""
    exercises = Exercises.read(settings.exercises_path)
    clinic = Clinic(settings, Database(settings.database_path), AttemptThrottle(), now, exercises=exercises)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with clinic.database:
            yield

    app = FastAPI(
        title="Sinew clinic",
        version="1",
        lifespan=lifespan,
        openapi_url=f"{API}/openapi.json",
        # The documentation pages would load scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
    )
    app.state.clinic = clinic
    for feature in (access, adaptation, consents, devices, live, patients, programs, releases, sessions):
        app.include_router(feature.router)
    app.add_api_route("/healthz", healthz)
    errors.install(app)
    dashboard.install(app, zone=settings.zone)
    # The last one added is the outermost.
    app.add_middleware(BodyLimit, largest_bytes=settings.largest_body_bytes)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(RequestLog)
    return app


async def healthz() -> dict[str, str]:
    """Whether the process answers."""
    return {"status": "ok"}

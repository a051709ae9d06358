"""What of a gateway's log goes up: its health, as figures and codes, once a day. See analytics.domain.gateway_health.

The log itself stays at home. No word a person wrote and nothing that was measured can be in what is sent.
"""

from __future__ import annotations

import platform
import re
import shutil
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Literal

from analytics.domain.gateway_health import GatewayHealth
from analytics.domain.session import SessionReport
from device_gateway.conditions import Conditions
from device_gateway.storage.store import Store

EVERY_S = 86400.0


class HealthLog:
    """Counts what the uplink tells it, and says each day how the gateway is."""

    def __init__(
        self, store: Store, conditions: Conditions, home: Path, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._conditions = conditions
        self._home = home
        self._now = now
        self._began_s = now()
        self._told_s: float | None = None
        self._received = 0
        self._lost = 0

    @property
    def is_due(self) -> bool:
        return self._told_s is None or self._now() - self._told_s >= EVERY_S

    def told(self) -> None:
        self._told_s = self._now()

    def count(self, report: SessionReport) -> None:
        self._received += sum(sensor.samples_received for sensor in report.sensors)
        self._lost += sum(sensor.samples_lost for sensor in report.sensors)

    async def health(self) -> GatewayHealth:
        waiting = await self._store.waiting()
        return GatewayHealth(
            sinew=_version(metadata.version("sinew")),
            python=_version(platform.python_version()),
            machine=_machine(),
            uptime_s=int(self._now() - self._began_s),
            conditions=tuple(condition.code for condition in self._conditions.now()),
            disk_free_bytes=shutil.disk_usage(self._home).free,
            sessions_waiting=len(waiting),
            sessions_refused=sum(session.problem is not None for session in waiting),
            samples_received=self._received,
            samples_lost=self._lost,
        )


def _version(text: str) -> str:
    """Its numbers, without what a builder may have added."""
    found = re.match(r"\d{1,4}(\.\d{1,6}){1,3}", text)
    return found[0] if found else "0.0"


def _machine() -> Literal["aarch64", "x86_64", "other"]:
    match platform.machine():
        case "aarch64" | "arm64":
            return "aarch64"
        case "x86_64":
            return "x86_64"
        case _:
            return "other"

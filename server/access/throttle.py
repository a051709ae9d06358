"""How often somebody may be wrong.

Failures are counted per login and address together, per address, and per login, so that neither one machine trying many
logins nor many machines trying one gets far. Kept in memory: this server is one process, and a restart forgives.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from server.problems import Problem

WINDOW = timedelta(minutes=15)
MOST_KEYS = 10_000


class TooManyAttempts(Problem):
    status, type, title = 429, "too-many-attempts", "Too many failed attempts"


def sign_in_limits(login: str, address: str) -> dict[str, int]:
    """Failures allowed within `WINDOW`, by what is counted."""
    return {f"login {login} from {address}": 5, f"login {login}": 20, f"address {address}": 30}


def claim_limits(address: str) -> dict[str, int]:
    """Wrong claim codes allowed within `WINDOW`."""
    return {f"claim from {address}": 10}


@dataclass(slots=True)
class AttemptThrottle:
    """An attempt counts as failed from its start until it is forgiven, so that many at once cannot slip through."""

    window: timedelta = WINDOW
    failures: dict[str, deque[datetime]] = field(default_factory=dict)

    def attempt(self, limits: Mapping[str, int], now: datetime) -> None:
        """Count one attempt against each key, or raise `TooManyAttempts` saying how long to wait."""
        self._forget_old(now)
        for key, most in limits.items():
            times = self.failures.get(key, deque())
            if len(times) >= most:
                wait_s = math.ceil((times[0] + self.window - now).total_seconds())
                raise TooManyAttempts(
                    f"There were too many failed attempts; wait {math.ceil(wait_s / 60)} min and try again.",
                    headers={"Retry-After": str(wait_s)},
                )
        for key in limits:
            self.failures.setdefault(key, deque()).append(now)

    def forgive(self, limits: Mapping[str, int], moment: datetime) -> None:
        """The attempt made at `moment` succeeded: take it back. Earlier failures of the same keys stay."""
        for key in limits:
            times = self.failures.get(key)
            if times and moment in times:
                times.remove(moment)

    def _forget_old(self, now: datetime) -> None:
        """Drop what lies before the window; beyond `MOST_KEYS` also the oldest, so that memory stays bounded."""
        for key in list(self.failures):
            times = self.failures[key]
            while times and times[0] <= now - self.window:
                times.popleft()
            if not times:
                del self.failures[key]
        for key in list(self.failures)[:-MOST_KEYS]:
            del self.failures[key]

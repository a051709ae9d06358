"""How the gateway stands with its clinic, in sentences for people."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from device_gateway.conditions import Conditions, Trouble
from device_gateway.storage.uploads import WaitingSession

UNREACHABLE_AFTER_S = 900.0
"""A home's internet hiccups; what lasts this long may need somebody to look."""

LASTED = ((86400.0, "day"), (3600.0, "hour"), (60.0, "minute"))


class Standing:
    """Told by the uplink what it meets; sets and clears the conditions that are about the clinic."""

    def __init__(self, conditions: Conditions, now: Callable[[], float] = time.monotonic) -> None:
        self._conditions = conditions
        self._now = now
        self._failing_since_s: float | None = None

    def reached(self) -> None:
        """The clinic has answered, and lets this gateway in."""
        self._failing_since_s = None
        self._conditions.clear(Trouble.CLINIC_UNREACHABLE, Trouble.CLINIC_SHUT_OUT)

    def shut_out(self, sentence: str) -> None:
        self._conditions.clear(Trouble.CLINIC_UNREACHABLE)
        self._conditions.set(Trouble.CLINIC_SHUT_OUT, sentence)

    def unreachable(self, waiting: Sequence[WaitingSession]) -> None:
        """One more try has failed; it is a condition only when that has gone on for a while."""
        if self._failing_since_s is None:
            self._failing_since_s = self._now()
        lasted_s = self._now() - self._failing_since_s
        if lasted_s < UNREACHABLE_AFTER_S:
            return
        what = f"{_counted(len(waiting), 'session')} here" if waiting else "nothing"
        self._conditions.set(
            Trouble.CLINIC_UNREACHABLE,
            f"Nothing has reached the clinic for {_lasted(lasted_s)}, and {what} "
            f"{'waits' if len(waiting) < 2 else 'wait'} to be sent. Everything is kept and goes up by itself later; if "
            "this is not expected, check this gateway's network.",
        )

    def refused(self, waiting: Sequence[WaitingSession]) -> None:
        """What the clinic does not take of all that waits."""
        problems = [session.problem for session in waiting if session.problem]
        if not problems:
            self._conditions.clear(Trouble.CLINIC_REFUSES)
            return
        more = f" So it is with {_counted(len(problems) - 1, 'session')} more." if len(problems) > 1 else ""
        self._conditions.set(
            Trouble.CLINIC_REFUSES,
            f"{problems[0]}{more} It is kept here and tried again each day; tell the clinic.",
        )


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}"


def _lasted(seconds: float) -> str:
    for unit_s, unit in LASTED[:-1]:
        if seconds >= unit_s:
            return _counted(int(seconds / unit_s), unit)
    return _counted(int(seconds / 60 // 15 * 15), "minute")

"""The codes by which a phone may be paired with this gateway now, and how often a wrong one may be tried."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from math import inf

from analytics.domain.pairing import new_code
from device_gateway.storage.store import Store

TERMINAL_CODE_LASTS_S = 600.0
WRONG_TRIES = 5
PAUSE_S = 60.0
"""Five tries a minute for a year are 2.6 million of 590 million million codes."""
NO_LABEL = "off"


@dataclass(frozen=True, slots=True)
class _OneTime:
    code: str
    until_s: float


class Codes:
    """The label's code, which holds until it is made anew; the clinic's, for one phone; and those asked for here.

    now_s: monotonic time, for a wall clock may jump by years when it is first set. on_clinic_code: told that the
    clinic's was used, and there is a new one.
    """

    def __init__(
        self, store: Store, now_s: Callable[[], float], on_clinic_code: Callable[[], None] = lambda: None
    ) -> None:
        self.label: str | None = None
        self.clinic = _new()
        self._store = store
        self._now_s = now_s
        self._on_clinic_code = on_clinic_code
        self._terminal: list[_OneTime] = []
        self._wrong = 0
        self._paused_until_s = -inf

    async def load(self) -> None:
        """Read the label's code; it is made the first time."""
        kept = await self._store.setting("label_code")
        if kept is None:
            await self.renew_label()
        else:
            self.label = None if kept == NO_LABEL else kept

    async def renew_label(self) -> str:
        """A new label: the code on the old one holds no more."""
        code = _new()
        await self._store.keep_settings(label_code=code)
        self.label = code
        return code

    async def switch_label_off(self) -> None:
        await self._store.keep_settings(label_code=NO_LABEL)
        self.label = None

    def issue(self) -> str:
        """A code for one phone, soon. Of several the newest two hold, which bounds what one wrong try costs."""
        self._terminal = [*self._terminal[-1:], _OneTime(_new(), self._now_s() + TERMINAL_CODE_LASTS_S)]
        return self._terminal[-1].code

    def open(self) -> list[str]:
        """Every code that would be accepted now."""
        self._terminal = [given for given in self._terminal if given.until_s > self._now_s()]
        lasting = [code for code in (self.label, self.clinic) if code is not None]
        return [*(given.code for given in self._terminal), *lasting]

    def used(self, code: str) -> None:
        """It paired a phone: a one-time code is gone, and the wrong tries before it are forgotten."""
        self._wrong = 0
        self._terminal = [given for given in self._terminal if given.code != code]
        if code == self.clinic:
            self.clinic = _new()
            self._on_clinic_code()

    def tried_wrongly(self) -> None:
        self._wrong += 1
        if self._wrong >= WRONG_TRIES:
            self._wrong = 0
            self._paused_until_s = self._now_s() + PAUSE_S

    def pause_s(self) -> float:
        """How long no code is looked at; 0 when one may be tried."""
        return max(0.0, self._paused_until_s - self._now_s())


def _new() -> str:
    return new_code(secrets.choice)

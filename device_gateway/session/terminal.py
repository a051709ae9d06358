"""What `sinew gateway exercise` asks of the running gateway: to do a command, and how it stands."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from analytics.domain.live import Command
from device_gateway.errors import GatewayError
from device_gateway.live.hub import LiveHub

PATIENCE_S = 5.0
"""A command that takes longer, as a start where the clinic does not answer, goes on; its refusal is then a cue."""


class Terminal:
    """`obey` does a command and gives the sentence of its refusal."""

    def __init__(self, hub: LiveHub, obey: Callable[[Command], Awaitable[str | None]]) -> None:
        self._hub = hub
        self._obey = obey
        self._doing: set[asyncio.Future[str | None]] = set()

    async def answer(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """The snapshot, after doing `command` where one is given. Raises GatewayError where it is refused."""
        if "command" in question:
            doing = asyncio.ensure_future(self._obey(Command.model_validate(question["command"])))
            self._doing.add(doing)
            doing.add_done_callback(self._doing.discard)
            done, _ = await asyncio.wait([doing], timeout=PATIENCE_S)
            if done and (refusal := doing.result()):
                raise GatewayError(refusal)
        return self._hub.snapshot.model_dump(mode="json")

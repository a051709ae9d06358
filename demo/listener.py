"""The phone's own line to the gateway, used to count what it hears and to measure how late that is."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

from analytics.domain.live import AngleEvent, FinishedEvent, LiveEvent, RepetitionEvent
from mobile_app.clients.clinic import GatewayAddress
from mobile_app.clients.gateway import open_live_line


class Listener:
    """Counts every event and notes, for each angle, the time from the movement itself to its arrival here.

    `instant_of` gives the event loop's time at which the sample with this sensor time was taken in the world.
    """

    def __init__(self, address: GatewayAddress, instant_of: Callable[[int], float | None]) -> None:
        self.events: Counter[str] = Counter()
        self.repetitions = 0
        self.latencies_ms: list[float] = []
        self.joined = asyncio.Event()
        self.finished = asyncio.Event()
        self._address = address
        self._instant_of = instant_of

    async def run(self) -> None:
        """Listen until the session is finished."""
        loop = asyncio.get_running_loop()
        async with open_live_line(self._address) as line:
            async for event in line.events():
                self._hear(event, loop.time())
                if self.finished.is_set():
                    return

    def _hear(self, event: LiveEvent, now_s: float) -> None:
        self.events[event.kind] += 1
        self.joined.set()
        match event:
            case AngleEvent():
                taken_s = self._instant_of(event.sensor_time_us)
                if taken_s is not None:
                    self.latencies_ms.append((now_s - taken_s) * 1000)
            case RepetitionEvent():
                self.repetitions += 1
            case FinishedEvent():
                self.finished.set()
            case _:
                pass

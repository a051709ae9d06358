"""What the adapters hear, handed to whoever listens."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Self

from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from .adapter import Adapter

FOLLOW_S = 1.0
"""How often a scan is looked after while a sensor is looked for."""
_KEPT_SIGHTINGS = 256


@dataclass(frozen=True, slots=True)
class Sighting:
    """A sensor that was heard, by this adapter and perhaps by others."""

    device: BLEDevice
    advertisement: AdvertisementData
    adapter: Adapter
    others: tuple[Sighting, ...] = ()

    @property
    def address(self) -> str:
        return self.device.address.upper()


def heed_cancellation() -> None:
    """Raises CancelledError where this task was cancelled and a library kept that to itself.

    asyncio.wait_for of Python 3.11 does when its result comes at the same moment (bpo-37658); a wait without an end
    would then never end.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling() > 0:
        raise asyncio.CancelledError


class Listening:
    """What is heard, as an endless iteration. `follow` is called now and then to keep the scans alive."""

    def __init__(self, follow: Callable[[], Awaitable[None]]) -> None:
        self._follow = follow
        self._followed_s = asyncio.get_running_loop().time()
        self._sightings: asyncio.Queue[Sighting] = asyncio.Queue(_KEPT_SIGHTINGS)

    def hear(self, sighting: Sighting) -> None:
        with contextlib.suppress(asyncio.QueueFull):  # it will be heard again
            self._sightings.put_nowait(sighting)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Sighting:
        loop = asyncio.get_running_loop()
        while True:
            heed_cancellation()
            left_s = self._followed_s + FOLLOW_S - loop.time()
            if left_s > 0:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(left_s):
                        return await self._sightings.get()
            await self._follow()
            self._followed_s = loop.time()

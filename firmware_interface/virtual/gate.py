"""What makes the sensors of one body begin at the same instant."""

from __future__ import annotations

import asyncio


class StartGate:
    """Opens when every sensor that joined has been told to start by its gateway; sample 0 of all is that instant."""

    def __init__(self) -> None:
        self.opened_at: float | None = None
        self._waiting: set[object] = set()
        self._opened = asyncio.Event()

    def join(self, sensor: object) -> None:
        """Have the gate wait for this sensor too."""
        self._waiting.add(sensor)

    def told(self, sensor: object) -> None:
        """This sensor was told to start."""
        self._waiting.discard(sensor)
        if not self._waiting:
            self.release()

    def withdraw(self, sensor: object) -> None:
        """This sensor was told to stop, or lost its gateway, before the gate opened: wait for it again."""
        if self.opened_at is None:
            self._waiting.add(sensor)

    def release(self) -> None:
        """Open now, whoever is still missing."""
        if self.opened_at is None:
            self.opened_at = asyncio.get_running_loop().time()
            self._opened.set()

    async def wait(self) -> float:
        """The event loop's time at which sample 0 is taken."""
        await self._opened.wait()
        assert self.opened_at is not None
        return self.opened_at

"""Work that a tap starts and that must not outlive the app."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine

log = logging.getLogger(__name__)


class Tasks:
    """Holds on to running tasks, so that none is collected half done, and ends them all together."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()
        self.failures: list[BaseException] = []

    def start(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.failures.append(error)
            # The kind of an error only: its message may hold what the patient said.
            log.error("a task of the app failed: %s", type(error).__name__)

    def cancel(self) -> None:
        for task in self._running:
            task.cancel()

    async def close(self) -> None:
        """Cancel what still runs and wait until it has ended."""
        running = list(self._running)
        self.cancel()
        await asyncio.gather(*running, return_exceptions=True)

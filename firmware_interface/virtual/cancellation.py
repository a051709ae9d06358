"""Two questions that asyncio leaves open when a task is cancelled in the middle of talking to a controller."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def was_cancelled() -> bool:
    """Whether a CancelledError here means that this task was cancelled.

    bumble also raises one when a disconnection takes a pending answer away, which is an error and no cancellation.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def to_the_end(operation: Coroutine[Any, Any, T]) -> T:
    """Finish an operation that must not be left half done; a cancellation that comes meanwhile is raised afterwards."""
    task = asyncio.ensure_future(operation)
    interrupted: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            interrupted = error
    result = task.result()
    if interrupted is not None:
        raise interrupted
    return result

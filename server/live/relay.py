"""Who is exercising in view now, and who watches. In this process's memory alone: nothing of it is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from analytics.domain.live_view import NOT_SHARED, REPLACED, LiveRequest, SpokenWords

MOST_WAITING = 256
"""Messages that wait for one who watches through a slow network: some seconds of them. Beyond, it is told anew."""


class Watcher:
    """One who watches. `next` gives messages in order; None is the end."""

    def __init__(self) -> None:
        self._messages: asyncio.Queue[str | None] = asyncio.Queue()

    def hear(self, message: str) -> bool:
        """False where it has fallen behind; what waited is dropped then, and a snapshot is due."""
        if self._messages.qsize() >= MOST_WAITING:
            self._messages = asyncio.Queue()
            return False
        self._messages.put_nowait(message)
        return True

    def end(self) -> None:
        self._messages.put_nowait(None)

    async def next(self) -> str | None:
        return await self._messages.get()


class Show:
    """One gateway's live channel. `requests` are for it; `closing` is set, with a code, when it has to end."""

    def __init__(self) -> None:
        self.requests: asyncio.Queue[LiveRequest] = asyncio.Queue()
        self.closing: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._watchers: set[Watcher] = set()

    def tell(self, message: str) -> None:
        """A live event, as the gateway sent it."""
        behind = [watcher for watcher in self._watchers if not watcher.hear(message)]
        if behind:
            self._ask_for_snapshot()

    def end(self, code: int) -> None:
        if not self.closing.done():
            self.closing.set_result(code)

    @contextmanager
    def watched(self) -> Iterator[Watcher]:
        watcher = Watcher()
        self._watchers.add(watcher)
        self._ask_for_snapshot()
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)

    def over(self) -> None:
        for watcher in self._watchers:
            watcher.end()

    def _ask_for_snapshot(self) -> None:
        self.requests.put_nowait(LiveRequest(snapshot=True))


class LiveRelay:
    """Shows by patient."""

    def __init__(self) -> None:
        self._shows: dict[str, Show] = {}

    @contextmanager
    def show(self, patient_id: str) -> Iterator[Show]:
        """A gateway shows this patient; a connection that did so before is ended."""
        self._end(patient_id, REPLACED)
        show = self._shows[patient_id] = Show()
        try:
            yield show
        finally:
            show.over()
            if self._shows.get(patient_id) is show:
                del self._shows[patient_id]

    def of(self, patient_id: str) -> Show | None:
        return self._shows.get(patient_id)

    def end(self, patient_id: str) -> None:
        """The patient does not agree any more."""
        self._end(patient_id, NOT_SHARED)

    def say(self, patient_id: str, words: SpokenWords) -> bool:
        """Have something said to the patient; False where nobody exercises in view."""
        show = self._shows.get(patient_id)
        if show is not None:
            show.requests.put_nowait(LiveRequest(words=words))
        return show is not None

    def _end(self, patient_id: str, code: int) -> None:
        if (show := self._shows.get(patient_id)) is not None:
            show.end(code)

"""What runs beside a stream ends with it, whatever becomes of the first cancellation."""

from __future__ import annotations

import asyncio

from device_gateway.links.connection import in_background


async def test_a_job_that_loses_a_cancellation_is_cancelled_again(monkeypatch) -> None:
    monkeypatch.setattr("device_gateway.links.connection.CANCEL_AGAIN_S", 0.01)
    lost, ended = [], []

    async def deaf_once() -> None:
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                if lost:
                    ended.append(True)
                    raise
                lost.append("as wait_for of Python 3.11 may")

    async with asyncio.timeout(5):
        async with in_background(deaf_once()):
            await asyncio.sleep(0)
    assert ended


async def test_a_job_that_fails_ends_alone() -> None:
    async def faulty() -> None:
        raise ZeroDivisionError

    async with in_background(faulty()):
        await asyncio.sleep(0.01)

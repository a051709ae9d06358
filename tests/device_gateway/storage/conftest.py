"""A home that holds something, for tests that spoil it."""

from __future__ import annotations

from pathlib import Path

import pytest

from device_gateway.storage.store import Store

CHUNKS = 30
"""As the tests that count them say."""


@pytest.fixture
async def kept(tmp_path: Path, invented):
    """Who the gateway is and one finished session, in a store that is closed; the session and its chunks."""
    store = await Store.open(tmp_path)
    opened = invented.opening()
    chunks = [invented.chunk(number) for number in range(CHUNKS)]
    await store.keep_settings(identity="who I am")
    await store.keep_opening(opened)
    for number, data in enumerate(chunks):
        await store.keep_chunk(opened.id, number, data)
    await store.keep_report(invented.report(opened, chunks))
    await store.close()
    return opened, chunks

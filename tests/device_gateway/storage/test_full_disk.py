"""A disk that is really full, to its last byte: what was acknowledged stays, room can be made, and it goes on."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_disk import run_python_on, why_no_small_disk

PROGRAM = """
import asyncio, os, sys
from pathlib import Path

from analytics.domain.session import SessionOpening, SessionReport
from device_gateway.conditions import Conditions
from device_gateway.errors import StoreError
from device_gateway.storage.retention import Retention
from device_gateway.storage.store import Store

home = Path(sys.argv[1])
uploaded, running = (SessionOpening.model_validate_json(text) for text in sys.argv[2:4])
report = SessionReport.model_validate_json(sys.argv[4])

async def fill(store, opening):
    kept = 0
    try:
        while True:
            await store.keep_chunk(opening.id, kept, os.urandom(30_000))
            kept += 1
    except StoreError as refusal:
        print(refusal)
    return kept

async def main():
    conditions = Conditions()
    store = await Store.open(home / "gateway", conditions)
    retention = Retention(store, conditions, largest_store_bytes=2**30, least_free_bytes=0)
    await retention.check()
    for opening in (uploaded, running):
        await store.keep_opening(opening)
    await store.keep_report(report)
    await store.mark(uploaded.id, report_uploaded=True)
    assert await fill(store, uploaded) > 50
    with open(home / "others", "wb", buffering=0) as others:
        try:
            while True:
                others.write(bytes(4096))
        except OSError:
            pass
    print([condition.code for condition in conditions.now()])
    await retention.check()
    kept = await fill(store, running)
    print("then", kept, "more")
    await store.close()
    store = await Store.open(home / "gateway")
    ((waiting),) = await store.uploads()
    assert waiting.chunks_waiting == tuple(range(kept)), waiting.chunks_waiting
    print(await store.read(lambda database: database.pragma("integrity_check")))
    await store.close()

asyncio.run(main())
"""


@pytest.mark.skipif(why_no_small_disk() is not None, reason=why_no_small_disk() or "")
@pytest.mark.parametrize("size", ["40M", "60M"])
def test_a_disk_full_to_its_last_byte_loses_nothing(tmp_path: Path, invented, size: str) -> None:
    uploaded, running = invented.opening(), invented.opening()
    report = invented.report(uploaded, [])
    texts = [word.model_dump_json() for word in (uploaded, running, report)]
    ran = run_python_on(tmp_path, size, PROGRAM, tmp_path, *texts)
    assert ran.code == 0, ran
    first, codes, second, more, sound = ran.output.splitlines()
    assert "disk is full: free some space" in first
    assert "disk is full: free some space" in second
    assert codes == "['disk.full', 'disk.nearly_full']"
    assert int(more.split()[1]) > 50, "what was deleted made room for as much"
    assert sound == "ok"

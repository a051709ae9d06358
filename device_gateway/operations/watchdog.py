"""Pings systemd for as long as the gateway is alive in substance, so that one that hangs is started anew.

A ping comes from the event loop itself, after every part that the gateway cannot do without has answered: what blocks
the loop, ends a task that should never end, or hangs the store's thread stops the pings. A disk that refuses or a
clinic that is away is a condition and no reason to start anew: that would lose what waits in memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping

from device_gateway.errors import StoreError
from device_gateway.storage.store import Store

from .notify import Notify

PINGS_PER_PERIOD = 3
"""sd_watchdog_enabled(3) recommends at least two."""

log = logging.getLogger(__name__)


async def ping_while_alive(
    notify: Notify, pulse: Callable[[], Awaitable[str | None]], status: Callable[[], str]
) -> None:
    """Runs until cancelled. `pulse` returns what is dead, or None; one that does not answer in time counts as dead.

    `status`: one line for `systemctl status`. Where systemd does not watch, nothing is asked and nothing is sent.
    """
    if not notify.watchdog_s:
        return
    interval_s = notify.watchdog_s / PINGS_PER_PERIOD
    while True:
        try:
            dead = await asyncio.wait_for(pulse(), interval_s)
        except TimeoutError:
            dead = "a part that did not answer"
        except Exception:
            log.exception("The gateway's parts could not be asked.")
            dead = "a part that met a fault"
        if dead is None:
            notify("WATCHDOG=1", f"STATUS={status()}")
        else:
            log.error("No sign of life from %s: systemd starts the gateway anew unless it comes back.", dead)
            notify(f"STATUS=No sign of life from {dead}.")
        await asyncio.sleep(interval_s)


async def first_dead(store: Store | None, alive: Mapping[str, bool]) -> str | None:
    """The first part, by what a person calls it, that should live as long as the gateway and does not; else None.

    Returns only once the store's thread has answered: where that hangs, it does too.
    """
    for name, lives in {"the store": store is not None, **alive}.items():
        if not lives:
            return name
    assert store is not None
    with contextlib.suppress(StoreError):  # a disk that refuses has answered
        await store.read(lambda database: database.execute("SELECT 1").fetchone())
    return None

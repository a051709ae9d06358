"""Has a sensor tell its clock again and again while it streams, so that the constant part of its delay is known."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Protocol

from firmware_interface.driver_kit.clock_bounds import ClockBounds
from firmware_interface.errors import SensorError

from .sensor_clock import SensorClock

PAUSES_S = ((32, 0.1), (160, 0.25))
"""Mean pause while fewer than so many exchanges were made: the first seconds count most."""
USUAL_PAUSE_S = 5.0
"""Afterwards: four small packets each time, a hundredth of what a stream sends."""
PATIENCE = 3
"""So many refusals in a row, and the sensor is left in peace until the next connection."""


class TellsItsClock(Protocol):
    """What is asked of a sensor's driver."""

    async def clock_bounds(self, now_s: Callable[[], float]) -> ClockBounds | None: ...


async def keep_exchanging(
    driver: TellsItsClock, clock: Callable[[], SensorClock], now_s: Callable[[], float], rng: random.Random
) -> None:
    """Exchange until cancelled, or until the sensor cannot. Raises bleak's BleakError where the link is lost.

    clock: the connection's clock now, which is another once the sensor's was set. now_s: the session's time, on which
    arrivals are observed too. Pauses are the machine's time, because the radio is no faster in a replay. They are
    random: only questions asked at any phase of the connection interval show how long one waits at least (offset.py).
    """
    refusals = 0
    while refusals < PATIENCE:
        try:
            exchange = await driver.clock_bounds(now_s)
        except SensorError:
            refusals += 1
        else:
            if exchange is None:
                return
            refusals = 0
            clock().bound(exchange)
        await asyncio.sleep(rng.uniform(0, 2 * _pause_s(clock().exchanges)))


def _pause_s(exchanges: int) -> float:
    return next((pause_s for fewer, pause_s in PAUSES_S if exchanges < fewer), USUAL_PAUSE_S)

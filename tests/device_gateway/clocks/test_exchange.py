"""Sensors are asked for their clocks over real GATT, and their samples are then placed where they belong."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

import numpy as np
import pytest
from alignment import INTERVAL_S, by_clock, covered, hear_five, pairwise_ms, replayed

from device_gateway.clocks import exchange as exchange_module
from device_gateway.clocks.exchange import PATIENCE, keep_exchanging
from device_gateway.clocks.sensor_clock import SensorClock
from firmware_interface.driver_kit.clock_bounds import ClockBounds
from firmware_interface.errors import SensorRefusedError


async def test_two_sensors_are_aligned_by_asking_them() -> None:
    """A slice of `make bench`: a few seconds, two sensors that drift apart as far as they may."""
    heard = await hear_five(6.0, seed=5, drifts_ppm=(-50.0, 50.0))
    for one in heard:
        assert one.exchanges >= 15
        for told in one.exchanged:
            taken_s = one.sensor.taken_at(told.sensor_heard_us)
            assert told.asked_s - 2e-6 <= taken_s <= told.heard_s + 2e-6
        placed_s, stated_ms = replayed(one, exchange=True)
        assert np.median(np.abs(placed_s - one.taken_s())[-40:]) * 1e3 <= stated_ms[-1]
    assert np.median(pairwise_ms(heard, by_clock(exchange=True), after_s=4.0)) <= 2 * max(stated_ms[-40:])
    assert covered(heard, exchange=False) >= 0.95


async def test_an_answer_waits_a_whole_interval_and_a_question_any_part_of_one() -> None:
    """Why the middle of an exchange is no estimate: it is late by half of what the answer waits longer."""
    (heard,) = await hear_five(5.0, seed=6, drifts_ppm=(0.0,))
    there_s = np.array([heard.sensor.taken_at(told.sensor_heard_us) - told.asked_s for told in heard.exchanged])
    back_s = np.array([told.heard_s - heard.sensor.taken_at(told.sensor_told_us) for told in heard.exchanged])
    assert there_s.min() < INTERVAL_S / 2
    assert np.median(back_s) > 0.8 * INTERVAL_S, "the least is shorter where this computer was late with the event"


class Driver:
    """Answers as told, one after the other; then it stays silent."""

    def __init__(self, *answers: ClockBounds | Exception | None) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def clock_bounds(self, now_s: Callable[[], float]) -> ClockBounds | None:
        self.asked += 1
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


async def asked(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(exchange_module, "PAUSES_S", ((1000, 0.0),))
    clock = SensorClock()
    clock.observe(0, 0.0)
    async with asyncio.timeout(5):
        await keep_exchanging(driver, lambda: clock, lambda: 0.0, random.Random(0))
    return clock.exchanges


async def test_a_family_that_cannot_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = Driver(None)
    assert await asked(driver, monkeypatch) == 0
    assert driver.asked == 1


async def test_a_sensor_that_refuses_is_left_in_peace(monkeypatch: pytest.MonkeyPatch) -> None:
    refusal, answer = SensorRefusedError("no"), ClockBounds(0, 0, 0.0, 0.0)
    driver = Driver(refusal, refusal, answer, *[refusal] * PATIENCE)
    assert await asked(driver, monkeypatch) == 1
    assert driver.asked == 3 + PATIENCE

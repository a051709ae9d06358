"""What a sensor still holds of a stream whose gateway died in the middle of it."""

from __future__ import annotations

import asyncio
import logging

from bleak.exc import BleakError

from analytics.signals.samples import ImuSamples
from device_gateway.errors import RadioError
from firmware_interface.driver_kit.decoder import Bookmark, Decoder
from firmware_interface.drivers import driver_for
from firmware_interface.errors import NoReplyError, SensorError

from .connection import Connection, connected, packet_samples
from .link import RETRY_PAUSE_S, USUAL_RATE_HZ
from .listening import Sighting
from .radio import Central

FIND_S = 30.0
"""A worn sensor whose link broke advertises several times a second, but while another is connected nobody listens, for
20 s where that fails. One that is not heard by now is switched off."""
FETCH_S = 60.0
"""The largest ring there is, 16383 samples, comes within some ten seconds, and five sensors share the radio."""
LONGEST_ABSENCE_S = 180.0
"""Longer than that ring lasts. A stream that has gone on for longer has nothing left that belongs to the session."""

log = logging.getLogger(__name__)


class Fetching:
    """Of one sensor, from the bookmark on: `run` it, `take` what has come, and `let_go` once that is safe.

    last_us: the sensor's time of the last sample before the bookmark. caught_up: all that it holds has come, or nothing
    will. Its stream is stopped only when it is let go, so that whatever happens until then, it can be asked again.
    """

    def __init__(self, central: Central, address: str, bookmark: Bookmark, last_us: int) -> None:
        self.caught_up = asyncio.Event()
        self._central = central
        self._address = address
        self._bookmark = bookmark
        self._last_us = last_us
        self._decoder: Decoder | None = None
        self._came: list[ImuSamples] = []
        self._all_here = asyncio.Event()  # on this connection
        self._leave = asyncio.Event()
        self._over = False
        self._ended = False
        self._belongs = True
        self._deadline = asyncio.timeout(FETCH_S)

    @property
    def bookmark(self) -> Bookmark:
        """Behind what has come so far."""
        return (self._decoder.bookmark() if self._decoder is not None else None) or self._bookmark

    def take(self) -> list[ImuSamples]:
        """What has come since this was asked last, in order, gaps counted.

        Nothing where the sensor is not in reach, has begun another stream since, or was left alone for too long.
        """
        came, self._came = self._came, []
        return came if self._belongs else []

    def let_go(self) -> None:
        self._leave.set()
        self._expire_in(FETCH_S)

    async def run(self) -> None:
        """Until it is let go and its stream is stopped, or it can no longer be asked; that is told in the log."""
        try:
            async with self._deadline:
                while not self._over:
                    async with asyncio.timeout(FIND_S):
                        sighting = await self._central.find(self._address)
                    await self._attempt(sighting)
        except (TimeoutError, RadioError, SensorError) as trouble:
            log.warning("A sensor of the session that was cut short cannot be asked for the rest: %s", trouble)
        except Exception:  # must cost neither the other sensors their rest nor the session its report
            log.exception("Asking a sensor for the rest of a session met a fault in this program.")
        finally:
            if self._decoder is not None:
                self._came += self._decoder.give_up()
            self._ended = True
            self.caught_up.set()

    async def _attempt(self, sighting: Sighting) -> None:
        """Connect once, and go on where the last connection broke."""
        if self._decoder is None:
            self._decoder = driver_for(sighting.device, sighting.advertisement).new_decoder()
            self._decoder.recall(self._bookmark)
        try:
            async with connected(self._central, sighting, self._decoder) as connection:
                await self._listen(connection)
        except (BleakError, NoReplyError, EOFError, OSError) as trouble:
            log.info("A sensor that is asked for the rest was lost: %s", trouble)
            await asyncio.sleep(RETRY_PAUSE_S)

    async def _listen(self, connection: Connection) -> None:
        def hear(newest_us: int) -> None:
            connection.hear()
            if not 0 < newest_us - self._last_us < LONGEST_ABSENCE_S * 1e6:
                self._belongs = False
                self._all_here.set()
                self._leave.set()

        self._all_here.clear()
        before = len(self._came)
        stream = await connection.driver.start(0.0, packet_samples(USUAL_RATE_HZ), self._hand_over, hear)
        if stream.continues:
            await connection.until_over(stream, self._all_here)
            await connection.until_over(stream, self._leave)
        await connection.stop()
        stopped = self._all_here.is_set() and self._leave.is_set() and not connection.gone
        self._over = stopped or not stream.continues
        if not stream.continues and self._decoder is not None:
            self._came[before:] = self._decoder.forsaken()
            self._decoder = None

    def _hand_over(self, samples: ImuSamples) -> None:
        self._came.append(samples)
        if self._decoder is not None and not self._decoder.owes:
            self._all_here.set()
            if not self.caught_up.is_set():
                self.caught_up.set()
                self._expire_in(None)  # for it may wait for others

    def _expire_in(self, seconds: float | None) -> None:
        if not self.caught_up.is_set() or self._ended or self._deadline.expired():
            return
        self._deadline.reschedule(None if seconds is None else asyncio.get_running_loop().time() + seconds)

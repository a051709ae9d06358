"""A sensor of the open profile in software: advertises, answers on its control point, and plays a recording.

Its world goes on whether anyone listens or not: sample k is taken (time_s[k] - time_s[0]) / speed after the first.
What is taken while no gateway listens is gone, and the sequence number shows it, as with a sensor on a patient.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self

from .. import open_profile as profile
from .gate import StartGate
from .link import SoftwareLink
from .peripheral import Peripheral
from .playback import Playback
from .reel import Reel


class VirtualSensor:
    """Plays `playback` at `address`, `speed` times as fast as it was recorded, once or in a `loop`.

    Each sample taken is counted once: in `samples_sent` (handed to the radio), in `dropped` (the transmit queue was
    full) or in `unheard` (no gateway had asked for it, or left before its packet was full). `finished` is set when the
    last one has been dealt with.
    """

    def __init__(
        self,
        name: str,
        address: str,
        playback: Playback,
        link: SoftwareLink,
        *,
        speed: float = 1.0,
        loop: bool = False,
        gate: StartGate | None = None,
        transmit_queue_packets: int = 32,
        clock_start_us: int = 0,
        battery_percent: int = 90,
    ) -> None:
        self.name = name
        self.address = address
        self.battery_percent = battery_percent
        self.samples_sent = 0
        self.dropped = 0
        self.unheard = 0
        self.finished = asyncio.Event()
        self._reel = Reel(playback, speed=speed, loop=loop, clock_start_us=clock_start_us)
        self._link = link
        self._gate = gate or StartGate()
        self._gate.join(self)
        self._transmit_queue_packets = transmit_queue_packets
        self._peripheral = Peripheral(
            name,
            address,
            battery_percent=lambda: self.battery_percent,
            on_command=self._on_command,
            on_silence=self._on_silence,
        )
        self._stream = 1
        self._streaming = False
        self._next = 0  # the first sample that is not yet counted
        self._activity: asyncio.Task[None] | None = None

    @property
    def first_sample_at(self) -> float | None:
        """The event loop's time at which sample 0 was taken; None until the gate has opened."""
        return self._gate.opened_at

    @property
    def clipped(self) -> int:
        """Samples of the playback that lie beyond the largest range of a chip."""
        return self._reel.readings.clipped

    def taken_at(self, sensor_time_us: int) -> float:
        """The event loop's time at which the sample with this sensor time was taken."""
        assert self._gate.opened_at is not None, "no sample has been taken yet"
        return self._reel.taken_at(sensor_time_us, self._gate.opened_at)

    async def start(self) -> None:
        """Switch on and advertise."""
        await self._peripheral.start(self._link)
        self._switch(self._rest())

    async def stop(self) -> None:
        """Switch off for good."""
        await self._peripheral.stop()
        if self._activity is not None:
            self._activity.cancel()
            await asyncio.wait([self._activity])

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop()

    def walk_away(self) -> None:
        """Leave the radio's range; both ends notice after the link's supervision timeout."""
        assert self._peripheral.controller is not None
        self._link.out_of_range(self._peripheral.controller)

    def walk_back(self) -> None:
        """Come into range again."""
        assert self._peripheral.controller is not None
        self._link.in_range(self._peripheral.controller)

    async def disconnect(self) -> None:
        """Hang up on the gateway."""
        await self._peripheral.disconnect()

    def _on_command(self, data: bytes) -> None:
        try:
            command = profile.decode_command(data)
        except profile.CommandError as error:
            self._peripheral.reply(profile.encode_reply(error.opcode, error.status))
            return
        if command is None:
            self._switch(self._end_stream())
        elif not self._peripheral.listening:
            self._peripheral.reply(profile.encode_reply(profile.Opcode.START, profile.Status.NOT_SUBSCRIBED))
        else:
            self._begin_stream(command.batch)

    def _begin_stream(self, batch: int) -> None:
        """The rate is the recording's own, whatever was asked: a chip, too, gives the nearest that it has."""
        now, first = asyncio.get_running_loop().time(), self._gate.opened_at
        if first is not None and not self._streaming:
            self._pass_by(self._reel.taken(now, first))
        self._streaming = True
        started = profile.Started(
            self._reel.rate_hz,
            self._reel.readings.acc_range_g,
            self._reel.readings.gyr_range_dps,
            self._stream,
            self._reel.clock_us(now, first),
        )
        self._peripheral.reply(profile.encode_started(started))
        self._switch(self._play(batch))
        self._gate.told(self)

    async def _play(self, batch: int) -> None:
        """Send each packet when its last sample has been taken. A faster world fills it with more samples.

        So a packet spans the time that the gateway asked for, whatever the speed, as far as one notification can.
        """
        first = await self._gate.wait()
        size = max(1, min(self._peripheral.capacity, round(batch * self._reel.speed)))
        while (count := self._left(size)) > 0:
            await _until(self._reel.due(self._next + count - 1, first))
            await self._transmit(count)
        self.finished.set()

    async def _end_stream(self) -> None:
        """Send what has been taken, then answer. The next START begins another stream."""
        if self._streaming and self._gate.opened_at is not None:
            taken = self._reel.taken(asyncio.get_running_loop().time(), self._gate.opened_at)
            while taken > self._next:
                await self._transmit(min(taken - self._next, self._peripheral.capacity))
            self._stream = self._stream % 0xFFFF + 1
        self._peripheral.reply(profile.encode_reply(profile.Opcode.STOP, profile.Status.OK))
        self._on_silence()

    async def _rest(self) -> None:
        """No gateway listens: the world goes on to its end."""
        first = await self._gate.wait()
        if self._reel.total is not None:
            await _until(self._reel.due(self._reel.total - 1, first))
            self._pass_by(self._reel.total)
            self.finished.set()

    async def _transmit(self, count: int) -> None:
        packet = self._reel.packet(self._next, count)
        self._next += count
        if self._peripheral.backlog >= self._transmit_queue_packets:
            self.dropped += count
        else:
            self.samples_sent += count
            await self._peripheral.notify(packet)

    def _left(self, size: int) -> int:
        return size if self._reel.total is None else min(size, self._reel.total - self._next)

    def _pass_by(self, taken: int) -> None:
        self.unheard += taken - self._next
        self._next = taken

    def _on_silence(self) -> None:
        self._streaming = False
        self._gate.withdraw(self)
        self._switch(self._rest())

    def _switch(self, activity: Coroutine[Any, Any, None]) -> None:
        if self._activity is not None:
            self._activity.cancel()
        self._activity = asyncio.get_running_loop().create_task(activity)


async def _until(instant: float) -> None:
    """Sleep to an instant of the event loop, and let others run even where it has passed."""
    await asyncio.sleep(max(0.0, instant - asyncio.get_running_loop().time()))

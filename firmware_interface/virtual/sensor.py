"""A wearable sensor in software: advertises, answers as its family's firmware does, and plays a recording.

Its world goes on whether anyone listens or not: sample k is taken (time_s[k] - time_s[0]) / speed after the first.
What is taken while no gateway listens is gone, and the sequence number shows it, as with a sensor on a patient.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self

from bumble.gatt import Service
from bumble.profiles.battery_service import BatteryService
from bumble.profiles.device_information_service import DeviceInformationService

from .firmware import Firmware, Packet
from .gate import StartGate
from .gatt import GattCharacteristic
from .link import SoftwareLink
from .peripheral import Peripheral
from .playback import Playback
from .reel import Reel


class VirtualSensor:
    """Plays `playback` at `address`, `speed` times as fast as it was recorded, once or in a `loop`.

    firmware: the family, from `families.FIRMWARES`; the open profile's where none is given.
    queue_loss: how likely a packet is to find the transmit queue full even when it is not (drawn from `rng`).
    clock_drift_ppm: how much faster its crystal is than true time.

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
        firmware: type[Firmware] | None = None,
        speed: float = 1.0,
        loop: bool = False,
        gate: StartGate | None = None,
        transmit_queue_packets: int = 32,
        queue_loss: float = 0.0,
        rng: random.Random | None = None,
        clock_start_us: int = 0,
        clock_drift_ppm: float = 0.0,
        battery_percent: int = 90,
        greatest_mtu: int = 517,
    ) -> None:
        self.name = name
        self.address = address
        self.battery_percent = battery_percent
        self.samples_sent = 0
        self.dropped = 0
        self.unheard = 0
        self.finished = asyncio.Event()
        self.first_since_power_on = 0
        self.playback = playback
        self._reel_options: dict[str, Any] = {"speed": speed, "loop": loop, "drift_ppm": clock_drift_ppm}
        self.reel = Reel(playback, clock_start_us=clock_start_us, **self._reel_options)
        self._link = link
        self._gate = gate or StartGate()
        self._gate.join(self)
        self._transmit_queue_packets = transmit_queue_packets
        self._queue_loss, self._rng = queue_loss, rng or random.Random(address)  # noqa: S311 - a simulation
        self._peripheral = Peripheral(
            address,
            on_subscription=self._on_subscription,
            on_disconnection=self._on_disconnection,
            greatest_mtu=greatest_mtu,
        )
        self._streaming = False
        self._begun = False
        self._next = 0  # the first sample that is not yet counted
        self._activity: asyncio.Task[None] | None = None
        self.firmware = (firmware or _open_firmware())(self)
        self.firmware.power_on()

    # What a test or a demo does with it

    @property
    def first_sample_at(self) -> float | None:
        """The event loop's time at which sample 0 was taken; None until the gate has opened."""
        return self._gate.opened_at

    def taken_at(self, sensor_time_us: int) -> float:
        """The event loop's time at which the sample with this sensor time was taken."""
        assert self._gate.opened_at is not None, "no sample has been taken yet"
        return self.reel.taken_at(sensor_time_us, self._gate.opened_at)

    async def start(self) -> None:
        """Switch on and advertise."""
        await self._peripheral.start(self._link, self._services(), self.firmware.advertised())
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

    def die(self) -> None:
        """Run out of battery: silent at once and for good, without a goodbye. The movement goes on unmeasured."""
        self.battery_percent = 0
        self.walk_away()

    async def reboot(self) -> None:
        """Fall silent without a goodbye, and come back with a clock and a sequence that begin anew.

        It takes as long as the link's supervision timeout, as starting a chip does.
        """
        self.walk_away()
        await asyncio.sleep(self._link.supervision_timeout_s)
        self.fall_silent()
        first = self._gate.opened_at
        if first is not None:
            now = asyncio.get_running_loop().time()
            self._pass_by(self.reel.taken(now, first))
            self.reel.clock_start_us -= self.reel.clock_us(now, first)
        self._begun = False
        self.first_since_power_on = self._next
        self.firmware.power_on()
        self.walk_back()

    # What its firmware calls

    @property
    def begun(self) -> bool:
        """Whether a stream has begun that was not ended: it outlives a lost link."""
        return self._begun

    @property
    def next_sample(self) -> int:
        """The first sample that has not been dealt with."""
        return self._next

    @property
    def payload_bytes(self) -> int:
        """What one notification can carry on this connection."""
        return self._peripheral.payload_bytes

    def listening(self, characteristic: GattCharacteristic) -> bool:
        """Whether the gateway has subscribed to this characteristic."""
        return self._peripheral.listening(characteristic)

    def clock_us(self) -> int:
        """The sensor's own clock, now."""
        return self.reel.clock_us(asyncio.get_running_loop().time(), self._gate.opened_at)

    def notify(self, characteristic: GattCharacteristic, data: bytes) -> None:
        """Send a notification that is no sample, past the transmit queue."""
        self._peripheral.soon(self._peripheral.notify(characteristic, data))

    def indicate(self, characteristic: GattCharacteristic, data: bytes) -> None:
        """Send an indication."""
        self._peripheral.soon(self._peripheral.indicate(characteristic, data))

    def set_rate(self, rate_hz: float) -> None:
        """Sample at another rate from now on; not while streaming."""
        assert not self._streaming, "a chip's rate is set before it streams"
        if rate_hz != self.reel.rate_hz:
            self.reel = Reel(
                self.playback.at_rate(rate_hz), clock_start_us=self.reel.clock_start_us, **self._reel_options
            )
            first = self._gate.opened_at
            self._next = 0 if first is None else self.reel.taken(asyncio.get_running_loop().time(), first)
            self._switch(self._rest())

    def begin(self, batch: int) -> None:
        """Stream `batch` samples to a packet. Calling it again only changes the batch."""
        now, first = asyncio.get_running_loop().time(), self._gate.opened_at
        if first is not None and not self._streaming:
            self._pass_by(self.reel.taken(now, first))
        self._streaming = self._begun = True
        self._switch(self._play(batch))
        self._gate.told(self)

    def end(self, then: Callable[[], None] = lambda: None) -> None:
        """Send what has been taken, stream no more, and call `then`."""
        self._switch(self._end_stream(then))

    def fall_silent(self) -> None:
        """Stream no more, at once."""
        if self._streaming:
            self._streaming = False
            self._gate.withdraw(self)
        self._switch(self._rest())

    async def _play(self, batch: int) -> None:
        """Send each packet when its last sample has been taken. A faster world fills it with more samples.

        So a packet spans the time that the gateway asked for, whatever the speed, as far as one notification can.
        """
        first = await self._gate.wait()
        size = max(1, min(self.firmware.largest_batch, round(batch * self.reel.speed)))
        while (count := self._left(size)) > 0:
            await _until(self.reel.due(self._next + count - 1, first))
            await self._transmit(count)
        self.finished.set()

    async def _end_stream(self, then: Callable[[], None]) -> None:
        if self._streaming and self._gate.opened_at is not None:
            taken = self.reel.taken(asyncio.get_running_loop().time(), self._gate.opened_at)
            while taken > self._next:
                await self._transmit(min(taken - self._next, self.firmware.largest_batch))
        self._begun = False
        then()
        self.fall_silent()

    async def _rest(self) -> None:
        """No gateway listens: the world goes on to its end."""
        first = await self._gate.wait()
        if self.reel.total is not None:
            await _until(self.reel.due(self.reel.total - 1, first))
            self._pass_by(self.reel.total)
            self.finished.set()

    async def _transmit(self, count: int) -> None:
        packets = self.firmware.packets(self._next, count)
        self._next += count
        for packet in packets:
            if self._peripheral.backlog >= self._transmit_queue_packets or self._queue_loses():
                self.dropped += packet.samples
            else:
                self.samples_sent += packet.samples
                await self._send(packet)

    async def _send(self, packet: Packet) -> None:
        for characteristic, data in packet.notifications:
            await self._peripheral.notify(characteristic, data)

    def _queue_loses(self) -> bool:
        return self._queue_loss > 0 and self._rng.random() < self._queue_loss

    def _left(self, size: int) -> int:
        return size if self.reel.total is None else min(size, self.reel.total - self._next)

    def _pass_by(self, taken: int) -> None:
        self.unheard += taken - self._next
        self._next = taken

    def _on_subscription(self, characteristic: GattCharacteristic, subscribed: bool) -> None:
        self.firmware.on_subscription(characteristic, subscribed)

    def _on_disconnection(self) -> None:
        self.firmware.on_disconnection()
        self.fall_silent()

    def _switch(self, activity: Coroutine[Any, Any, None]) -> None:
        if self._activity is not None:
            self._activity.cancel()
        self._activity = asyncio.get_running_loop().create_task(activity)

    def _services(self) -> list[Service]:
        identity = self.firmware.identity()
        services = self.firmware.services()
        if self.firmware.has_battery_service:
            services.append(BatteryService(lambda _: self.battery_percent))
        services.append(
            DeviceInformationService(
                manufacturer_name=identity.maker,
                model_number=identity.model,
                serial_number=identity.serial,
                firmware_revision=identity.firmware,
                hardware_revision=identity.hardware,
            )
        )
        return services


def _open_firmware() -> type[Firmware]:
    from .families.open_imu import OpenFirmware  # noqa: PLC0415 - every family knows the sensor; the sensor knows one

    return OpenFirmware


async def _until(instant: float) -> None:
    """Sleep to an instant of the event loop, and let others run even where it has passed."""
    await asyncio.sleep(max(0.0, instant - asyncio.get_running_loop().time()))

"""The open Sinew IMU profile (docs/firmware-open-profile.md)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from typing import TypeVar

import numpy as np
from bleak import BleakClient
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
from bleak.exc import BleakError

from analytics.signals.samples import FloatArray, ImuSamples, IntArray

from .. import open_profile as profile
from ..driver_kit.clipping import clipped_counts
from ..driver_kit.clock_bounds import ClockBounds
from ..driver_kit.decoder import Decoder
from ..driver_kit.driver import SensorDriver
from ..driver_kit.family import IMU, Family, Quantity, StreamSettings
from ..driver_kit.gap_filler import GapFiller
from ..driver_kit.timeline import Timeline
from ..errors import DecodeError, SensorError, SensorRefusedError

RESEND_PATIENCE_S = 1.0
"""Where nothing of what was asked for again comes for so long, it is lost; what came after it waits no longer."""
BUSY_PAUSE_S = 0.05

_log = logging.getLogger(__name__)

A = TypeVar("A")


class OpenDecoder(Decoder):
    """Sequence and time tell the same story twice; a packet in which they disagree is damaged and is left out.

    number: of the first sample of the packet that was decoded last, counted on from the stream's first without a wrap.
    resent: whether that packet had been asked for again.
    """

    def __init__(self) -> None:
        self.number = 0
        self.resent = False
        self._next_number = 0
        self._sequence_of_zero = 0
        self._started: profile.Started | None = None
        self._timeline = Timeline(1.0)

    def sequence_of(self, number: int) -> int:
        """The sequence, modulo 65536, that the sensor gave a sample."""
        return (number + self._sequence_of_zero) & 0xFFFF

    def begin(
        self,
        *,
        rate_hz: float,
        acc_range_g: int,
        gyr_range_dps: int,
        stream: int,
        time_us: int,
        mag_range_ut: int | None = None,
    ) -> bool:
        """Take over what the sensor answered to START. True where the stream goes on from before."""
        started = profile.Started(rate_hz, acc_range_g, gyr_range_dps, stream, time_us, mag_range_ut)
        before, self._started = self._started, started
        same = before is not None and (before.stream, before.rate_hz) == (started.stream, started.rate_hz)
        if not same:
            self._timeline = Timeline(started.rate_hz)
        self._timeline.expect(started.time_us)
        return self._timeline.begun

    def decode(self, data: bytes, characteristic: str = "") -> Sequence[ImuSamples]:
        started = self._started
        if started is None:
            raise DecodeError("Samples came before the sensor answered the start.")
        packet = profile.decode_packet(data)
        axes = packet.counts.shape[1]
        if axes != started.axes:
            raise DecodeError(f"A packet has {axes} axes in a stream of {started.axes}.")
        times_us, lost = self._place(packet)
        readings, step, mag_step_ut = packet.counts.astype(np.float64), started.resolution, started.mag_step_ut
        return [
            ImuSamples(
                sensor_time_us=times_us,
                acc_m_s2=readings[:, :3] * step.acc_m_s2,
                gyr_rad_s=readings[:, 3:6] * step.gyr_rad_s,
                lost_before=lost,
                mag_ut=None if mag_step_ut is None else _mag_ut(readings[:, 6:], mag_step_ut),
                clipped=clipped_counts(packet.counts[:, :6]),
                source=self.source,
            )
        ]

    def _place(self, packet: profile.Packet) -> tuple[IntArray, int]:
        count = len(packet.counts)
        if packet.resent:
            times_us, behind = self._timeline.place_again(packet.time_us, count, packet.sequence)
            self.number, self.resent = self._next_number - behind, True
            return times_us, 0
        times_us, lost = self._timeline.place(packet.time_us, count, packet.sequence)
        self.number, self.resent = self._next_number + lost, False
        self._next_number = self.number + count
        self._sequence_of_zero = packet.sequence - self.number  # the same each time, unless the sensor has jumped
        return times_us, lost


class OpenImuDriver(SensorDriver[OpenDecoder]):
    """axes: 9 asks for the magnetic field as well, where the sensor measures it. Set before `start`."""

    family = Family(
        code="open_imu",
        name="Sinew open profile",
        maker="whoever made it",
        quantities=(*IMU, Quantity.MAGNETIC_FIELD),
        rates_hz=(),
        acc_ranges_g=profile.ACC_RANGES_G,
        gyr_ranges_dps=profile.GYR_RANGES_DPS,
        timestamps="first sample of each packet, µs, 32 bit",
        sequence="of samples, 16 bit; what is lost is asked for again",
        synchronisation="two-way time exchange",
        cannot=("tell its orientation; Sinew makes its own",),
        source="docs/firmware-open-profile.md",
    )
    service = profile.SERVICE_UUID
    characteristics = (profile.DATA_UUID, profile.CONTROL_UUID)
    batches = True

    def __init__(self, client: BleakClient, decoder: OpenDecoder | None = None) -> None:
        super().__init__(client, decoder)
        self.axes = 6
        self._token = 0
        self._filler = GapFiller()
        self._can_resend = True
        self._resending: asyncio.Task[None] | None = None
        self._resent_until = 0
        self._resent = asyncio.Event()

    @classmethod
    def matches(cls, device: BLEDevice, advertisement: AdvertisementData) -> bool:
        return profile.SERVICE_UUID in advertisement.service_uuids

    @classmethod
    def new_decoder(cls) -> OpenDecoder:
        return OpenDecoder()

    async def set_ranges(self, acc_range_g: int, gyr_range_dps: int) -> profile.RangesSet:
        """Ask for full scales for the next stream; returns what the chip took. A 0 leaves one as it is."""
        return await self._command(
            profile.Opcode.RANGES, profile.encode_ranges(acc_range_g, gyr_range_dps), profile.RangesSet
        )

    async def identify(self, duration_s: int) -> None:
        """Have the sensor blink or vibrate, up to 255 s; 0 ends it."""
        await self._command(profile.Opcode.IDENTIFY, profile.encode_identify(duration_s), type(None))

    async def clock_bounds(self, now_s: Callable[[], float]) -> ClockBounds:
        """Raises SensorRefusedError where the sensor does not have this command."""
        self._token = (self._token + 1) & 0xFFFFFFFF
        asked_s = now_s()
        told = await self._command(profile.Opcode.TIME, profile.encode_time(self._token), profile.TimeTold)
        heard_s = now_s()
        if told.token != self._token:
            raise SensorRefusedError(
                f"{self._name} answered another time exchange than was asked; update its firmware."
            )
        return ClockBounds(told.time_us, told.time_us + told.held_us, asked_s, heard_s)

    async def _begin(self, rate_hz: float, batch: int) -> StreamSettings:
        self._can_resend = True
        await self._listen(profile.DATA_UUID)
        start = profile.encode_start(rate_hz, min(max(batch, 1), 255), self.axes)
        started = await self._command(profile.Opcode.START, start, profile.Started)
        continues = self.decoder.begin(**asdict(started))
        return StreamSettings(started.rate_hz, started.resolution, continues)

    async def _end(self) -> None:
        """What the sensor had taken, and what is being sent again, arrives before its answer."""
        if self._resending is not None:
            await asyncio.wait([self._resending], timeout=RESEND_PATIENCE_S)
        self._can_resend = False
        await self._command(profile.Opcode.STOP, profile.encode_stop(), type(None))

    def close(self) -> None:
        if self._resending is not None:
            self._resending.cancel()
        self._can_resend = False
        self._give_up_all()
        super().close()

    async def _command(self, opcode: profile.Opcode, command: bytes, kind: type[A]) -> A:
        """Write a command; returns what its answer holds beyond the status, which must be of this kind."""
        reply = await self._reply_to(opcode, command)
        if reply.status is not profile.Status.OK:
            reason = reply.status.name.lower().replace("_", " ")
            raise SensorRefusedError(
                f"{self._name} refused {opcode.name} ({reason}); restart it or update its firmware."
            )
        if not isinstance(reply.answer, kind):
            raise SensorRefusedError(f"{self._name} answered {opcode.name} without what belongs to it; update it.")
        return reply.answer

    async def _reply_to(self, opcode: profile.Opcode, command: bytes) -> profile.Reply:
        def answer(data: bytes) -> profile.Reply | None:
            reply = profile.decode_reply(data)
            return reply if reply.opcode == opcode else None

        await self.prepare()
        await self._listen_for_replies(profile.CONTROL_UUID)
        return await self._ask(profile.CONTROL_UUID, command, answer, opcode.name)

    def _hear(self, time_us: int) -> None:
        if not self.decoder.resent:
            super()._hear(time_us)

    def _hand_out(self, runs: Iterable[ImuSamples]) -> None:
        for run in runs:
            if self.decoder.resent:
                self._resent_until = max(self._resent_until, self.decoder.number + len(run))
                self._resent.set()
            super()._hand_out(self._filler.add(self.decoder.number, run))
        if self._filler.gap is not None and self._resending is None:
            if self._can_resend:
                self._resending = asyncio.get_running_loop().create_task(self._fill_gaps())
            else:
                self._give_up_all()

    async def _fill_gaps(self) -> None:
        """Ask for each gap. What does not come is given up; whatever goes wrong, what was held back is handed out."""
        try:
            while self._can_resend and (gap := self._filler.gap) is not None:
                with contextlib.suppress(SensorError, TimeoutError):
                    await self._ask_again(*gap)
                left = self._filler.gap
                if left is not None and left[0] < sum(gap):
                    super()._hand_out(self._filler.give_up())
        except BleakError as trouble:
            _log.info("%s cannot send again what was lost: %s", self._name, trouble)
            self._can_resend = False
        finally:
            self._resending = None
            if not self._can_resend:
                self._give_up_all()

    async def _ask_again(self, first: int, missing: int) -> None:
        """Ask for missing samples, and wait for as many of them as the sensor still has. Raises TimeoutError."""
        sequence = self.decoder.sequence_of(first)
        reply = await self._reply_to(profile.Opcode.RESEND, profile.encode_resend(sequence, min(missing, 0xFFFF)))
        async with asyncio.timeout(RESEND_PATIENCE_S):
            while reply.status is profile.Status.BUSY:
                await asyncio.sleep(BUSY_PAUSE_S)
                reply = await self._reply_to(
                    profile.Opcode.RESEND, profile.encode_resend(sequence, min(missing, 0xFFFF))
                )
        if reply.status is profile.Status.UNKNOWN_OPCODE:
            self._can_resend = False
        elif isinstance(resending := reply.answer, profile.Resending) and resending.samples:
            until = first + ((resending.first - sequence) & 0xFFFF) + resending.samples
            while self._resent_until < until:
                self._resent.clear()
                async with asyncio.timeout(RESEND_PATIENCE_S):  # anew for each: a long gap comes at the link's pace
                    await self._resent.wait()

    def _give_up_all(self) -> None:
        while self._filler.gap is not None:
            super()._hand_out(self._filler.give_up())


def _mag_ut(counts: FloatArray, step_ut: float) -> FloatArray:
    """(n, 3); NaN where the magnetometer, which is slower, had no new reading."""
    return np.where((counts == profile.NO_MAG_READING).any(axis=1, keepdims=True), np.nan, counts * step_ut)

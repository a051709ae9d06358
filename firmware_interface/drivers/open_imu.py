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
from ..driver_kit.decoder import Bookmark, Decoder
from ..driver_kit.driver import SensorDriver
from ..driver_kit.family import IMU, Family, Quantity, StreamSettings
from ..driver_kit.gap_filler import GapFiller
from ..driver_kit.timeline import RATE_TOLERANCE, Timeline
from ..errors import DecodeError, SensorError, SensorRefusedError

RESEND_PATIENCE_S = 1.0
"""Where nothing of what was asked for again comes for so long, it is lost; what came after it waits no longer."""
BUSY_PAUSE_S = 0.05
LONGEST_LEAD = 0x3FFF
"""Samples: more are in no ring."""

_log = logging.getLogger(__name__)

A = TypeVar("A")


class OpenDecoder(Decoder):
    """Sequence and time tell the same story twice; a packet in which they disagree is damaged and is left out.

    number: of the first sample of the packet that was decoded last, counted on from the stream's first without a wrap.
    resent: whether that packet had been asked for again. filler: what is held back for missing samples; a link that
    breaks costs nothing of it, since the next one asks for them.
    """

    def __init__(self) -> None:
        self.filler = GapFiller()
        self._forsaken: list[ImuSamples] = []
        self._lead = 0
        self._begun_us = 0
        self.number = 0
        self.resent = False
        self._next_number = 0
        self._sequence_of_zero = 0
        self._stream: tuple[float, float] | None = None
        self._started: profile.Started | None = None
        self._timeline = Timeline(1.0)

    @property
    def owes(self) -> bool:
        return self.filler.gap is not None

    def bookmark(self) -> Bookmark | None:
        number = self.filler.next
        if self._stream is None or number is None:
            return None
        stream, rate_hz = self._stream
        time_us = self._timeline.time_us(self._next_number - number)
        return {"stream": stream, "rate_hz": rate_hz, "sequence": self.sequence_of(number), "time_us": time_us}

    def recall(self, bookmark: Bookmark) -> None:
        self._stream = (bookmark["stream"], bookmark["rate_hz"])
        self._sequence_of_zero = int(bookmark["sequence"])
        self._timeline = Timeline(bookmark["rate_hz"])
        self._timeline.go_on(bookmark["time_us"], self._sequence_of_zero)
        self.filler = GapFiller(0)

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
        self._started = started
        before, self._stream = self._stream, (started.stream, started.rate_hz)
        if before != self._stream:
            self._forsaken += self.filler.give_up_all()
            self.filler = GapFiller()
            self._timeline = Timeline(started.rate_hz)
            self._begun_us = started.time_us
        self._timeline.expect(started.time_us)
        return self._timeline.begun

    def take_lead(self) -> int:
        """How many samples there may have been before the stream's first packet; told once."""
        lead, self._lead = self._lead, 0
        return lead

    def forsaken(self) -> Sequence[ImuSamples]:
        forsaken, self._forsaken = self._forsaken, []
        return forsaken

    def give_up(self) -> Sequence[ImuSamples]:
        return [*self.forsaken(), *self.filler.give_up_all()]

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
        first_of_stream = not self._timeline.begun
        times_us, lost = self._timeline.place(packet.time_us, count, packet.sequence)
        if first_of_stream:
            since_start = (int(times_us[0]) - self._begun_us) * 1e-6 * self._timeline.rate_hz
            # As much more as a packet holds, since the first may have begun before the answer to START.
            self._lead = min(max(0, int(since_start * (1 + RATE_TOLERANCE))) + count, LONGEST_LEAD)
            self._next_number += self._lead
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
        self._can_resend = True
        self._over = False
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
        self._can_resend, self._over = True, False
        await self._listen(profile.DATA_UUID)
        start = profile.encode_start(rate_hz, min(max(batch, 1), 255), self.axes)
        started = await self._command(profile.Opcode.START, start, profile.Started)
        continues = self.decoder.begin(**asdict(started))
        return StreamSettings(started.rate_hz, started.resolution, continues)

    async def _end(self) -> None:
        """What the sensor had taken, and what is being sent again, arrives before its answer."""
        if self._resending is not None:
            await asyncio.wait([self._resending], timeout=RESEND_PATIENCE_S)
        self._over = True
        try:
            await self._command(profile.Opcode.STOP, profile.encode_stop(), type(None))
        finally:
            if self._client.is_connected:
                self._give_up_all()

    def close(self) -> None:
        self._over = True  # what is held back stays with the decoder, for the next connection
        if self._resending is not None:
            self._resending.cancel()
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
            if lead := self.decoder.take_lead():
                self._filler.doubt(self.decoder.number - lead, self.decoder.number)
            if self.decoder.resent:
                self._resent_until = max(self._resent_until, self.decoder.number + len(run))
                self._resent.set()
            super()._hand_out(self._filler.add(self.decoder.number, run))
        if self._filler.gap is not None and self._resending is None:
            if not self._can_resend:
                self._give_up_all()
            elif not self._over:
                self._resending = asyncio.get_running_loop().create_task(self._fill_gaps())

    async def _fill_gaps(self) -> None:
        """Ask for each gap. What does not come is given up; whatever goes wrong, what was held back is handed out."""
        try:
            while self._can_resend and not self._over and (gap := self._filler.gap) is not None:
                with contextlib.suppress(SensorError, TimeoutError):
                    await self._ask_again(*gap)
                left = self._filler.gap
                if left is not None and left[0] < sum(gap):
                    super()._hand_out(self._filler.give_up())
        except BleakError as trouble:
            if self._client.is_connected:
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
        if isinstance(reply.answer, profile.Resending):
            begins_at = (reply.answer.first - sequence) & 0xFFFF if reply.answer.samples else missing
            super()._hand_out(self._filler.exist_from(first + begins_at))
        if reply.status is profile.Status.UNKNOWN_OPCODE:
            self._can_resend = False
        elif isinstance(resending := reply.answer, profile.Resending) and resending.samples:
            until = first + ((resending.first - sequence) & 0xFFFF) + resending.samples
            while self._resent_until < until:
                self._resent.clear()
                async with asyncio.timeout(RESEND_PATIENCE_S):  # anew for each: a long gap comes at the link's pace
                    await self._resent.wait()

    @property
    def _filler(self) -> GapFiller:
        return self.decoder.filler

    def _give_up_all(self) -> None:
        super()._hand_out(self._filler.give_up_all())


def _mag_ut(counts: FloatArray, step_ut: float) -> FloatArray:
    """(n, 3); NaN where the magnetometer, which is slower, had no new reading."""
    return np.where((counts == profile.NO_MAG_READING).any(axis=1, keepdims=True), np.nan, counts * step_ut)

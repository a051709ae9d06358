"""A sensor of the open Sinew profile, as docs/firmware-open-profile.md asks of it."""

from __future__ import annotations

import numpy as np
from bumble.core import UUID
from bumble.gatt import Service
from numpy.typing import NDArray

from ... import open_profile as profile
from ..firmware import Advertised, Firmware, Identity, Packet
from ..gatt import GattCharacteristic, notifying, writable
from ..playback import acc_range_g, gyr_range_dps, to_counts
from ..sensor import VirtualSensor

MAG_RANGE_UT = 4915
"""Of the AK09916: 0.15 µT to a step."""


class OpenFirmware(Firmware):
    """The rate is the recording's own, whatever was asked: a chip, too, gives the nearest that it has.

    fifo_s: for how long a sample can be sent again.
    """

    family = "open_imu"

    def __init__(self, sensor: VirtualSensor) -> None:
        super().__init__(sensor)
        self.fifo_s = 4.0
        self.identifies_s = 0
        self._data = notifying(profile.DATA_UUID)
        self._control = writable(profile.CONTROL_UUID, self._on_command, indicate=True)
        self._stream = 0
        self._stream_first = 0
        self._axes = 6
        self._acc_range_g = acc_range_g(sensor.playback)
        self._gyr_range_dps = gyr_range_dps(sensor.playback)

    def advertised(self) -> Advertised:
        return Advertised(self.sensor.name, (profile.SERVICE_UUID,))

    def services(self) -> list[Service]:
        return [Service(UUID(profile.SERVICE_UUID), [self._data, self._control])]

    def identity(self) -> Identity:
        serial = self.sensor.address.replace(":", "")
        return Identity("Sinew", "Virtual IMU", serial, f"open profile {profile.VERSION}")

    @property
    def largest_batch(self) -> int:
        return profile.packet_capacity(self.sensor.payload_bytes + 3, self._axes)

    def packets(self, first: int, count: int) -> list[Packet]:
        return [Packet(count, [(self._data, self._packet(first, count))])]

    def power_on(self) -> None:
        self._next_stream()

    def on_subscription(self, characteristic: GattCharacteristic, subscribed: bool) -> None:
        if characteristic is self._data and not subscribed:
            self.sensor.fall_silent()

    def _packet(self, first: int, count: int, *, resent: bool = False) -> bytes:
        sequence = first - self.sensor.first_since_power_on
        return profile.encode_packet(
            sequence, self.sensor.reel.time_us(first), self._counts(first, count), resent=resent
        )

    def _counts(self, first: int, count: int) -> NDArray[np.int16]:
        signals = self.sensor.reel.signals(first, count)
        step = profile.resolution(self._acc_range_g, self._gyr_range_dps)
        counts = [to_counts(signals.acc_m_s2, step.acc_m_s2), to_counts(signals.gyr_rad_s, step.gyr_rad_s)]
        if self._axes == 9:
            counts.append(np.maximum(to_counts(signals.mag_ut, MAG_RANGE_UT / 32768), profile.NO_MAG_READING + 1))
        return np.hstack(counts)

    def _on_command(self, data: bytes) -> None:
        try:
            match profile.decode_command(data):
                case profile.StartCommand() as start:
                    self._start(start)
                case profile.RangesCommand() as ranges:
                    self._reply(profile.encode_ranges_set(self._set_ranges(ranges)))
                case profile.IdentifyCommand(duration_s):
                    self.identifies_s = duration_s
                    self._reply(profile.encode_reply(profile.Opcode.IDENTIFY, profile.Status.OK))
                case profile.TimeCommand(token):
                    self._reply(profile.encode_time_told(profile.TimeTold(token, self.sensor.clock_us(), held_us=0)))
                case profile.ResendCommand() as asked:
                    self._send_again(asked)
                case None:
                    self.sensor.end(self._ended)
        except profile.CommandError as error:
            self._reply(profile.encode_reply(error.opcode, error.status))

    def _start(self, start: profile.StartCommand) -> None:
        if not self.sensor.listening(self._data):
            raise profile.CommandError(profile.Opcode.START, profile.Status.NOT_SUBSCRIBED)
        if new := not self.sensor.begun:
            room = profile.packet_capacity(self.sensor.payload_bytes + 3, 9) > 0
            self._axes = 9 if start.axes == 9 and self.sensor.playback.mag_ut is not None and room else 6
        elif self.largest_batch == 0:
            raise profile.CommandError(profile.Opcode.START, profile.Status.BUSY)
        started = profile.Started(
            self.sensor.reel.rate_hz,
            self._acc_range_g,
            self._gyr_range_dps,
            self._stream,
            self.sensor.clock_us(),
            MAG_RANGE_UT if self._axes == 9 else None,
        )
        self._reply(profile.encode_started(started))
        self.sensor.begin(start.batch)
        if new:
            self._stream_first = self.sensor.next_sample

    def _set_ranges(self, ranges: profile.RangesCommand) -> profile.RangesSet:
        if self.sensor.begun:
            raise profile.CommandError(profile.Opcode.RANGES, profile.Status.BUSY)
        self._acc_range_g = _least(profile.ACC_RANGES_G, ranges.acc_range_g) or self._acc_range_g
        self._gyr_range_dps = _least(profile.GYR_RANGES_DPS, ranges.gyr_range_dps) or self._gyr_range_dps
        return profile.RangesSet(self._acc_range_g, self._gyr_range_dps)

    def _send_again(self, asked: profile.ResendCommand) -> None:
        if not self.sensor.listening(self._data):
            raise profile.CommandError(profile.Opcode.RESEND, profile.Status.NOT_SUBSCRIBED)
        if not self.largest_batch:
            raise profile.CommandError(profile.Opcode.RESEND, profile.Status.BUSY)
        sent_to = self.sensor.next_sample
        next_sequence = sent_to - self.sensor.first_since_power_on
        kept = min(sent_to - self._stream_first, round(self.fifo_s * self.sensor.reel.rate_hz), 0xFFFF)
        resending = profile.resendable(asked, next_sequence, kept)
        self._reply(profile.encode_resending(resending))
        first = sent_to - ((next_sequence - resending.first) & 0xFFFF)
        for start in range(first, first + resending.samples, self.largest_batch):
            count = min(self.largest_batch, first + resending.samples - start)
            self.sensor.notify(self._data, self._packet(start, count, resent=True))

    def _ended(self) -> None:
        self._next_stream()
        self._reply(profile.encode_reply(profile.Opcode.STOP, profile.Status.OK))

    def _next_stream(self) -> None:
        self._stream = self._stream % 0xFFFF + 1

    def _reply(self, data: bytes) -> None:
        self.sensor.indicate(self._control, data)


def _least(ranges: tuple[int, ...], asked: int) -> int:
    """The least range that holds what was asked, or the largest; 0 for 0."""
    return next((full for full in ranges if full >= asked), ranges[-1]) if asked else 0

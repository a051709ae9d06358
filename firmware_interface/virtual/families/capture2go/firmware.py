"""A Capture2Go, after the maker's communication protocol (github.com/sensorstim/capture2go_sdk, protocol/)."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from functools import partial
from weakref import WeakValueDictionary

from bumble.core import UUID
from bumble.gatt import Service

from ...firmware import Advertised, Firmware, Packet
from ...gatt import GattCharacteristic, notifying, writable
from ...sensor import VirtualSensor
from .bytes import full, package, unpacked
from .memory import COMMANDS, CONFIG_NOT_SET, Memory, Refused

_UUID = "8003000{}-e629-4c98-9324-aa7fc0c66de7"
_RATES_HZ = (200.0, 100.0, 50.0, 25.0, 10.0, 1.0)
_IDLE, _STREAMING, _RECORDING = 1, 2, 3
_CONNECTED = 2
_SENDER, _RECEIVER = 1, 2
_WRONG_STATE, _PACKAGE_ERROR, _UNKNOWN_COMMAND = 0xFB, 0xFC, 0xFD
_ERROR = 0xFFFF
_PACKED = 8
_PAYLOAD_BYTES = {
    0x0120: 30,
    0x0140: 74,
    0x0160: 2,
    0x0170: 8,
    0x0172: 32,
    0x0183: 17,
    0x0503: 73,
    0x0507: 65,
    0x0509: 65,
}
"""Of the commands that have one."""
_FIXED_RATE, _PACKED_RATE, _SYNC, _MUTE_MAG = 9, 10, 18, 29
"""Where the measurement mode says so."""
_MODE_AT_POWER_ON = struct.pack("<q?7BHBQ3?", 0, False, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, False, False, False)
"""Eight samples a package at 100 Hz, a status each second."""

_SENDERS: WeakValueDictionary[int, Capture2GoFirmware] = WeakValueDictionary()
"""The sensors' own radio: who sends its clock, by the id that its receivers listen for."""


class Capture2GoFirmware(Firmware):
    """Streams and records full packages, of eight samples or of one. Its fusion is the tilt of the first sample.

    It goes on streaming when the link is lost, as the maker's program expects, and says so when asked. What it took
    meanwhile it drops: how much its buffer holds is not published.
    """

    family = "capture2go"
    has_battery_service = False

    def __init__(self, sensor: VirtualSensor) -> None:
        super().__init__(sensor)
        self._notify = notifying(_UUID.format(3))
        self._command = writable(_UUID.format(2), self._on_command, write_without_response=True)
        self.memory = Memory(self._tell)
        self._obeyed: dict[int, Callable[[bytes], None]] = {
            0x0070: self._tell_info,
            0x0120: self._set_mode,
            0x0121: lambda _: self._tell(0x0122, self._mode),
            0x0140: self._set_recording,
            0x0150: self._start_streaming,
            0x0152: self._stop_streaming,
            0x0154: self._start_recording,
            0x0156: self._stop_recording,
            0x0158: self._stop_at_once,
            0x0160: self._set_real_time,
            0x0163: self._stop_real_time,
            0x0170: self._set_time,
            0x0172: self._tell_clock,
            0x0183: self._light,
            0x0200: lambda _: self._tell(0x0201, self._status()),
        } | {header: partial(self.memory.obey, header) for header in COMMANDS}

    def advertised(self) -> Advertised:
        return Advertised(self.sensor.name, (_UUID.format(1),))

    def services(self) -> list[Service]:
        return [Service(UUID(_UUID.format(1)), [self._command, self._notify])]

    def power_on(self) -> None:
        self._state, self._mode = _IDLE, _MODE_AT_POWER_ON
        self._clock_offset_ns, self._real_time = 0, 0
        self._recording: bytes | None = None
        self._recorded_from = 0

    def on_subscription(self, characteristic: GattCharacteristic, subscribed: bool) -> None:
        """It tells its status by itself as soon as somebody listens."""
        if subscribed:
            self._tell(0x0201, self._status())
            if self._state == _STREAMING:
                self.sensor.begin(self._in_a_package)
        else:
            self.sensor.fall_silent()

    def on_disconnection(self) -> None:
        self.memory.fall_silent()

    # Samples

    @property
    def largest_batch(self) -> int:
        """Whole packages, however fast the world goes."""
        return self._in_a_package * max(1, int(self.sensor.reel.speed))

    def packets(self, first: int, count: int) -> list[Packet]:
        """A package that is never filled is never sent, and what is recorded is not sent either."""
        if self._state == _RECORDING:
            return [Packet(count, [])]
        whole, left = divmod(count, size := self._in_a_package)
        packages = [Packet(size, self._notifications(first + number * size)) for number in range(whole)]
        return packages + ([Packet(left, [])] if left else [])

    @property
    def _in_a_package(self) -> int:
        return 1 if self._mode[_FIXED_RATE] else _PACKED

    @property
    def _rate_code(self) -> int:
        return self._mode[_FIXED_RATE] or self._mode[_PACKED_RATE]

    def _measurement(self, first: int) -> bytes:
        mute_mag = bool(self._mode[_MUTE_MAG])
        group = (0x0240 if self._mode[_FIXED_RATE] else 0x0220) + (0x10 if mute_mag else 0)
        return package(group + self._rate_code, self._full(first, self._in_a_package, mute_mag=mute_mag))

    def _full(self, first: int, count: int, *, mute_mag: bool = False) -> bytes:
        reel = self.sensor.reel
        return full(reel.time_us(first) * 1000 + self._offset_ns(), reel.signals(first, count), mute_mag=mute_mag)

    def _notifications(self, first: int) -> list[tuple[GattCharacteristic, bytes]]:
        """The newest sample in the real-time channel, if wanted and there is room; then the buffer's bytes."""
        room, content, newest = self.sensor.payload_bytes, self._measurement(first), b""
        if self._real_time:
            sample = self._full(first + self._in_a_package - 1, 1)
            newest = package(0x0247, sample) if self._real_time == 2 else package(0x0287, sample[:8] + sample[-11:])
        ahead = bytes([0xFE]) + newest if newest and len(newest) < room else b"\xff"
        begin = room - len(ahead)
        later = [b"\xff" + content[at : at + room - 1] for at in range(begin, len(content), room - 1)]
        return [(self._notify, data) for data in (ahead + content[:begin], *later)]

    # Clock

    def _clock_ns(self) -> int:
        return self.sensor.clock_us() * 1000 + self._offset_ns()

    def _offset_ns(self) -> int:
        """A receiver that hears its sender has the sender's clock."""
        role, sync_id = struct.unpack_from("<BQ", self._mode, _SYNC)
        sender = _SENDERS.get(sync_id) if role == _RECEIVER else None
        return self._clock_offset_ns if sender is None else sender._clock_ns() - self.sensor.clock_us() * 1000

    def _set_time(self, content: bytes) -> None:
        self._clock_offset_ns = int.from_bytes(content, "little", signed=True) - self.sensor.clock_us() * 1000
        self._tell(0x0171, content)

    def _tell_clock(self, content: bytes) -> None:
        self._tell(0x0172, content[:8] + struct.pack("<3q", self._clock_ns(), self._clock_ns(), 0))

    # Commands

    def _on_command(self, data: bytes) -> None:
        header = _ERROR
        try:
            if (command := unpacked(data)) is None:
                raise Refused(_PACKAGE_ERROR)
            header, content = command
            if header not in self._obeyed:
                raise Refused(_UNKNOWN_COMMAND)
            if len(content) != _PAYLOAD_BYTES.get(header, 0):
                raise Refused(_PACKAGE_ERROR)
            self._obeyed[header](content)
        except Refused as refused:
            self._tell(_ERROR, struct.pack("<BH", refused.problem, header))

    def _tell(self, header: int, content: bytes = b"") -> None:
        said, room = package(header, content), self.sensor.payload_bytes - 1
        for at in range(0, len(said), room):
            self.sensor.notify(self._notify, b"\xff" + said[at : at + room])

    def _require(self, state: int) -> None:
        if self._state != state:
            raise Refused(_WRONG_STATE)

    def _tell_info(self, _: bytes) -> None:
        serial = self.sensor.address.replace(":", "")[-6:].lower().encode()
        self._tell(0x0071, struct.pack("<H6s8s8s12s11s", 1, serial, b"C", b"1", b"1.0.0", b"2025-10-15"))

    def _status(self) -> bytes:
        role, sync_id = struct.unpack_from("<BQ", self._mode, _SYNC)
        synchronised = role == _SENDER or (role == _RECEIVER and sync_id in _SENDERS)
        battery = self.sensor.battery_percent
        return struct.pack("<q2B3h?2B", self._clock_ns(), self._state, _CONNECTED, 0, 0, 0, synchronised, battery, 100)

    def _set_mode(self, content: bytes) -> None:
        self._require(_IDLE)
        self._mode = content
        role, sync_id = struct.unpack_from("<BQ", content, _SYNC)
        if role == _SENDER:
            _SENDERS[sync_id] = self
        if 0 < self._rate_code <= len(_RATES_HZ):
            self.sensor.set_rate(_RATES_HZ[self._rate_code - 1])
        self._tell(0x0122, content)

    def _start_streaming(self, _: bytes) -> None:
        self._require(_IDLE)
        self._state = _STREAMING
        self._tell(0x0151)
        self.sensor.begin(self._in_a_package)

    def _stop_streaming(self, _: bytes) -> None:
        self._require(_STREAMING)
        self.sensor.end(self._streaming_ended)

    def _streaming_ended(self) -> None:
        self._state = _IDLE
        self._tell(0x0153)

    def _stop_at_once(self, _: bytes) -> None:
        """Clearing the buffer cuts a package in two, and its begin is still sent (protocol, 0x0158)."""
        cleared = package(0x0159)
        if self._state == _STREAMING:
            cleared = self._measurement(0)[:33] + cleared
        self._state = _IDLE
        self.sensor.fall_silent()
        for at in range(0, len(cleared), 19):
            self.sensor.notify(self._notify, b"\xff" + cleared[at : at + 19])

    def _set_real_time(self, content: bytes) -> None:
        self._real_time = content[0]
        self._tell(0x0162, content)

    def _stop_real_time(self, _: bytes) -> None:
        self._real_time = 0
        self._tell(0x0164)

    def _light(self, content: bytes) -> None:
        """It answers when its lamp is really lit."""
        start, end, relative = struct.unpack("<2q?", content)
        start = start or self._clock_ns()
        self._tell(0x0185, struct.pack("<2q?", start, start + end if relative else end, False))

    # Recording

    def _set_recording(self, content: bytes) -> None:
        self._recording = self.memory.free(content[9:])
        self._tell(0x0142, content)

    def _start_recording(self, _: bytes) -> None:
        self._require(_IDLE)
        if self._recording is None:
            raise Refused(CONFIG_NOT_SET)
        self._state, self._recorded_from = _RECORDING, self._taken()
        self.sensor.begin(self._in_a_package)
        self._tell(0x0155)

    def _stop_recording(self, _: bytes) -> None:
        self._require(_RECORDING)
        assert self._recording is not None
        whole = range(self._recorded_from, self._taken() - self._in_a_package + 1, self._in_a_package)
        self.memory.files[self._recording] = b"".join(self._measurement(first) for first in whole)
        self._state, self._recording = _IDLE, None
        self.sensor.fall_silent()
        self._tell(0x0157)

    def _taken(self) -> int:
        opened_at = self.sensor.first_sample_at
        return 0 if opened_at is None else self.sensor.reel.taken(asyncio.get_running_loop().time(), opened_at)

"""A Movesense sensor with the maker's DataLogger app, and one with its older sample firmware."""

from __future__ import annotations

import asyncio
import re
import struct
from collections.abc import Callable

import numpy as np
from bumble.core import UUID
from bumble.gatt import Service

from ....drivers.movesense.decoder import resolution
from ....drivers.movesense.payloads import STREAMS
from ....drivers.movesense.protocol import (
    COMMAND_UUID,
    DATA_UUID,
    FIRST_HALF_BYTES,
    RESTART_MODE,
    SERVICE_UUID,
    Command,
    Kind,
)
from ...firmware import Advertised, Firmware, Packet
from ...gatt import notifying, writable
from ...playback import to_counts
from ...sensor import VirtualSensor
from .logbook import Logbook, Status

RATES_HZ = (13, 26, 52, 104, 208, 416, 833, 1666)
MOST_SUBSCRIPTIONS = 4
ACC_RANGE_G, GYR_RANGE_DPS = 8, 2000
"""As the captures' steps show."""
_OTHER_STREAMS = ("/meas/hr", "/meas/temp")
_TICK_RATE_HZ, _ACCURACY = 1024, 20


class MovesenseFirmware(Firmware):
    """One motion stream at a time, for a reel turns at one rate. Heart rate and temperature come when they are told."""

    family = "movesense"
    has_battery_service = False

    def __init__(self, sensor: VirtualSensor) -> None:
        super().__init__(sensor)
        self._data = notifying(DATA_UUID)
        self._commands = writable(COMMAND_UUID, self._on_command)
        self._paths: dict[int, str] = {}
        self._stream, self._reference = "IMU6", 0
        self._unix_offset_us = 0
        self._restarting: asyncio.Task[None] | None = None
        self.logbook = Logbook(self)
        self._handlers: dict[int, Callable[[int, bytes], None]] = {
            Command.HELLO: self._greet,
            Command.SUBSCRIBE: self._subscribe,
            Command.UNSUBSCRIBE: self._unsubscribe,
            Command.FETCH_LOG: self.logbook.fetch,
            Command.GET: self._get,
            Command.CLEAR_LOGBOOK: self.logbook.clear,
            Command.PUT_DATALOGGER_CONFIG: self.logbook.configure,
            Command.PUT_SYSTEMMODE: self._set_mode,
            Command.PUT_UTCTIME: self._set_clock,
            Command.PUT_DATALOGGER_STATE: self.logbook.set_state,
        }

    def advertised(self) -> Advertised:
        return Advertised(self.sensor.name, ("FDF3",))

    def services(self) -> list[Service]:
        return [Service(UUID(SERVICE_UUID), [self._commands, self._data])]

    @property
    def largest_batch(self) -> int:
        """Packets come 13 times a second, until they hold eight samples."""
        return min(8, max(1, round(self.sensor.reel.rate_hz / 13)))

    def packets(self, first: int, count: int) -> list[Packet]:
        payload = self.payload(self._stream, first, count)
        halves = [payload[:FIRST_HALF_BYTES], payload[FIRST_HALF_BYTES:]]
        kinds = (Kind.DATA, Kind.DATA_PART2)
        sent = [bytes([kind, self._reference]) + half for kind, half in zip(kinds, halves, strict=True) if half]
        return [Packet(count, [(self._data, data) for data in sent])]

    def payload(self, stream: str, first: int, count: int) -> bytes:
        """Samples as this stream sends them: the first one's time, then sensor by sensor."""
        signals, step = self.sensor.reel.signals(first, count), resolution(ACC_RANGE_G, GYR_RANGE_DPS)
        measured = {
            "a": to_counts(signals.acc_m_s2, step.acc_m_s2) * step.acc_m_s2,
            "g": np.degrees(to_counts(signals.gyr_rad_s, step.gyr_rad_s) * step.gyr_rad_s),
            "m": signals.mag_ut,
        }
        time_ms = self.sensor.reel.time_us(first) // 1000 % 2**32
        values = np.concatenate([measured[sensor] for sensor in STREAMS[stream]])
        return struct.pack("<I", time_ms) + values.astype("<f4").tobytes()

    def power_on(self) -> None:
        self._paths.clear()
        self.logbook.stop()

    def on_disconnection(self) -> None:
        self._paths.clear()

    def tell(self, path: str, payload: bytes) -> None:
        """Send something other than motion to who has subscribed to it."""
        for reference, subscribed in self._paths.items():
            if subscribed == path.lower():
                self.sensor.notify(self._data, bytes([Kind.DATA, reference]) + payload)

    def send(self, kind: Kind, reference: int, content: bytes) -> None:
        """Send a notification that is no measurement."""
        self.sensor.notify(self._data, bytes([kind, reference]) + content)

    def answer(self, reference: int, status: int, content: bytes = b"") -> None:
        """Answer a command; what one notification cannot hold is cut off."""
        self.send(Kind.RESULT, reference, (struct.pack("<H", status) + content)[: self.sensor.payload_bytes - 2])

    def _on_command(self, data: bytes) -> None:
        if len(data) >= 2 and data[0] in self._handlers:  # others are not answered at all
            self._handlers[data[0]](data[1], data[2:])

    def _greet(self, reference: int, _content: bytes) -> None:
        serial = self.sensor.address.replace(":", "")
        texts = (serial, "Virtual Movesense", self.sensor.address, "Sinew virtual", "1.0.0")
        self.send(Kind.RESULT, reference, b"\x01" + b"".join(text.encode() + b"\0" for text in texts))

    def _subscribe(self, reference: int, content: bytes) -> None:
        path = _path(content)
        status = self._subscription(reference, path)
        self.answer(reference, status)
        if status is Status.OK and path not in _OTHER_STREAMS:
            self.sensor.begin(self.largest_batch)

    def _subscription(self, reference: int, path: str) -> Status:
        motion = re.fullmatch(r"/meas/(\w+)/(\d+)", path)
        streams = {stream.lower(): stream for stream in STREAMS}
        known = motion is not None and motion[1] in streams and int(motion[2]) in RATES_HZ
        if not known and path not in _OTHER_STREAMS:
            return Status.NOT_FOUND
        if len(self._paths) >= MOST_SUBSCRIPTIONS:
            return Status.NO_ROOM
        if motion is not None:
            rate_hz = float(motion[2])
            streaming = not set(self._paths.values()) <= set(_OTHER_STREAMS)
            if streaming or (self.logbook.recording and rate_hz != self.sensor.reel.rate_hz):
                return Status.UNAVAILABLE
            self._stream, self._reference = streams[motion[1]], reference
            self.sensor.set_rate(rate_hz)
        self._paths[reference] = path
        return Status.OK

    def _unsubscribe(self, reference: int, _content: bytes) -> None:
        known = self._paths.pop(reference, None)
        if known is not None and known not in _OTHER_STREAMS:
            self.sensor.fall_silent()
        self.answer(reference, Status.NOT_FOUND if known is None else Status.OK)

    def _get(self, reference: int, content: bytes) -> None:
        path, clock_us = _path(content), self.sensor.clock_us()
        resources = {
            "/system/energy/level": bytes([self.sensor.battery_percent]),
            "/meas/acc/config": bytes([ACC_RANGE_G]),
            "/meas/gyro/config": struct.pack("<H", GYR_RANGE_DPS),
            "/time/detailed": struct.pack(
                "<QIII", self._unix_offset_us + clock_us, clock_us // 1000 % 2**32, _TICK_RATE_HZ, _ACCURACY
            ),
            "/mem/datalogger/state": bytes([self.logbook.state]),
            "/mem/logbook/entries": self.logbook.entries(),
        }
        self.answer(reference, Status.OK if path in resources else Status.NOT_FOUND, resources.get(path, b""))

    def _set_clock(self, reference: int, content: bytes) -> None:
        if len(content) != 8:
            self.answer(reference, Status.BAD_REQUEST)
            return
        self._unix_offset_us = struct.unpack("<q", content)[0] - self.sensor.clock_us()
        self.answer(reference, Status.OK)

    def _set_mode(self, reference: int, content: bytes) -> None:
        if content != bytes([RESTART_MODE]):
            self.answer(reference, Status.BAD_REQUEST)
            return
        self.answer(reference, Status.ACCEPTED)
        self._restarting = asyncio.get_running_loop().create_task(self.sensor.reboot())


class MovesenseSampleFirmware(MovesenseFirmware):
    """The maker's gatt_sensordata_app: it greets, and answers a subscription only where it has no room."""

    def __init__(self, sensor: VirtualSensor) -> None:
        super().__init__(sensor)
        self._handlers = {
            Command.HELLO: self._greet,
            Command.SUBSCRIBE: self._subscribe,
            Command.UNSUBSCRIBE: self._unsubscribe,
        }

    def answer(self, reference: int, status: int, content: bytes = b"") -> None:
        if status == Status.NO_ROOM:
            self.send(Kind.RESULT, reference, struct.pack(">H", status))

    def _greet(self, reference: int, _content: bytes) -> None:
        self.send(Kind.RESULT, reference, b"Hello")


def _path(content: bytes) -> str:
    return content.rstrip(b"\0").decode("ascii", "replace").lower()

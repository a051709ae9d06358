"""A Movella DOT. Sections (§) are those of the specification that `drivers.movella_dot.gatt` names."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable

from bumble import att
from bumble.core import UUID
from bumble.gatt import Service

from ....drivers.movella_dot import gatt
from ....drivers.movella_dot.configuration import ConfigId
from ....drivers.movella_dot.device import (
    RATES_HZ,
    RECORDING_RATE_HZ,
    DeviceControl,
    FilterProfile,
    Heading,
    Power,
    ReportKind,
    Visit,
    decode_device_control,
    decode_measurement,
    encode_device_control,
    encode_measurement,
)
from ....drivers.movella_dot.message import Topic, decode_message, encode_message
from ....drivers.movella_dot.payload import PayloadMode, payload_characteristic, payload_type
from ....drivers.movella_dot.synchronisation import SyncId, SyncResult, SyncStatus
from ....errors import DecodeError
from ...firmware import Advertised, Firmware, Packet
from ...gatt import notifying, readable, writable
from ...sensor import VirtualSensor
from .flash import Flash
from .measured import Measured

_NAME = "Movella DOT"
_COMPANY = 2182
_FACTORY = DeviceControl(_NAME, 60, FilterProfile.GENERAL, advertising_timeout_s=600, connection_timeout_s=1800)
_VERSION, _BUILT, _PRODUCT = (3, 0, 0), (2023, 6, 30, 12, 0, 0), b"XS-T02"


class MovellaDotFirmware(Firmware):
    """It streams each sample when it is taken, in any documented mode.

    identified: how often its light was made to blink. charging: whether it lies in its charger.
    sync_period_s: how long it must be left alone to be synchronised. Then its clock is the world's, without drift, so
    that all synchronised sensors of a simulation agree.
    """

    family = "movella_dot"
    has_battery_service = False
    sync_period_s = 12.0

    def __init__(self, sensor: VirtualSensor) -> None:
        super().__init__(sensor)
        self.charging = False
        self.identified = 0
        self.notification = notifying(gatt.MESSAGE_NOTIFICATION)
        self.flash = Flash(self)
        self._payloads = {uuid: notifying(uuid) for uuid in gatt.PAYLOAD_BYTES}
        self._report = notifying(gatt.DEVICE_REPORT)
        self._control = _FACTORY
        self._mode: int = PayloadMode.CUSTOM_5
        self._measuring = False
        self._heading, self._heading_worked = Heading.DEFAULT, False
        self._acknowledgement = b""
        self._synced = False
        self._sync_result: SyncResult | None = None
        self._alone_since: float | None = None
        self._leaving: asyncio.Task[None] | None = None

    def advertised(self) -> Advertised:
        """What follows the company identifier is not told; nothing here."""
        return Advertised(_NAME, manufacturer={_COMPANY: b""})

    def services(self) -> list[Service]:
        battery = readable(gatt.BATTERY, lambda: bytes([self.sensor.battery_percent, self.charging]), notify=True)
        control = writable(gatt.DEVICE_CONTROL, self._on_control, read=lambda: self._encoded(self._control))
        measurement = writable(gatt.MEASUREMENT_CONTROL, self._on_measurement, read=self._measurement)
        heading = writable(gatt.HEADING_CONTROL, self._on_heading, read=lambda: self._heading.to_bytes(2, "little"))
        heading_result = readable(gatt.HEADING_RESULT, lambda: bytes([self._heading_worked]))
        acknowledgement = readable(gatt.MESSAGE_ACKNOWLEDGEMENT, self._read_acknowledgement)
        messages = [writable(gatt.MESSAGE_CONTROL, self._on_message), acknowledgement, self.notification]
        return [
            Service(UUID(gatt.CONFIGURATION_SERVICE), [readable(gatt.DEVICE_INFO, self._info), control, self._report]),
            Service(UUID(gatt.MEASUREMENT_SERVICE), [measurement, *self._payloads.values(), heading, heading_result]),
            Service(UUID(gatt.BATTERY_SERVICE), [battery]),
            Service(UUID(gatt.MESSAGE_SERVICE), messages),
        ]

    def packets(self, first: int, count: int) -> list[Packet]:
        if not self._measuring:
            return self.flash.packets(first, count)
        layout, uuid = payload_type(self._mode), payload_characteristic(self._mode)
        times_us = self.sensor.reel.times_us(first, count) + (self.time_us(first) - self.sensor.reel.time_us(first))
        records = Measured(self.sensor.reel, first, count).records(layout, times_us)
        filled = gatt.PAYLOAD_BYTES[uuid]
        return [Packet(1, [(self._payloads[uuid], record.tobytes().ljust(filled, b"\0"))]) for record in records]

    def power_on(self) -> None:
        """Recordings and settings stay; heading and synchronisation do not."""
        self.flash.close()
        self.on_disconnection()
        self._heading, self._synced, self._sync_result = Heading.DEFAULT, False, None

    def on_disconnection(self) -> None:
        self._measuring = False
        self.flash.forget_export()
        if self._sync_result is SyncResult.UNSTARTED:
            self._alone_since = asyncio.get_running_loop().time()

    def click(self, times: int) -> None:
        """Press its button one, two or three times."""
        kind = ReportKind.SINGLE_CLICK + times - 1
        time_ms = self.sensor.clock_us() // 1000 & 0xFFFFFFFF
        self.sensor.notify(self._report, struct.pack("<BBI30x", kind, 4, time_ms))

    # What its parts call

    def prepare(self) -> None:
        """Measure at the rate that is set."""
        self.sensor.set_rate(float(self._control.rate_hz))

    def time_us(self, sample: int) -> int:
        """The sensor's clock at a sample."""
        first = self.sensor.first_sample_at
        if not self._synced or first is None:
            return self.sensor.reel.time_us(sample)
        return round(self.sensor.reel.due(sample, first) * self.sensor.reel.speed * 1e6)

    def tell(self, message: bytes) -> None:
        """Notify a message."""
        self.sensor.notify(self.notification, message)

    # Configuration and measurement

    def _info(self) -> bytes:
        address = bytes.fromhex(self.sensor.address.replace(":", ""))
        return struct.pack("<6s3BH5BIQ", address[::-1], *_VERSION, *_BUILT, 0, int.from_bytes(address)) + _PRODUCT

    def _encoded(self, control: DeviceControl) -> bytes:
        return encode_device_control(0, **control._asdict())

    def _on_control(self, data: bytes) -> None:
        try:
            asked = decode_device_control(data)
        except DecodeError as error:
            raise att.ATT_Error(att.ErrorCode.INVALID_ATTRIBUTE_LENGTH) from error
        visit = Visit(data[0] & 0x3F)
        free = not self._measuring and not self._synced and not self.flash.recording
        if Visit.RATE in visit and free and asked.rate_hz in RATES_HZ:
            self._control = self._control._replace(rate_hz=asked.rate_hz)
        if Visit.FILTER in visit and free and asked.filter_profile in tuple(FilterProfile):
            self._control = self._control._replace(filter_profile=asked.filter_profile)
        self.identified += Visit.IDENTIFY in visit and data[1] == 1
        if Visit.TAG in visit:
            self._control = self._control._replace(tag=asked.tag)
        if Visit.POWER_SAVING in visit:
            self._control = self._control._replace(
                advertising_timeout_s=asked.advertising_timeout_s, connection_timeout_s=asked.connection_timeout_s
            )
        if Visit.POWER in visit and asked.power & Power.OFF:
            self.sensor.notify(self._report, bytes([ReportKind.POWER_OFF]).ljust(36, b"\0"))
            self._leaving = asyncio.get_running_loop().create_task(self.sensor.disconnect())
        elif Visit.POWER in visit:
            self._control = self._control._replace(power=asked.power)

    def _measurement(self) -> bytes:
        return encode_measurement(self._measuring, self._mode)

    def _on_measurement(self, data: bytes) -> None:
        try:
            asked = decode_measurement(data)
            payload_type(asked.mode)
        except DecodeError as error:
            raise att.ATT_Error(att.ErrorCode.VALUE_NOT_ALLOWED) from error
        if not asked.running:
            if self._measuring:
                self.sensor.end(self._stopped)
        elif self._control.rate_hz != RECORDING_RATE_HZ and not self.flash.recording:
            if not self._measuring:
                self.prepare()
            self._mode, self._measuring = asked.mode, True
            self.sensor.begin(1)

    def _stopped(self) -> None:
        self._measuring = False

    def _on_heading(self, data: bytes) -> None:
        """§3.6: while it measures; after a reset, revert before the next."""
        asked = int.from_bytes(data, "little")
        if asked == Heading.REVERT:
            self._heading = Heading.DEFAULT
        elif asked == Heading.RESET:
            self._heading_worked = self._measuring and self._heading is Heading.DEFAULT
            self._heading = Heading.RESET if self._heading_worked else self._heading

    # Messages

    def _on_message(self, data: bytes) -> None:
        """One that is damaged is not processed (§5.1)."""
        self._settle_sync()
        try:
            message = decode_message(data)
        except DecodeError:
            return
        handlers: dict[int, Callable[[bytes], bytes]] = {
            Topic.RECORDING: self.flash.on_command,
            Topic.SYNCHRONISATION: self._on_sync,
            Topic.CONFIGURATION: self._on_configuration,
        }
        if message.topic in handlers and message.data:
            self._acknowledgement = handlers[message.topic](message.data)

    def _read_acknowledgement(self) -> bytes:
        self._settle_sync()
        return self._acknowledgement

    def _settle_sync(self) -> None:
        """The gateway was gone and is back: how did the synchronisation go meanwhile?"""
        if self._alone_since is not None:
            alone_s = asyncio.get_running_loop().time() - self._alone_since
            self._synced = alone_s >= self.sync_period_s
            self._sync_result = SyncResult.SUCCESS if self._synced else SyncResult.NOT_ENOUGH_SAMPLES
            self._alone_since = None
            self._acknowledgement = self._sync_acknowledgement(self._sync_result)

    def _on_sync(self, data: bytes) -> bytes:
        if data[0] == SyncId.START and len(data) == 7:
            self._sync_result = SyncResult.UNSTARTED
            return self._sync_acknowledgement(self._sync_result)
        told = None
        if data[0] == SyncId.STOP:
            told = bytes([SyncId.STOP_RESULT, not self._synced])
            self._synced, self._sync_result = False, None
        elif data[0] == SyncId.GET_STATUS:
            told = bytes([SyncId.STATUS, SyncStatus.SYNCED if self._synced else SyncStatus.UNSYNCED])
        if told is not None:
            self.tell(encode_message(Topic.SYNCHRONISATION, told))
        return self._acknowledgement

    def _sync_acknowledgement(self, result: SyncResult) -> bytes:
        return encode_message(Topic.SYNCHRONISATION, bytes([SyncId.ACKNOWLEDGEMENT, result]))

    def _on_configuration(self, data: bytes) -> bytes:
        address = bytes.fromhex(self.sensor.address.replace(":", ""))
        match data[0]:
            case ConfigId.ADDRESS:
                answer = address
            case ConfigId.TAG:
                answer = self._control.tag.encode()
            case ConfigId.SERIAL:
                answer = address[::-1] + bytes(2)
            case ConfigId.FACTORY_SETTINGS:
                self._control, self._synced, self._sync_result = _FACTORY, False, None
                answer = bytes(8)
            case ConfigId.FILTER_PROFILES:
                answer = bytes([data[0], len(FilterProfile), *FilterProfile])
            case ConfigId.FILTER_PROFILE_NAME:
                known = {profile.value: profile.name.capitalize() for profile in FilterProfile}
                answer = data[:1] + known.get(data[1] if len(data) > 1 else 0xFF, "reserved").encode()
            case _:
                return self._acknowledgement
        return encode_message(Topic.CONFIGURATION, answer)

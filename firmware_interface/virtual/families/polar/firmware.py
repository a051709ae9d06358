"""Polar's sensors that stream movement.

They stream movement only; their heart's measurements they name among their features and then do not support. Where
Polar publishes nothing, they do the simplest thing: a further stream is taken up with the frame that is being filled,
a frame that is not full is sent when the last stream is stopped, and to stop what does not stream is refused.
"""

from __future__ import annotations

from typing import ClassVar

from bumble.core import UUID
from bumble.gatt import Service

from ....drivers.polar import control
from ....drivers.polar.control import Measurement, Operation, Settings, Status
from ....errors import DecodeError
from ...firmware import Advertised, Firmware, Identity, Packet
from ...gatt import GattCharacteristic, notifying, writable
from ...sensor import VirtualSensor
from .frames import DEVICE_MTU, compressed_capacity, raw_capacity
from .stream import Stream

_ERRORS = {
    "sample_rate": Status.INVALID_SAMPLE_RATE,
    "resolution": Status.INVALID_RESOLUTION,
    "range": Status.INVALID_RANGE,
    "channels": Status.INVALID_NUMBER_OF_CHANNELS,
}


class PolarFirmware(Firmware):
    """offers: what can be streamed, and with which settings; sdk_offers: the same in SDK mode, where there is one."""

    model: ClassVar[str]
    version: ClassVar[str]
    offers: ClassVar[dict[Measurement, Settings]]
    sdk_offers: ClassVar[dict[Measurement, Settings]] = {}
    compresses: ClassVar[bool]
    other_features: ClassVar[tuple[Measurement, ...]] = ()

    def __init__(self, sensor: VirtualSensor) -> None:
        super().__init__(sensor)
        self._data = notifying(control.DATA_UUID)
        self._control = writable(control.CONTROL_UUID, self._on_command, read=self._features, indicate=True)
        self._running: dict[Measurement, Stream] = {}
        self._sdk_mode = False

    def advertised(self) -> Advertised:
        return Advertised(f"Polar {self.model} {self._id}")

    def services(self) -> list[Service]:
        return [Service(UUID(control.SERVICE_UUID), [self._control, self._data])]

    def identity(self) -> Identity:
        return Identity("Polar Electro Oy", self.model, self._id, self.version)

    def power_on(self) -> None:
        self._running = {}
        self._sdk_mode = False

    def on_subscription(self, characteristic: GattCharacteristic, subscribed: bool) -> None:
        """Streams outlive a lost link, so they go on; the device does not switch itself off while any is on."""
        if characteristic is self._data and subscribed and self._running:
            self.sensor.begin(self._capacity())

    def packets(self, first: int, count: int) -> list[Packet]:
        size = self._capacity()
        packets = []
        for begin in range(first, first + count, size):
            samples = min(size, first + count - begin)
            frames = [stream.frames(self.sensor.reel, begin, samples, size) for stream in self._running.values()]
            packets.append(Packet(samples, [(self._data, frame) for some in frames for frame in some]))
        return packets

    @property
    def _id(self) -> str:
        return self.sensor.address.replace(":", "")[-8:]

    def _capacity(self) -> int:
        """Samples to a frame."""
        payload_bytes = min(self.sensor.payload_bytes, DEVICE_MTU - 3)
        return compressed_capacity(payload_bytes) if self.compresses else raw_capacity(payload_bytes)

    def _features(self) -> bytes:
        known = (*self.offers, *self.other_features, *([Measurement.SDK_MODE] if self.sdk_offers else []))
        bits = sum(1 << measurement for measurement in known)
        return bytes([control.FEATURES]) + bits.to_bytes(16, "little")

    # What it is told

    def _on_command(self, data: bytes) -> None:
        carry_out = {
            Operation.GET_SETTINGS: self._tell_settings,
            Operation.GET_SDK_MODE_SETTINGS: self._tell_settings,
            Operation.START: self._start,
            Operation.STOP: self._stop,
            Operation.GET_SDK_MODE: self._tell_sdk_mode,
        }.get(data[0] if data else 0)  # type: ignore[call-overload]
        try:
            if carry_out is None:
                raise _RefusedError(Status.INVALID_OP_CODE)
            carry_out(data)
        except _RefusedError as refusal:
            self._reply(data, refusal.status)

    def _tell_settings(self, command: bytes) -> None:
        measurement = self._measurement(command, bare=True)
        in_sdk_mode = self._sdk_mode or command[0] == Operation.GET_SDK_MODE_SETTINGS
        offers = self.sdk_offers if in_sdk_mode else self.offers
        if measurement not in offers:
            raise _RefusedError(Status.NOT_SUPPORTED)
        self._reply(command, parameters=control.encode_settings(offers[measurement]))

    def _tell_sdk_mode(self, command: bytes) -> None:
        self._reply(command, parameters=bytes([self._sdk_mode]))

    def _start(self, command: bytes) -> None:
        measurement = self._measurement(command)
        if measurement is Measurement.SDK_MODE:
            self._switch_sdk_mode(command, on=True)
            return
        if measurement in self._running:
            raise _RefusedError(Status.ALREADY_IN_STATE)
        if self.sensor.payload_bytes < control.LEAST_MTU - 3:
            raise _RefusedError(Status.INVALID_MTU)
        stream = self._chosen(measurement, command[2:])
        if not self._running:
            self.sensor.set_rate(stream.rate_hz)
        self._running[measurement] = stream
        # Captured answers to a start of the accelerometer hold none: its frames of type 1 count in mg as they are.
        told = Settings(factor=None if measurement is Measurement.ACC else stream.factor)
        self._reply(command, parameters=control.encode_settings(told))
        self.sensor.begin(self._capacity())

    def _stop(self, command: bytes) -> None:
        measurement = self._measurement(command, bare=True)
        if measurement is Measurement.SDK_MODE:
            self._switch_sdk_mode(command, on=False)
        elif measurement not in self._running:
            raise _RefusedError(Status.ALREADY_IN_STATE)
        elif len(self._running) == 1:
            self.sensor.end(lambda: self._stopped(measurement, command))
        else:
            self._stopped(measurement, command)

    def _stopped(self, measurement: Measurement, command: bytes) -> None:
        self._running.pop(measurement, None)
        self._reply(command)

    def _switch_sdk_mode(self, command: bytes, *, on: bool) -> None:
        if self._running:
            raise _RefusedError(Status.INVALID_STATE)
        if self._sdk_mode is on:
            raise _RefusedError(Status.ALREADY_IN_STATE)
        self._sdk_mode = on
        self._reply(command)

    def _measurement(self, command: bytes, *, bare: bool = False) -> Measurement:
        """What a command is about; bare: it must name nothing more."""
        if len(command) < 2 or (bare and len(command) > 2):
            raise _RefusedError(Status.INVALID_LENGTH)
        try:
            measurement = Measurement(command[1])
        except ValueError:
            raise _RefusedError(Status.INVALID_MEASUREMENT_TYPE) from None
        if measurement not in self.offers and not (measurement is Measurement.SDK_MODE and self.sdk_offers):
            raise _RefusedError(Status.NOT_SUPPORTED)
        return measurement

    def _chosen(self, measurement: Measurement, parameters: bytes) -> Stream:
        offered = (self.sdk_offers if self._sdk_mode else self.offers)[measurement]
        try:
            chosen = control.decode_settings(parameters)
        except DecodeError:
            raise _RefusedError(Status.INVALID_LENGTH) from None
        for name, error in _ERRORS.items():
            values = getattr(chosen, name)
            if len(values) != bool(getattr(offered, name)):
                raise _RefusedError(Status.INVALID_PARAMETER)
            if not set(values) <= set(getattr(offered, name)):
                raise _RefusedError(error)
        return Stream(measurement, chosen.sample_rate[0], chosen.range[0], self.compresses)

    def _reply(self, command: bytes, status: Status = Status.SUCCESS, *, parameters: bytes = b"") -> None:
        head = bytes([control.RESPONSE]) + command[:2].ljust(2, b"\0") + bytes([status])
        self.sensor.indicate(self._control, head + (b"\0" + parameters if status is Status.SUCCESS else b""))


class _RefusedError(Exception):
    """A command is answered with an error."""

    def __init__(self, status: Status) -> None:
        super().__init__(status)
        self.status = status


def _offer(rates: tuple[int, ...], ranges: tuple[int, ...], channels: tuple[int, ...] = (3,)) -> Settings:
    return Settings(sample_rate=rates, resolution=(16,), range=ranges, channels=channels)


class VerityFirmware(PolarFirmware):
    """Settings are those that the SDK's documentation names (products/PolarVeritySense.md)."""

    family = "polar_verity"
    model = "Sense"
    version = "2.1.0"
    compresses = True
    other_features = (Measurement.PPG, Measurement.PPI)
    offers: ClassVar = {
        Measurement.ACC: _offer((52,), (8,)),
        Measurement.GYRO: _offer((52,), (2000,)),
        Measurement.MAG: _offer((10, 20, 50, 100), (50,)),
    }
    sdk_offers: ClassVar = {
        Measurement.ACC: _offer((26, 52, 104, 208, 416), (2, 4, 8, 16)),
        Measurement.GYRO: _offer((26, 52, 104, 208, 416), (250, 500, 1000, 2000)),
        Measurement.MAG: _offer((10, 20, 50, 100), (50,)),
    }


class H10Firmware(PolarFirmware):
    """Settings are those of products/PolarH10.md; its start names no channels."""

    family = "polar_h10"
    model = "H10"
    version = "5.0.0"
    compresses = False
    other_features = (Measurement.ECG,)
    offers: ClassVar = {Measurement.ACC: _offer((25, 50, 100, 200), (2, 4, 8), channels=())}

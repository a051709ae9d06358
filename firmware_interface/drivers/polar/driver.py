"""Polar's sensors that stream movement: Verity Sense, and with acceleration only H10, OH1 and 360.

Source: polarofficial/polar-ble-sdk: its documentation/products, SdkModeExplained.md, TimeSystemExplained.md and
KnownIssues.md, and its issues 331 and 443 (a start and its frames), 439 (when a frame is sent) and 597 (time stamps).
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from typing import ClassVar, NamedTuple

from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
from bleak.exc import BleakError

from analytics.signals.samples import Source

from ...driver_kit.driver import SensorDriver
from ...driver_kit.family import IMU, Family, Quantity, StreamSettings
from ...errors import DecodeError, SensorError, SensorRefusedError, WrongSensorError
from .control import (
    CONTROL_UUID,
    DATA_UUID,
    LEAST_MTU,
    RESPONSE,
    SERVICE_UUID,
    Measurement,
    Reply,
    Settings,
    Status,
    decode_features,
    decode_reply,
    decode_settings,
    encode_get_sdk_mode,
    encode_get_settings,
    encode_sdk_mode,
    encode_start,
    encode_stop,
    nearest_choice,
)
from .decoder import PolarDecoder

_WHAT_TO_DO = {
    Status.NOT_SUPPORTED: "update its firmware",
    Status.INVALID_MTU: "use a Bluetooth adapter of version 4.2 or later",
    Status.INVALID_STATE: "end what else it streams or records, and its first setup in Polar's program",
    Status.DEVICE_IN_CHARGER: "take it off its charger",
}
_TIMESTAMPS = "ns, 64 bit, last sample of each frame, in steps of 30.5 µs"
_SLOW_FRAMES = "send at once: a frame is sent when it is full, which takes 36 samples and more, at rest 130"
_SOURCE = "github.com/polarofficial/polar-ble-sdk"


LARGEST_FRAME_SAMPLES = 130
"""Seen of a Verity Sense at rest, whose differences need few bits (polarofficial/polar-ble-sdk issue 439)."""


class _Started(NamedTuple):
    """full_scale: in the measurement's unit. was_running: before it was asked to."""

    rate_hz: float
    full_scale: float
    factor: float
    was_running: bool


_NOT_STREAMED = _Started(0.0, 0.0, 1.0, was_running=False)


class PolarDriver(SensorDriver[PolarDecoder]):
    """What Polar's sensors share. The full scales nearest to these are chosen; set them before `start`.

    magnetometer: whether samples shall hold the magnetic field; they then wait for frames that are slow to fill.
    """

    service = SERVICE_UUID
    characteristics = (DATA_UUID, CONTROL_UUID)
    least_payload_bytes = LEAST_MTU - 3
    names: ClassVar[tuple[str, ...]]
    needs: ClassVar[tuple[Measurement, ...]]
    """What is always streamed."""
    usual_rate_hz: ClassVar[float]

    acc_range_g: float = 8.0
    gyr_range_dps: float = 2000.0
    magnetometer: bool = False

    _stream: tuple[object, StreamSettings] | None = None
    _streaming: tuple[Measurement, ...] = ()
    _sdk_mode_is_ours = False

    @classmethod
    def matches(cls, device: BLEDevice, advertisement: AdvertisementData) -> bool:
        return (advertisement.local_name or device.name or "").startswith(cls.names)

    @classmethod
    def new_decoder(cls) -> PolarDecoder:
        return PolarDecoder()

    async def features(self) -> tuple[Measurement, ...]:
        """What the device can stream. Raises SensorRefusedError."""
        with self._following_protocol():
            return decode_features(await self._read(CONTROL_UUID, "its features"))

    async def offered(self, measurement: Measurement, *, sdk_mode: bool = False) -> Settings:
        """What a measurement can be set to now, or in SDK mode. Raises SensorRefusedError, NoReplyError."""
        command = encode_get_settings(measurement, sdk_mode=sdk_mode)
        return self._settings(await self._command(command, f"SETTINGS of {measurement.name}"))

    async def sdk_mode(self) -> bool:
        """Whether SDK mode is on, with more rates and ranges and without the heart rate."""
        return any((await self._command(encode_get_sdk_mode(), "SDK MODE")).parameters[:1])

    async def set_sdk_mode(self, on: bool) -> None:
        """Switch SDK mode while nothing streams. Raises SensorRefusedError, NoReplyError."""
        await self._command(encode_sdk_mode(on), f"SDK MODE {'on' if on else 'off'}", Status.ALREADY_IN_STATE)

    async def _begin(self, rate_hz: float, batch: int) -> StreamSettings:
        """The device fills its frames as it likes, whatever the batch."""
        wanted_hz = self.family.nearest_rate_hz(rate_hz, self.usual_rate_hz)
        asked = (wanted_hz, self.acc_range_g, self.gyr_range_dps, self.magnetometer)
        # Asked again, the gateway wants another batch, which costs no sample.
        if self._stream is not None and self._stream[0] == asked:
            return self._stream[1]
        if self._stream is not None:
            await self._end()
            self._forget_early()
        await self._listen(DATA_UUID)
        try:
            settings = await self._start_all(wanted_hz)
        except SensorError:
            with contextlib.suppress(SensorError, BleakError):
                await self._end()
            raise
        self._stream = (asked, settings)
        return settings

    async def _start_all(self, wanted_hz: float) -> StreamSettings:
        features = await self.features()
        for measurement in (*self.needs, *([Measurement.MAG] if self.magnetometer else [])):
            if measurement not in features:
                raise WrongSensorError(f"{self._name} does not stream {measurement.name}; update its firmware.")
        if Measurement.SDK_MODE in features:
            await self._widen(wanted_hz)
        acc = await self._start(Measurement.ACC, wanted_hz)
        gyr = await self._start(Measurement.GYRO, wanted_hz) if Measurement.GYRO in self.needs else _NOT_STREAMED
        mag = await self._start(Measurement.MAG, wanted_hz) if self.magnetometer else _NOT_STREAMED
        continues = self.decoder.begin(
            rate_hz=acc.rate_hz,
            acc_range_g=acc.full_scale,
            acc_factor=acc.factor,
            gyr_rate_hz=gyr.rate_hz,
            gyr_range_dps=gyr.full_scale,
            gyr_factor=gyr.factor,
            mag_rate_hz=mag.rate_hz,
            mag_factor=mag.factor,
            running=acc.was_running,
        )
        silence_s = LARGEST_FRAME_SAMPLES / acc.rate_hz
        return StreamSettings(acc.rate_hz, self.decoder.resolution, continues, longest_silence_s=silence_s)

    async def _widen(self, wanted_hz: float) -> None:
        """Switch SDK mode on if it has something nearer to what is wanted."""
        for measurement in self.needs:
            now, then = await self.offered(measurement), await self.offered(measurement, sdk_mode=True)
            if self._choice(measurement, now, wanted_hz) != self._choice(measurement, then, wanted_hz):
                await self.set_sdk_mode(True)
                self._sdk_mode_is_ours = True
                return

    def _choice(self, measurement: Measurement, offered: Settings, wanted_hz: float) -> dict[str, int]:
        ranges = {Measurement.ACC: self.acc_range_g, Measurement.GYRO: self.gyr_range_dps}
        full_scale = ranges.get(measurement, math.inf)
        return nearest_choice(offered, sample_rate=wanted_hz, resolution=16, range=full_scale, channels=3)

    async def _start(self, measurement: Measurement, wanted_hz: float) -> _Started:
        """Start a measurement with what it offers nearest to what is wanted."""
        choice = self._choice(measurement, await self.offered(measurement), wanted_hz)
        if not {"sample_rate", "range"} <= choice.keys():
            raise SensorRefusedError(f"{self._name} names no rate or range of {measurement.name}; update its firmware.")
        command, what = encode_start(measurement, **choice), f"START of {measurement.name}"
        reply = await self._command(command, what, Status.ALREADY_IN_STATE)
        was_running = reply.status is Status.ALREADY_IN_STATE
        self._streaming = (*self._streaming, measurement)
        if was_running:  # since a connection that was lost, and what it sent in this one may be at other settings
            await self._command(encode_stop(measurement), f"STOP of {measurement.name}")
            self._forget_early()
            reply = await self._command(command, what)
        factor = self._settings(reply).factor
        return _Started(choice["sample_rate"], choice["range"], 1.0 if factor is None else factor, was_running)

    async def _end(self) -> None:
        """Stop every stream, whatever comes of the one before: a device that is left streaming stays on."""
        streaming, self._streaming, self._stream = self._streaming, (), None
        refusals: list[SensorError] = []
        for measurement in reversed(streaming):
            try:
                await self._command(encode_stop(measurement), f"STOP of {measurement.name}", Status.ALREADY_IN_STATE)
            except SensorError as refusal:
                refusals.append(refusal)
        if refusals:
            raise refusals[0]
        if self._sdk_mode_is_ours:
            self._sdk_mode_is_ours = False
            await self.set_sdk_mode(False)

    async def _command(self, command: bytes, what: str, *accepted: Status) -> Reply:
        """The answer to a command, of several parts put together. Raises SensorRefusedError, NoReplyError."""
        parameters = bytearray()

        def answer(data: bytes) -> Reply | None:
            # A stream that the device ended itself is told as 01…; reading the features may come as 0F… through BlueZ.
            if data[:1] != bytes([RESPONSE]) or not data[1:3].startswith(command[:2]):
                return None
            reply = decode_reply(data)
            parameters.extend(reply.parameters)
            return None if reply.more else reply._replace(parameters=bytes(parameters))

        await self._listen_for_replies(CONTROL_UUID)
        reply = await self._ask(CONTROL_UUID, command, answer, what)
        if reply.status not in (Status.SUCCESS, *accepted):
            reason = reply.status.name.lower().replace("_", " ")
            advice = _WHAT_TO_DO.get(reply.status, "restart it or update its firmware")
            raise SensorRefusedError(f"{self._name} refused {what} ({reason}); {advice}.")
        return reply

    def _settings(self, reply: Reply) -> Settings:
        with self._following_protocol():
            return decode_settings(reply.parameters)

    @contextlib.contextmanager
    def _following_protocol(self) -> Iterator[None]:
        try:
            yield
        except DecodeError as error:
            raise SensorRefusedError(
                f"{self._name} does not follow its protocol: {error} Update its firmware."
            ) from error


class PolarVerityDriver(PolarDriver):
    family = Family(
        code="polar_verity",
        name="Polar Verity Sense",
        maker="Polar",
        quantities=(*IMU, Quantity.MAGNETIC_FIELD),
        rates_hz=(26, 52, 104, 208, 416),
        acc_ranges_g=(2, 4, 8, 16),
        gyr_ranges_dps=(250, 500, 1000, 2000),
        timestamps=_TIMESTAMPS,
        sequence=None,
        synchronisation=None,
        cannot=(
            _SLOW_FRAMES,
            "send its magnetic field unasked, for samples wait for it",
            "tell lost samples but by time",
            "leave 52 Hz, 8 g and 2000 °/s without SDK mode (firmware 1.1.5 and later), which has no heart rate",
        ),
        source=_SOURCE,
    )
    names = ("Polar Sense",)
    needs = (Measurement.ACC, Measurement.GYRO)
    usual_rate_hz = 52.0


class PolarH10Driver(PolarDriver):
    family = Family(
        code="polar_h10",
        name="Polar H10, OH1, 360",
        maker="Polar",
        quantities=(Quantity.ACCELERATION,),
        rates_hz=(25, 50, 100, 200),
        acc_ranges_g=(2, 4, 8),
        gyr_ranges_dps=(),
        timestamps=_TIMESTAMPS,
        sequence=None,
        synchronisation=None,
        cannot=(
            "measure angular rate, so it follows no joint",
            _SLOW_FRAMES,
            "tell lost samples but by time",
            "H10: stay on away from the body; its clock then begins anew",
            "OH1: other than 50 Hz and 8 g; 360: other than that without SDK mode, or before it is paired and set up",
        ),
        source=_SOURCE,
    )
    names = ("Polar H10", "Polar OH1", "Polar 360")
    needs = (Measurement.ACC,)
    usual_rate_hz = 100.0

    def _least_firmware(self, source: Source) -> tuple[int, ...]:
        """An H10 streams "from version 3.0.35 onwards" (README of polar-ble-sdk); of the others none is told."""
        return (3, 0, 35) if "H10" in source.model else ()

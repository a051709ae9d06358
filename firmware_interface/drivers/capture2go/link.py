"""How a Capture2Go is asked and answers, whatever it is doing."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from bleak import BleakClient
from bleak.backends.characteristic import BleakGATTCharacteristic

from analytics.signals.samples import Source

from ...driver_kit.clock_bounds import ClockBounds
from ...driver_kit.driver import SensorDriver
from ...errors import DecodeError, SensorRefusedError, WrongSensorError
from .decoder import Capture2GoDecoder
from .frames import PackageReader
from .headers import Header, Problem
from .packages import ClockRoundtrip, DeviceInfo, Refusal, Status, decode_package, encode_command, header_of
from .samples import MEASUREMENTS

SERVICE_UUID = "80030001-e629-4c98-9324-aa7fc0c66de7"
COMMAND_UUID = "80030002-e629-4c98-9324-aa7fc0c66de7"
NOTIFY_UUID = "80030003-e629-4c98-9324-aa7fc0c66de7"
FIRST_CUSTOM_PROTOCOL = 0x8000
MAKER = "SensorStim Neurotechnology"
_ADVICE: dict[int, str] = {
    Problem.FILE_NOT_FOUND: "look into the list of its files",
    Problem.FILE_ALREADY_EXISTS: "choose another name",
    Problem.FILE_NAME_INVALID: "choose another name, of at most 64 letters",
    Problem.FILE_SYSTEM_FULL: "delete recordings that are safe elsewhere",
}


class Capture2GoLink(SensorDriver[Capture2GoDecoder]):
    """Answers come among the samples, on the same characteristic: they are read out before samples are decoded."""

    def __init__(self, client: BleakClient, decoder: Capture2GoDecoder | None = None) -> None:
        super().__init__(client, decoder)
        self._reader = PackageReader()

    async def status(self) -> Status:
        """What the sensor is doing, its clock, its battery, whether its clock follows another's."""
        await self.prepare()
        status: Status = await self._command("CMD_GET_STATUS", Header.DATA_STATUS)
        return status

    async def battery_percent(self) -> int:
        """Raises WrongSensorError where the sensor tells nonsense."""
        percent = (await self.status()).battery_percent
        if percent > 100:
            raise WrongSensorError(f"{self._name} tells a battery level of {percent} %; update its firmware.")
        return percent

    async def exchange_time(self, host_send_ns: int) -> ClockRoundtrip:
        """The sensor's clock when it heard this, and when it answered."""
        await self.prepare()
        times: ClockRoundtrip = await self._command(
            "DATA_CLOCK_ROUNDTRIP", Header.DATA_CLOCK_ROUNDTRIP, host_send_ns=host_send_ns
        )
        return times

    async def clock_bounds(self, now_s: Callable[[], float]) -> ClockBounds:
        asked_s = now_s()
        times = await self.exchange_time(round(asked_s * 1e9))
        return ClockBounds(times.sensor_receive_ns // 1000, times.sensor_send_ns // 1000, asked_s, now_s())

    async def flash(self, seconds: float) -> None:
        """Light its lamp, so that it can be found among others."""
        await self.prepare()
        until_ns = round(seconds * 1e9)
        await self._command("CMD_SET_LED_MODE", Header.DATA_LED_MODE, start_ns=0, end_ns=until_ns, end_is_relative=True)

    async def _read_source(self) -> Source:
        await self._listen(NOTIFY_UUID)
        info: DeviceInfo = await self._command("CMD_GET_DEVICE_INFO", Header.DATA_DEVICE_INFO)
        if info.protocol >= FIRST_CUSTOM_PROTOCOL:
            raise WrongSensorError(
                f"{self._name} speaks a protocol of somebody's own ({info.protocol:#06x}); give it {MAKER}'s firmware."
            )
        return Source(
            family=self.family.code,
            address=self._client.address,
            maker=MAKER,
            model="Capture2Go IMU",
            serial=info.serial,
            firmware=info.firmware,
            hardware=info.hardware,
            calibration="bias of the angular rate removed by the sensor",
        )

    async def _command(self, command: str, answered_by: Header, **fields: Any) -> Any:
        """What the answer holds. Raises SensorRefusedError with the sensor's reason."""

        def answer(package: bytes) -> Any:
            answered, content = decode_package(package)
            refused = answered == Header.ERROR and content.command in (Header[command], Header.ERROR)
            return content if refused or answered == answered_by else None

        content = await self._ask(
            COMMAND_UUID, encode_command(command, **fields), answer, command, response=self._confirms_writes
        )
        if isinstance(content, Refusal):
            known = content.problem in set(Problem)
            reason = Problem(content.problem).name.lower().replace("_", " ") if known else f"{content.problem:#04x}"
            advice = _ADVICE.get(content.problem, "restart it or update its firmware")
            raise SensorRefusedError(f"{self._name} refused {command} ({reason}); {advice}.")
        return content

    @property
    def _confirms_writes(self) -> bool:
        """Whether writes are confirmed by the sensor; its maker leaves that to the Bluetooth library."""
        characteristic = self._client.services.get_characteristic(COMMAND_UUID)
        return characteristic is not None and "write" in characteristic.properties

    def _on_data(self, characteristic: BleakGATTCharacteristic, data: bytearray) -> None:
        with contextlib.suppress(DecodeError):  # the decoder of the samples counts it
            for package in self._reader.take(bytes(data)):
                if header_of(package) not in MEASUREMENTS:
                    self._on_package(characteristic, package)
        super()._on_data(characteristic, data)

    def _on_package(self, characteristic: BleakGATTCharacteristic, package: bytes) -> None:
        self._on_reply(characteristic, bytearray(package))

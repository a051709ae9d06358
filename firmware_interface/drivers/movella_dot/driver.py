"""The driver of a Movella DOT."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from bleak import BleakClient
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from analytics.signals.samples import Resolution, Source

from ...driver_kit.driver import SensorDriver
from ...driver_kit.family import Family, Quantity, StreamSettings
from ...driver_kit.units import DPS_RAD_S, STANDARD_GRAVITY_M_S2
from ...errors import DecodeError, NarrowLinkError, SensorError, SensorRefusedError, WrongSensorError
from . import configuration, device, gatt, synchronisation
from .decoder import ACC_RANGE_G, GYR_RANGE_DPS, MovellaDotDecoder
from .device import Battery, DeviceControl, DeviceInfo, DeviceReport, Heading, Power, Visit
from .message_link import MessageLink
from .payload import PayloadMode
from .recorder import Recorder
from .synchronisation import SyncId, SyncResult, SyncStatus

MODE = PayloadMode.CUSTOM_5
"""The one mode that holds acceleration, angular rate and orientation."""
COMPANY = 2182
NAMES = ("movella dot", "xsens dot")
USUAL_RATE_HZ = 60
_LONGEST_MESSAGE_BYTES = 132  # of the recorder's memory: 128 bytes, their identifier, the envelope
_RESOLUTION = Resolution(ACC_RANGE_G * STANDARD_GRAVITY_M_S2 / 32768, GYR_RANGE_DPS * DPS_RAD_S / 32768)
"""The sensor sends floating point. Rounding to this adds 1.4 mm/s² and 0.018 °/s, which is below its noise if that is
as of the maker's MTi-1 with the same ranges: 120 µg/√Hz and 0.007 °/s/√Hz, so 6.4 mm/s² and 0.038 °/s in 30 Hz."""

T = TypeVar("T")


class MovellaDotDriver(SensorDriver[MovellaDotDecoder]):
    """`recorder` measures without a link; `synchronise` brings several sensors to one clock."""

    family = Family(
        code="movella_dot",
        name="Movella DOT",
        maker="Movella (Xsens)",
        quantities=(Quantity.ACCELERATION, Quantity.ANGULAR_RATE, Quantity.ORIENTATION),
        rates_hz=tuple(float(rate) for rate in device.RATES_HZ if rate != device.RECORDING_RATE_HZ),
        acc_ranges_g=(ACC_RANGE_G,),
        gyr_ranges_dps=(GYR_RANGE_DPS,),
        timestamps="µs, 32 bit, each sample; from power-on, or the root's after a synchronisation",
        sequence=None,
        synchronisation="between sensors, by radio, in 14 s: 1 ppm after 30 min, 4 ppm after 60 min, says the maker",
        cannot=(
            "stream above 60 Hz; 120 Hz is only recorded",
            "send a lost sample again, except from a recording",
            "tell how many samples a lost link has cost",
            "tell the magnetic field in µT: it has an arbitrary unit, and is left out",
            "say while streaming that it is clipped: samples at the ends of the nominal ranges are flagged",
            "change its ranges",
        ),
        source="Movella DOT BLE Service Specification, XD0506P revision C, July 2023",
    )
    service = gatt.MEASUREMENT_SERVICE
    characteristics = (gatt.LONG_PAYLOAD, gatt.MEASUREMENT_CONTROL, gatt.DEVICE_CONTROL, gatt.DEVICE_INFO)
    least_payload_bytes = gatt.PAYLOAD_BYTES[gatt.LONG_PAYLOAD]

    def __init__(self, client: BleakClient, decoder: MovellaDotDecoder | None = None) -> None:
        super().__init__(client, decoder)
        self.decoder.end()  # its clock wraps after 72 min and begins anew when it is switched on: it tells no silence
        self._messages = MessageLink(
            self._name,
            subscribe=self._subscribe_to_messages,
            write=lambda command, what: self._write(gatt.MESSAGE_CONTROL, command, what),
            read=lambda what: self._read(gatt.MESSAGE_ACKNOWLEDGEMENT, what),
        )
        self.recorder = Recorder(self._messages)

    @classmethod
    def matches(cls, device: BLEDevice, advertisement: AdvertisementData) -> bool:
        """§1.2: the maker's company identifier, or the name, which firmware writes with or without capitals."""
        name = advertisement.local_name or device.name or ""
        return COMPANY in advertisement.manufacturer_data or name.lower() in NAMES

    @classmethod
    def new_decoder(cls) -> MovellaDotDecoder:
        return MovellaDotDecoder()

    async def _begin(self, rate_hz: float, batch: int) -> StreamSettings:
        """A sensor that is synchronised keeps its rate, and it is told."""
        shared_clock = await self._shared_clock()  # before it measures, when it has nothing else to send
        control = await self.set_up(int(self.family.nearest_rate_hz(rate_hz, USUAL_RATE_HZ)))
        if control.rate_hz not in self.family.rates_hz:
            raise SensorRefusedError(
                f"{self._name} stays at {control.rate_hz} Hz, at which it does not stream; "
                "stop its recording or synchronisation."
            )
        continues = self.decoder.begin(control.rate_hz, MODE)
        await self._listen(gatt.LONG_PAYLOAD)
        await self._write(gatt.MEASUREMENT_CONTROL, device.encode_measurement(True, MODE), "the start")
        return StreamSettings(float(control.rate_hz), _RESOLUTION, continues, shared_clock=shared_clock)

    async def _shared_clock(self) -> str | None:
        """It tells whether it is synchronised, but not by which root (§5.3); one without messages cannot be.

        Raises bleak's BleakError.
        """
        with contextlib.suppress(SensorError):
            if await self.sync_status() is SyncStatus.SYNCED:
                return self.family.code
        return None

    async def _end(self) -> None:
        """§3.8: stop first, then unsubscribe."""
        await self._write(gatt.MEASUREMENT_CONTROL, device.encode_measurement(False, MODE), "the stop")
        await self._unsubscribe(gatt.LONG_PAYLOAD)
        self.decoder.end()

    async def _read_source(self) -> Source:
        """Factory calibrated, says its User Manual, §3."""
        info = await self.device_info()
        return Source(
            family=self.family.code,
            address=self._client.address,
            maker="Movella",
            model=info.product or "DOT",
            serial=f"{info.serial:X}",
            firmware=info.firmware,
            calibration="factory",
        )

    # ------------------------------------------------------------------------------------------- what it is, how it is

    async def device_info(self) -> DeviceInfo:
        """Who it is."""
        return await self._read_as(gatt.DEVICE_INFO, "who it is", device.decode_device_info)

    async def battery(self) -> Battery:
        """Its charge, and whether it is being charged."""
        return await self._read_as(gatt.BATTERY, "its battery level", device.decode_battery)

    async def battery_percent(self) -> int:
        return (await self.battery()).percent

    async def listen_for_reports(self, on_report: Callable[[DeviceReport], None]) -> None:
        """Hear of clicks on its button, and of its switching off or falling asleep; unknown reports are left out."""

        def on_notification(_: BleakGATTCharacteristic, data: bytearray) -> None:
            with contextlib.suppress(DecodeError):
                on_report(device.decode_device_report(bytes(data)))

        await self._subscribe(gatt.DEVICE_REPORT, on_notification, acquire=False)

    # ---------------------------------------------------------------------------------------------------- its settings

    async def device_control(self) -> DeviceControl:
        """Its settings."""
        return await self._read_as(gatt.DEVICE_CONTROL, "its settings", device.decode_device_control)

    async def set_up(self, rate_hz: int | None = None, filter_profile: int | None = None) -> DeviceControl:
        """Change rate and filter, and tell what is set then: while it measures or is synchronised they stay."""
        before = await self.device_control()
        if rate_hz in (None, before.rate_hz) and filter_profile in (None, before.filter_profile):
            return before
        await self._change(
            Visit.RATE | Visit.FILTER, "its new rate and filter", rate_hz=rate_hz, filter_profile=filter_profile
        )
        return await self.device_control()

    async def identify(self) -> None:
        """Blink for ten seconds."""
        await self._change(Visit.IDENTIFY, "the request to identify itself")

    async def power_off(self) -> None:
        """Switch off; only its button switches it on again."""
        await self._change(Visit.POWER, "to be switched off", power=Power.OFF)

    async def set_tag(self, tag: str) -> None:
        """Name it, in up to 16 bytes. Raises ValueError for more."""
        await self._change(Visit.TAG, "its new tag", tag=tag)

    async def reset_heading(self) -> None:
        """Make the way it points now its zero, while it measures. To do it again, revert first."""
        await self._write(gatt.HEADING_CONTROL, device.encode_heading(Heading.RESET), "a heading reset")
        if not await self._read_as(gatt.HEADING_RESULT, "the heading reset", device.decode_heading_result):
            raise SensorRefusedError(
                f"{self._name} did not reset its heading; do it while it measures, and revert an earlier one first."
            )

    async def revert_heading(self) -> None:
        """Go back to magnetic east."""
        await self._write(gatt.HEADING_CONTROL, device.encode_heading(Heading.REVERT), "a heading revert")

    # ----------------------------------------------------------------------------------------------------- by messages

    async def radio_address(self) -> str:
        """Its Bluetooth address, which not every operating system tells."""
        return await self._asked(
            configuration.encode_request_address(), "the question for its address", configuration.decode_address
        )

    async def revert_to_factory_settings(self) -> None:
        """Forget its settings and the synchronisation; recordings stay."""
        what = "the reset to factory settings"
        decode = configuration.decode_factory_settings_result
        if not await self._asked(configuration.encode_factory_settings(), what, decode):
            raise SensorRefusedError(f"{self._name} could not go back to its factory settings; restart it.")

    async def filter_profiles(self) -> dict[int, str]:
        """The names of its filter profiles."""
        what = "the question for its filter profiles"
        known = await self._asked(
            configuration.encode_request_filter_profiles(), what, configuration.decode_filter_profiles
        )
        decode = configuration.decode_filter_profile_name
        return {
            profile: await self._asked(configuration.encode_request_filter_profile_name(profile), what, decode)
            for profile in known
        }

    async def start_sync(self, root_address: str) -> None:
        """First half: then disconnect all sensors for 14 s, reconnect, and ask each for its `sync_result`."""
        await self._messages.tell(synchronisation.encode_start_sync(root_address), "a synchronisation")

    async def sync_result(self) -> SyncResult:
        """Second half: how it went, to be asked right after the reconnection."""
        return await self._messages.acknowledgement("the synchronisation", synchronisation.decode_sync_result)

    async def sync_status(self) -> SyncStatus:
        """Whether its clock is another's."""
        return await self._messages.ask(
            synchronisation.encode_get_sync_status(),
            "the question for its synchronisation",
            SyncId.STATUS,
            synchronisation.decode_sync_status,
        )

    async def stop_sync(self) -> None:
        """Go back to its own clock."""
        stopped = await self._messages.ask(
            synchronisation.encode_stop_sync(),
            "the end of the synchronisation",
            SyncId.STOP_RESULT,
            synchronisation.decode_stop_sync_result,
        )
        if not stopped:
            raise SensorRefusedError(f"{self._name} did not end its synchronisation; restart it.")

    # ------------------------------------------------------------------------------------------------------------------

    async def _change(self, visit: Visit, what: str, **settings: Any) -> None:
        """The settings that are not named are written back as they were read, however odd."""
        encode = partial(device.encode_device_control, visit, **settings)
        await self._write(gatt.DEVICE_CONTROL, await self._read_as(gatt.DEVICE_CONTROL, "its settings", encode), what)

    async def _asked(self, command: bytes, what: str, decode: Callable[[bytes], T]) -> T:
        async with self._messages.conversation():
            return await self._messages.acknowledged(command, what, decode)

    async def _subscribe_to_messages(self) -> None:
        notification = self._client.services.get_characteristic(gatt.MESSAGE_NOTIFICATION)
        if notification is None:
            raise WrongSensorError(f"{self._name} has no message service; update its firmware.")
        if notification.max_write_without_response_size < _LONGEST_MESSAGE_BYTES:
            raise NarrowLinkError(
                f"{self._name} sends messages of {_LONGEST_MESSAGE_BYTES} bytes and this connection holds "
                f"{notification.max_write_without_response_size}; use a Bluetooth adapter of version 4.2 or later."
            )

        def on_notification(_: BleakGATTCharacteristic, data: bytearray) -> None:
            self._messages.on_notification(bytes(data))

        await self._subscribe(gatt.MESSAGE_NOTIFICATION, on_notification, acquire=True)

    async def _read_as(self, uuid: str, what: str, decode: Callable[[bytes], T]) -> T:
        data = await self._read(uuid, what)
        try:
            return decode(data)
        except DecodeError as error:
            raise WrongSensorError(f"{self._name} tells nonsense about {what}: {error} Update its firmware.") from error

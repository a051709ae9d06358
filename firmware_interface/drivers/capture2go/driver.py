"""SensorStim Capture2Go."""

from __future__ import annotations

from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from ...driver_kit.family import IMU, Family, Quantity, StreamSettings
from .decoder import Capture2GoDecoder
from .headers import Header, Role, State
from .link import COMMAND_UUID, MAKER, NOTIFY_UUID, SERVICE_UUID
from .packages import decode_package, encode_command
from .samples import RATES_HZ, RESOLUTION, decode_orientation
from .storage import Capture2GoStorage, decode_recording

__all__ = [
    "Capture2GoDecoder",
    "Capture2GoDriver",
    "Role",
    "State",
    "decode_orientation",
    "decode_package",
    "decode_recording",
    "encode_command",
]

USUAL_RATE_HZ = 100.0
PACKED = 8
"""Samples in a package that holds several; the other kind holds one."""


class Capture2GoDriver(Capture2GoStorage):
    """Samples wait in the sensor's own buffer while the radio is busy, so a bad link delays before it loses."""

    family = Family(
        code="capture2go",
        name="Capture2Go IMU",
        maker=MAKER,
        quantities=(*IMU, Quantity.MAGNETIC_FIELD, Quantity.ORIENTATION),
        rates_hz=tuple(sorted(RATES_HZ)),
        acc_ranges_g=(16,),
        gyr_ranges_dps=(2000,),
        timestamps="ns, 64 bit, first sample of each package",
        sequence=None,
        synchronisation="over its own radio: one sensor sends its clock, the others follow",
        cannot=(
            "measure in narrower ranges",
            "tell its orientation for each sample where a package holds eight",
        ),
        source="github.com/sensorstim/capture2go_sdk, protocol/Capture2Go_Communication_Protocol.md",
    )
    service = SERVICE_UUID
    characteristics = (NOTIFY_UUID, COMMAND_UUID)

    _streaming = False

    @classmethod
    def matches(cls, device: BLEDevice, advertisement: AdvertisementData) -> bool:
        return SERVICE_UUID in advertisement.service_uuids

    @classmethod
    def new_decoder(cls) -> Capture2GoDecoder:
        return Capture2GoDecoder()

    async def synchronise(self, role: Role, sync_id: int, time_ns: int | None = None) -> None:
        """From the next start on, send this sensor's clock to those with the same `sync_id`, or follow theirs.

        time_ns: what the clock is set to, of the sender only; the others receive it. The maker advises a new random
        64-bit `sync_id` whenever the set of sensors changes.
        """
        await self.prepare()
        self._sync = (role, sync_id)
        self.decoder.forget()
        if time_ns is not None:
            await self._command("CMD_SET_ABSOLUTE_TIME", Header.DATA_ABSOLUTE_TIME, timestamp_ns=time_ns)

    async def _begin(self, rate_hz: float, batch: int) -> StreamSettings:
        rate_hz = self.family.nearest_rate_hz(rate_hz, USUAL_RATE_HZ)
        status = await self._idle_status()
        self._forget_early()  # what was still under way of an earlier stream has come before this answer
        await self._set_mode(rate_hz, packed=abs(batch - PACKED) < abs(batch - 1))
        continues = self.decoder.begin(rate_hz, status.timestamp_ns / 1e3)
        self._streaming = True
        await self._command("CMD_START_STREAMING", Header.ACK_START_STREAMING)
        return StreamSettings(rate_hz, RESOLUTION, continues)

    async def _end(self) -> None:
        """What is in the sensor's buffer arrives before its answer."""
        if self._streaming:
            self._streaming = False
            await self._command("CMD_STOP_STREAMING", Header.ACK_STOP_STREAMING)
            self.decoder.forget()

"""bleak's scanner on a software radio."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from bleak.backends.scanner import AdvertisementData, AdvertisementDataCallback, BaseBleakScanner
from bleak.exc import BleakError
from bleak.uuids import normalize_uuid_str
from bumble.core import UUID, AdvertisingData
from bumble.device import Advertisement

if TYPE_CHECKING:
    from .radio import SoftwareRadio

_NAMES = (AdvertisingData.COMPLETE_LOCAL_NAME, AdvertisingData.SHORTENED_LOCAL_NAME)
_SERVICES = (
    AdvertisingData.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS,
    AdvertisingData.INCOMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS,
    AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS,
    AdvertisingData.INCOMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS,
)


def uuid_text(uuid: UUID) -> str:
    """The form that bleak compares: 128 bits, lower case, with dashes."""
    return normalize_uuid_str(uuid.to_hex_str("-"))


class SoftwareScanner(BaseBleakScanner):
    """Made for one radio by `SoftwareRadio.scanner_backend`."""

    radio: ClassVar[SoftwareRadio]

    def __init__(
        self,
        detection_callback: AdvertisementDataCallback | None,
        service_uuids: list[str] | None,
        scanning_mode: str,
        **_: Any,
    ) -> None:
        super().__init__(detection_callback, service_uuids)
        if scanning_mode != "active":
            raise BleakError("The software radio scans actively only.")

    async def start(self) -> None:
        self.seen_devices = {}
        await self.radio.add_scanner(self)

    async def stop(self) -> None:
        await self.radio.remove_scanner(self)

    def on_advertisement(self, advertisement: Advertisement) -> None:
        """Tell bleak of one advertisement, scan response merged."""
        data: Any = advertisement.data  # bumble's union of all value types; the kinds asked for here settle it
        services = [uuid_text(uuid) for kind in _SERVICES for uuids in data.get_all(kind) for uuid in uuids]
        if not self.is_allowed_uuid(services):
            return
        name = next((str(name) for kind in _NAMES if (name := data.get(kind)) is not None), None)
        makers = data.get_all(AdvertisingData.MANUFACTURER_SPECIFIC_DATA)
        advertised = AdvertisementData(
            local_name=name,
            manufacturer_data={int(maker): bytes(value) for maker, value in makers},
            service_data={},
            service_uuids=services,
            tx_power=None,
            rssi=advertisement.rssi,
            platform_data=(advertisement,),
        )
        address = advertisement.address.to_string(with_type_qualifier=False)
        device = self.create_or_update_device(address, address, name, None, advertised)
        self.call_detection_callbacks(device, advertised)

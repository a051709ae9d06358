"""One driver per sensor family, each the same shape: match an advertisement, start, stop, read the battery."""

from __future__ import annotations

from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from .open_imu import OpenImuDriver, StreamSettings

__all__ = ["DRIVERS", "OpenImuDriver", "StreamSettings", "driver_for"]

DRIVERS: tuple[type[OpenImuDriver], ...] = (OpenImuDriver,)


def driver_for(device: BLEDevice, advertisement: AdvertisementData) -> type[OpenImuDriver] | None:
    """The driver of the family that this advertisement belongs to, or None for a device that is no sensor of ours."""
    return next((driver for driver in DRIVERS if driver.matches(device, advertisement)), None)

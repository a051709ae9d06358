"""One driver per sensor family, each the same shape: match, prepare, start, decode, stop, describe.

A module of this package that defines a SensorDriver with a `family` is found by itself; docs/new-sensor-family.md tells
how to write one.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from ..driver_kit.driver import SensorDriver
from ..driver_kit.family import Family, Quantity, StreamSettings
from ..errors import UnknownSensorError
from .open_imu import OpenImuDriver

__all__ = ["DRIVERS", "Family", "OpenImuDriver", "Quantity", "SensorDriver", "StreamSettings", "driver_for"]

AnyDriver = SensorDriver[Any]


def _drivers() -> tuple[type[AnyDriver], ...]:
    modules = [importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
    known = {
        value.family.code: value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, SensorDriver) and "family" in vars(value)
    }
    return tuple(known[code] for code in sorted(known))


DRIVERS: tuple[type[AnyDriver], ...] = _drivers()
"""Sorted by their family's code."""


def driver_for(device: BLEDevice, advertisement: AdvertisementData) -> type[AnyDriver]:
    """The driver of the family that this advertisement belongs to. Raises UnknownSensorError."""
    for driver in DRIVERS:
        if driver.matches(device, advertisement):
            return driver
    called = advertisement.local_name or device.name or "without a name"
    raise UnknownSensorError(
        f"{device.address} ({called}) is no sensor that Sinew knows; check the address, or use one of: "
        + ", ".join(driver.family.name for driver in DRIVERS)
        + "."
    )

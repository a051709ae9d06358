"""One emulator per sensor family, found by itself: what the chip of that family runs, byte for byte."""

from __future__ import annotations

import importlib
import pkgutil

from ..firmware import Firmware


def _firmwares() -> dict[str, type[Firmware]]:
    modules = [importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
    known = {
        value.family: value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Firmware) and "family" in vars(value)
    }
    return dict(sorted(known.items()))


FIRMWARES: dict[str, type[Firmware]] = _firmwares()
"""By the code of the driver's family."""

"""Firmware update of sensors that speak MCUmgr SMP and start by MCUboot, as firmware on Zephyr does.

    image = read_image(path.read_bytes(), read_public_key(pem))
    await update_firmware(image, connect, on_progress)

The conversation stands in `update`, the words of it in `manager`, what may be sent at all in `image`.
"""

from __future__ import annotations

import logging

from .image import FirmwareImage, read_image
from .signature import read_public_key
from .update import Progress, Step, revert_firmware, update_firmware

__all__ = [
    "FirmwareImage",
    "Progress",
    "Step",
    "read_image",
    "read_public_key",
    "revert_firmware",
    "update_firmware",
]

# smpclient reports every request that goes unanswered, with all its bytes; what matters reaches callers as errors.
_smpclient_log = logging.getLogger("smpclient")
if _smpclient_log.level == logging.NOTSET:
    _smpclient_log.setLevel(logging.CRITICAL)

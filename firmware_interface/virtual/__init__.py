"""Sensors and a radio in software: real GATT traffic between bumble's controllers, under bleak's real interface.

The one place that knows bumble. `sinew gateway --simulate` and the tests run on it; no Bluetooth hardware is needed.
"""

from __future__ import annotations

import logging

# bumble reports every packet that crosses a disconnection; what matters reaches callers as errors of bleak.
_bumble_log = logging.getLogger("bumble")
if _bumble_log.level == logging.NOTSET:
    _bumble_log.setLevel(logging.ERROR)

"""What one two-way exchange tells of a sensor's clock."""

from __future__ import annotations

from typing import NamedTuple


class ClockBounds(NamedTuple):
    """The sensor heard a question when its clock stood at `sensor_heard_us`, and told it at `sensor_told_us`.

    asked_s, heard_s: when the gateway asked, and when it heard the answer, on the gateway's clock. All that is certain
    is the order: asked before the sensor heard, told before the gateway heard (RFC 5905, section 8).
    """

    sensor_heard_us: int
    sensor_told_us: int
    asked_s: float
    heard_s: float

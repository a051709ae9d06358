"""What one session of the demo came to: the last line that `sinew demo --headless` prints."""

from __future__ import annotations

from uuid import UUID

import numpy as np

from analytics.domain.base import Word
from analytics.domain.recovery import Forecast, Proposal
from analytics.domain.session import Form


class Latency(Word):
    """From the instant of the movement, the sample's own time, to its live event at a listener."""

    p50: float | None
    p95: float | None
    p99: float | None


class DemoResult(Word):
    """Every figure is counted or measured in this run. Samples are those of the sensors the session used."""

    session_id: UUID
    samples_sent: int
    samples_stored: int
    samples_lost: int
    repetitions: int
    rom_deg: tuple[float, ...]
    form: tuple[Form, ...]
    live_events: int
    latency_ms: Latency
    forecast: Forecast | None
    proposal: Proposal | None
    wall_s: float


def latency(milliseconds: list[float]) -> Latency:
    """The percentiles, each None where nothing was measured."""
    if not milliseconds:
        return Latency(p50=None, p95=None, p99=None)
    p50, p95, p99 = (round(float(value), 1) for value in np.percentile(milliseconds, (50, 95, 99)))
    return Latency(p50=p50, p95=p95, p99=p99)

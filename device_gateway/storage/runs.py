"""What is collected for a chunk: of each sensor, runs of samples with no gap inside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from analytics.domain.exercise import Segment
from analytics.signals.chunk import SensorBlock
from analytics.signals.samples import FloatArray, ImuSamples, Resolution


class Line(Protocol):
    """What places a run's samples on the session's time: a SensorClock, or what one said last."""

    def line(self) -> tuple[int, float]:
        """(offset [µs], rate): session time [µs] = offset + rate × sensor time [µs]."""
        ...


@dataclass(slots=True)
class Run:
    """Samples of one sensor on one connection's clock. missed: samples before them that could not be recorded."""

    address: str
    segment: Segment
    resolution: Resolution
    clock: Line
    missed: int = 0
    parts: list[ImuSamples] = field(default_factory=list)

    def __len__(self) -> int:
        return sum(len(part) for part in self.parts)

    @property
    def lost_before(self) -> int:
        return self.missed + self.parts[0].lost_before

    def continues_with(self, samples: ImuSamples, clock: Line) -> bool:
        """Whether these samples follow without a gap, on the same clock, and are told of in the same way."""
        knows_clipped = self.parts[-1].clipped is not None
        return self.clock is clock and not samples.lost_before and knows_clipped == (samples.clipped is not None)

    def block(self) -> SensorBlock:
        """All of it as one run of a chunk, placed by the clock as it stands now."""
        offset_us, rate = self.clock.line()
        clipped = [part.clipped for part in self.parts if part.clipped is not None]
        samples = ImuSamples(
            np.concatenate([part.sensor_time_us for part in self.parts]),
            np.concatenate([part.acc_m_s2 for part in self.parts]),
            np.concatenate([part.gyr_rad_s for part in self.parts]),
            self.lost_before,
            mag_ut=self._joined([part.mag_ut for part in self.parts]),
            orientation=self._joined([part.orientation for part in self.parts]),
            clipped=np.concatenate(clipped) if clipped else None,
        )
        return SensorBlock(self.address, self.segment, self.resolution, offset_us, rate, samples)

    def _joined(self, values: Sequence[FloatArray | None]) -> FloatArray | None:
        """Of a quantity that only some parts have: NaN in the others."""
        channels = next((there.shape[1] for there in values if there is not None), None)
        if channels is None:
            return None
        return np.concatenate([
            np.full((len(part), channels), np.nan) if there is None else there
            for part, there in zip(self.parts, values, strict=True)
        ])  # fmt: skip

"""Five sensors on one body, whose every reading is known: what a gateway stored of them can be compared one by one."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from notifications import limb

from analytics.domain.exercise import Segment
from analytics.signals.chunk import decode_chunk
from analytics.simulation.body import seated_knee_extensions
from firmware_interface import open_profile as profile
from firmware_interface.virtual.families.open_imu import OpenFirmware
from firmware_interface.virtual.firmware import Packet
from firmware_interface.virtual.gate import StartGate
from firmware_interface.virtual.hci_server import HciServer
from firmware_interface.virtual.link import SoftwareLink
from firmware_interface.virtual.playback import Playback, to_counts
from firmware_interface.virtual.sensor import VirtualSensor

RATE_HZ = 100.0
PERIOD_US = 10_000
EXERCISED = (Segment.RIGHT_THIGH, Segment.RIGHT_SHANK)
WORN = {
    "C1:00:00:00:00:01": Segment.RIGHT_THIGH,
    "C1:00:00:00:00:02": Segment.RIGHT_SHANK,
    "C1:00:00:00:00:03": Segment.PELVIS,
    "C1:00:00:00:00:04": Segment.CHEST,
    "C1:00:00:00:00:05": Segment.LEFT_THIGH,
}
CLOCK_START_US = 2**32 - 60_000_000
"""The 32 bits of a packet's time run over after a minute."""


def movements(duration_s: float, seed: int = 4) -> dict[Segment, Playback]:
    """Knee extensions over and over at thigh and shank, limbs that swing elsewhere. No two samples are alike."""
    count, rng = round(duration_s * RATE_HZ), np.random.default_rng(seed)
    body = seated_knee_extensions(10, rng, rate_hz=RATE_HZ)
    played = {}
    for number, segment in enumerate(WORN.values()):
        if segment in EXERCISED:
            acc, gyr = (np.resize(signal, (count, 3)) for signal in body.sensors[segment])
            acc, gyr = acc + rng.normal(0, 0.01, acc.shape), gyr + rng.normal(0, 0.002, gyr.shape)
            played[segment] = Playback(RATE_HZ, np.arange(count) / RATE_HZ, acc, gyr)
        else:
            played[segment] = limb(RATE_HZ, duration_s, seed + number)
    return played


class WitnessedFirmware(OpenFirmware):
    """Notes which samples its ring no longer held when they were asked for."""

    def __init__(self, sensor: VirtualSensor) -> None:
        super().__init__(sensor)
        self.refused: list[tuple[int, int]] = []

    def _start(self, start: profile.StartCommand) -> None:
        super()._start(start)
        self.sensor.started_from.append(self.sensor.next_sample)

    def _on_command(self, data: bytes) -> None:
        if data[:1] == profile.encode_stop():
            self.sensor.stop_asked_at.append(self.sensor.sent_to)
        super()._on_command(data)

    def _ended(self) -> None:
        super()._ended()
        self.sensor.stopped_at.append(self.sensor.sent_to)

    def _send_again(self, asked: profile.ResendCommand) -> None:
        sent_to = self.sensor.next_sample
        oldest = sent_to - min(sent_to - self._stream_first, round(self.fifo_s * self.sensor.reel.rate_hz))
        first = sent_to - ((sent_to - self.sensor.first_since_power_on - asked.first) & 0xFFFF)
        if first < oldest:
            self.refused.append((first, min(oldest, first + asked.samples)))
        super()._send_again(asked)


class WitnessedSensor(VirtualSensor):
    """Notes which sample was next at each START, and at each STOP behind the last packet that the transmit queue took.

    What it did not take at the very end was never sent, and nobody can know of it.
    """

    sent_to = 0
    firmware: WitnessedFirmware

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.started_from: list[int] = []
        self.stop_asked_at: list[int] = []
        self.stopped_at: list[int] = []

    async def _send(self, packet: Packet) -> None:
        self.sent_to = self.next_sample
        await super()._send(packet)


@dataclass
class FiveSensors:
    """The sensors, and the adapter by which a gateway in another process reaches them."""

    sensors: dict[Segment, WitnessedSensor]
    gate: StartGate
    link: SoftwareLink
    hci_port: int

    def readings(self, segment: Segment) -> np.ndarray:
        """All that this sensor measures, as its converter's counts (n, 6)."""
        sensor = self.sensors[segment]
        step = profile.resolution(sensor.firmware._acc_range_g, sensor.firmware._gyr_range_dps)
        playback = sensor.playback
        return np.hstack([to_counts(playback.acc_m_s2, step.acc_m_s2), to_counts(playback.gyr_rad_s, step.gyr_rad_s)])


@contextlib.asynccontextmanager
async def five_sensors(
    duration_s: float,
    *,
    ring_s: float = 4.0,
    drift_ppm: Sequence[float] = (0.0,) * 5,
    connection_interval_s: float = 0.0,
    supervision_timeout_s: float = 2.0,
    **options: Any,
) -> AsyncIterator[FiveSensors]:
    """Switched on, waiting to be started together. ring_s: for how long they can send again, of their own time."""
    link = SoftwareLink(connection_interval_s=connection_interval_s, supervision_timeout_s=supervision_timeout_s)
    gate, played, sensors = StartGate(), movements(duration_s), {}
    async with contextlib.AsyncExitStack() as stack:
        for number, (address, segment) in enumerate(WORN.items()):
            sensor = WitnessedSensor(
                f"Sinew {number + 1}", address, played[segment], link, firmware=WitnessedFirmware, gate=gate,
                clock_drift_ppm=drift_ppm[number], clock_start_us=CLOCK_START_US, **options,
            )  # fmt: skip
            sensor.firmware.fifo_s = ring_s
            sensors[segment] = await stack.enter_async_context(sensor)
        adapter = await stack.enter_async_context(HciServer(link))
        yield FiveSensors(sensors, gate, link, adapter.port)


@dataclass(frozen=True)
class Stored:
    """What was stored of one sensor in one session: the numbers of its samples in order, and each gap (first, end)."""

    numbers: np.ndarray
    gaps: list[tuple[int, int]]

    @property
    def lost(self) -> int:
        return sum(end - first for first, end in self.gaps)


def stored(chunks: Iterable[bytes], worn: FiveSensors) -> dict[Segment, Stored]:
    """Read a session's chunks, in order, and see that every reading is the one that its sensor took at that time.

    A block tells how many were lost before it; the first of a session has nothing to count from.
    """
    truth = {segment: worn.readings(segment) for segment in worn.sensors}
    numbers: dict[Segment, list[np.ndarray]] = {segment: [] for segment in worn.sensors}
    gaps: dict[Segment, list[tuple[int, int]]] = {segment: [] for segment in worn.sensors}
    for block in (block for chunk in chunks for block in decode_chunk(chunk)):
        segment, samples = Segment(block.segment), block.samples
        since_us = samples.sensor_time_us - CLOCK_START_US
        assert not (since_us % PERIOD_US).any(), f"{segment}: a sample stands at a time at which none was taken"
        which = since_us // PERIOD_US
        readings = np.hstack(
            [samples.acc_m_s2 / block.resolution.acc_m_s2, samples.gyr_rad_s / block.resolution.gyr_rad_s]
        )
        assert np.abs(readings - truth[segment][which]).max() < 1e-3, f"{segment}: not the readings of samples {which}"
        if samples.lost_before and numbers[segment]:
            gaps[segment].append((int(which[0]) - samples.lost_before, int(which[0])))
        numbers[segment].append(which)
    return {segment: Stored(np.concatenate(runs), gaps[segment]) for segment, runs in numbers.items() if runs}


def within(gap: tuple[int, int], ranges: Iterable[tuple[int, int]]) -> bool:
    """Whether every sample of a gap is in one of these ranges, which may overlap."""
    reached, end = gap
    for first, after in sorted(ranges):
        if first <= reached:
            reached = max(reached, after)
    return reached >= end


def assert_counted_exactly(kept: Stored) -> None:
    """Each sample once, in order, and what is missing between the first and the last is what was counted as lost."""
    steps = np.diff(kept.numbers)
    assert (steps >= 1).all(), "a sample is stored twice, or out of order"
    holes = [(int(kept.numbers[i]) + 1, int(kept.numbers[i + 1])) for i in np.flatnonzero(steps > 1)]
    assert holes == kept.gaps

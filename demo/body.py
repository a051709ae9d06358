"""A patient's body in the demo: two virtual sensors on a software radio, put on anew for each session."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, NamedTuple, Self

from analytics.domain.exercise import Exercise, Segment, Side
from demo.motion import Motion
from device_gateway.links.radio import Radio
from firmware_interface.virtual.families import FIRMWARES
from firmware_interface.virtual.families.open_imu import OpenFirmware
from firmware_interface.virtual.gate import StartGate
from firmware_interface.virtual.link import SoftwareLink
from firmware_interface.virtual.radio import SoftwareRadio
from firmware_interface.virtual.sensor import VirtualSensor

PROXIMAL_ADDRESS = "C1:00:00:00:00:01"
DISTAL_ADDRESS = "C1:00:00:00:00:02"


AWAY_S = 3.0
"""How long a patient leaves the radio's range: longer than its supervision timeout."""


class Trouble(NamedTuple):
    """What befalls the distal sensor, so many seconds of this machine's time after the first sample."""

    kind: Literal["away", "reboot", "die"]
    after_s: float


@dataclass(frozen=True, slots=True)
class SensorKind:
    """Which sensors are worn and how well they do: their family, how fast their crystals drift apart, what is lost."""

    family: str = OpenFirmware.family
    drift_ppm: float = 0.0
    queue_loss: float = 0.0
    queue_packets: int = 32
    connection_interval_s: float = 0.0
    troubles: tuple[Trouble, ...] = ()


class Body:
    """`async with Body(...)` switches the radio on; `wear(motion)` puts sensors on that are about to play it."""

    def __init__(self, exercise: Exercise, side: Side, speed: float, kind: SensorKind) -> None:
        self.segments: dict[str, Segment] = {
            PROXIMAL_ADDRESS: exercise.proximal_segment(side),
            DISTAL_ADDRESS: exercise.distal_segment(side),
        }
        self.sensors: tuple[VirtualSensor, ...] = ()
        self._speed = speed
        self._befalling: list[asyncio.Task[None]] = []
        self._kind = kind
        self._link = SoftwareLink(connection_interval_s=kind.connection_interval_s)
        self._software_radio = SoftwareRadio(self._link)

    @property
    def radio(self) -> Radio:
        radio = self._software_radio
        return Radio(radio.scanner_backend, radio.client_backend, sensors_outlive=False)

    @property
    def samples_sent(self) -> int:
        """Samples that the sensors took while a gateway listened, whether or not their radio could send them."""
        return sum(sensor.samples_sent + sensor.dropped for sensor in self.sensors)

    async def __aenter__(self) -> Self:
        await self._software_radio.start()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.take_off()
        await self._software_radio.stop()

    async def wear(self, motion: Motion) -> None:
        """Put on two sensors that play `motion` from the instant a gateway has started both."""
        await self.take_off()
        gate = StartGate()
        self.sensors = tuple(
            VirtualSensor(
                f"Sinew {number}",
                address,
                playback,
                self._link,
                firmware=FIRMWARES[self._kind.family],
                speed=self._speed,
                gate=gate,
                transmit_queue_packets=self._kind.queue_packets,
                queue_loss=self._kind.queue_loss,
                clock_drift_ppm=drift_ppm,
            )
            for number, (address, playback, drift_ppm) in enumerate(
                (
                    (PROXIMAL_ADDRESS, motion.proximal, self._kind.drift_ppm / 2),
                    (DISTAL_ADDRESS, motion.distal, -self._kind.drift_ppm / 2),
                ),
                1,
            )
        )
        for sensor in self.sensors:
            await sensor.start()
        self._befalling = [asyncio.create_task(self._befall(gate, trouble)) for trouble in self._kind.troubles]

    async def take_off(self) -> None:
        for task in self._befalling:
            task.cancel()
        await asyncio.gather(*self._befalling, return_exceptions=True)
        for sensor in self.sensors:
            await sensor.stop()
        self.sensors = ()

    async def played(self) -> None:
        """Wait until both sensors have played all they had."""
        await asyncio.gather(*(sensor.finished.wait() for sensor in self.sensors))

    async def _befall(self, gate: StartGate, trouble: Trouble) -> None:
        sensor = self.sensors[1]
        await gate.wait()
        await asyncio.sleep(trouble.after_s)
        match trouble.kind:
            case "away":
                sensor.walk_away()
                await asyncio.sleep(AWAY_S)
                sensor.walk_back()
            case "reboot":
                await sensor.reboot()
            case "die":
                sensor.die()

    def taken_at(self, distal_time_us: int) -> float | None:
        """The event loop's time at which the distal sensor took its sample; None before it has taken any."""
        if not self.sensors or self.sensors[1].first_sample_at is None:
            return None
        return self.sensors[1].taken_at(distal_time_us)

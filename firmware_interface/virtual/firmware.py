"""The shape of what runs on a virtual sensor's chip: one such class per family, in `families/`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from bumble.gatt import Service

from .gatt import GattCharacteristic

if TYPE_CHECKING:
    from .sensor import VirtualSensor


class Packet(NamedTuple):
    """`samples` of them in one or more notifications, which are sent or dropped together."""

    samples: int
    notifications: Sequence[tuple[GattCharacteristic, bytes]]


@dataclass(frozen=True, slots=True)
class Advertised:
    """What a scanner sees. services: 128-bit or 16-bit UUIDs as text."""

    name: str
    services: tuple[str, ...] = ()
    manufacturer: dict[int, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Identity:
    """The Device Information service. None leaves a text out, as many sensors do."""

    maker: str | None = None
    model: str | None = None
    serial: str | None = None
    firmware: str | None = None
    hardware: str | None = None


class Firmware(ABC):
    """One sensor's chip. `sensor` is the board it runs on: its signals, its clock, its radio.

    When told to by its gateway it calls `sensor.begin(batch)` and `sensor.end(…)`; in between the board asks `packets`
    for what is to be sent. It keeps no time and plays nothing by itself.
    """

    family: ClassVar[str]
    """The code of the driver's family."""
    has_battery_service: ClassVar[bool] = True

    def __init__(self, sensor: VirtualSensor) -> None:
        self.sensor = sensor

    @abstractmethod
    def advertised(self) -> Advertised:
        """What it advertises; the sensor's `name` is the patient's or the maker's to choose."""

    @abstractmethod
    def services(self) -> list[Service]:
        """Its GATT services, without Battery and Device Information."""

    @abstractmethod
    def packets(self, first: int, count: int) -> list[Packet]:
        """Samples `first` to `first + count` as they are sent: one packet or more, in order. Changes nothing."""

    def identity(self) -> Identity:
        """What its Device Information service tells."""
        return Identity()

    @property
    def largest_batch(self) -> int:
        """Samples that one packet can hold; more are asked for as several packets."""
        return 1 << 16

    def power_on(self) -> None:  # noqa: B027 - most have nothing to do
        """Begin as after a reset."""

    def on_subscription(  # noqa: B027
        self, characteristic: GattCharacteristic, subscribed: bool
    ) -> None:
        """The gateway has subscribed, or no longer wants to hear."""

    def on_disconnection(self) -> None:  # noqa: B027
        """The gateway has gone."""

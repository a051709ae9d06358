"""What boards with Arduino's sketches share: they notify readings, as three floats each, of what is subscribed to."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator

from bumble.core import UUID
from bumble.gatt import Service

from ...firmware import Advertised, Firmware, Packet
from ...gatt import GattCharacteristic, notifying, readable
from ...reel import Signals
from ...sensor import VirtualSensor


class SketchFirmware(Firmware):
    """A sketch's loop: whatever it has is sent at once, to whoever has subscribed to it.

    uuid: a pattern. streams: the numbers of its characteristics, in the order in which the loop comes to them.
    """

    uuid: str
    streams: tuple[str, ...]
    has_battery_service = False

    def __init__(self, sensor: VirtualSensor) -> None:
        super().__init__(sensor)
        self._streams = {number: notifying(self.uuid.format(number)) for number in self.streams}

    @abstractmethod
    def readings(self, number: int, signals: Signals) -> Iterator[tuple[str, bytes]]:
        """What the loop sends at sample `number`, given that sample's signals."""

    def rate_hz(self) -> float:
        """How often its loop has something to send."""
        return self.sensor.reel.rate_hz

    def advertised(self) -> Advertised:
        return Advertised(f"BLESense-{self.sensor.address.replace(':', '')[-4:]}", (self.uuid.format("0000"),))

    def services(self) -> list[Service]:
        version = readable(self.uuid.format("1001"), lambda: bytes(4))
        return [Service(UUID(self.uuid.format("0000")), [version, *self._streams.values()])]

    def packets(self, first: int, count: int) -> list[Packet]:
        return [
            Packet(
                1,
                [
                    (self._streams[stream], data)
                    for stream, data in self.readings(number, self.sensor.reel.signals(number, 1))
                    if self.sensor.listening(self._streams[stream])
                ],
            )
            for number in range(first, first + count)
        ]

    def on_subscription(self, characteristic: GattCharacteristic, subscribed: bool) -> None:
        heard = sum(map(self.sensor.listening, self._streams.values()))
        if not heard:
            self.sensor.fall_silent()
        elif subscribed and heard == 1:
            self.sensor.set_rate(self.rate_hz())
            self.sensor.begin(1)

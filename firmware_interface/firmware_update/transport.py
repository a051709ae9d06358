"""smpclient's transport over a link that the caller has made.

smpclient's own makes its BleakClient by itself, on this computer's Bluetooth only; a gateway has one place that
connects. Source: Zephyr, "SMP Transport Specification": requests are written without response, answers notified,
both cut into as many pieces as the link needs, with no framing but the SMP header.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from bleak import BleakClient
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.exc import BleakError
from smp.header import Header
from smpclient.transport import SMP_CHARACTERISTIC_UUID, SMPTransport, SMPTransportDisconnected

from .errors import NoUpdateServiceError

Connect = Callable[[Callable[[], None]], Awaitable[BleakClient]]
"""Connects to the sensor, waiting for it as long as it takes, and calls what it is given when the link ends.

Raises BleakError or TimeoutError where that does not succeed; what else it raises ends the update.
"""

_WRITE_LIMIT_BYTES = 512
"""The longest attribute value (Core 5.4, 3.F.3.2.9); an ATT MTU of 517 would let 514 through, which are dropped."""
_FRAME_LIMIT_BYTES = 4096
"""A sensor may offer more, but only the answer to a frame tells how far an upload is."""
_PIECES_LIMIT = 4096
"""The longest frame there is (65543 bytes) in the smallest pieces (20 bytes), and some more."""


class ClientTransport(SMPTransport):
    """One link to one sensor. one_write_per_frame: for a sensor that does not put pieces together."""

    def __init__(self, *, one_write_per_frame: bool = False) -> None:
        self.client: BleakClient | None = None
        self.gone = asyncio.Event()
        self._one_write_per_frame = one_write_per_frame
        self.answered = False
        """Whether a frame has come since `in_words` was entered."""
        self._pieces: asyncio.Queue[bytes] = asyncio.Queue(_PIECES_LIMIT)

    @property
    def name(self) -> str:
        """How a sentence about the sensor begins."""
        return f"The sensor {self.client.address}" if self.client else "The sensor"

    def on_gone(self) -> None:
        """To be called when the link ends."""
        self.gone.set()
        self._take(b"")  # wakes who waits for an answer

    async def connect(self, address: str, timeout_s: float) -> None:
        """Listen on the link, which is there. Raises NoUpdateServiceError."""
        client, _ = self._linked()
        await client.start_notify(SMP_CHARACTERISTIC_UUID, self._on_notification)

    async def disconnect(self) -> None:
        """Hang up. Harmless where the link is gone already."""
        if self.client is not None:
            with contextlib.suppress(BleakError):
                await self.client.disconnect()

    async def send(self, data: bytes) -> None:
        client, characteristic = self._linked()
        for start in range(0, len(data), self.mtu):
            await client.write_gatt_char(characteristic, data[start : start + self.mtu], response=False)

    async def receive(self) -> bytes:
        """One frame, the first that has not been asked for. After an answer that stayed out, a new link is needed."""
        frame = bytearray()
        while len(frame) < Header.SIZE or len(frame) < Header.SIZE + int.from_bytes(frame[2:4], "big"):
            frame += await self._pieces.get()
            if self.gone.is_set():
                raise SMPTransportDisconnected
        self.answered = True
        return bytes(frame)

    async def send_and_receive(self, data: bytes) -> bytes:
        await self.send(data)
        return await self.receive()

    @property
    def mtu(self) -> int:
        """What one write holds. On Linux this takes BlueZ 5.62; an older one tells the least, 20 bytes."""
        _, characteristic = self._linked()
        return min(characteristic.max_write_without_response_size, _WRITE_LIMIT_BYTES)

    @property
    def max_unencoded_size(self) -> int:
        """What one frame may hold."""
        offered = self._smp_server_transport_buffer_size
        return min(offered, _FRAME_LIMIT_BYTES) if offered and not self._one_write_per_frame else self.mtu

    def _linked(self) -> tuple[BleakClient, BleakGATTCharacteristic]:
        if self.client is None or self.gone.is_set():
            raise SMPTransportDisconnected
        characteristic = self.client.services.get_characteristic(SMP_CHARACTERISTIC_UUID)
        if characteristic is None:
            raise NoUpdateServiceError(
                f"{self.name} does not offer firmware updates over Bluetooth (MCUmgr SMP): update it with its maker's "
                "app."
            )
        return self.client, characteristic

    def _on_notification(self, _: BleakGATTCharacteristic, piece: bytearray) -> None:
        self._take(bytes(piece))

    def _take(self, piece: bytes) -> None:
        with contextlib.suppress(asyncio.QueueFull):  # who sends so much unasked is not answering: it is cut short
            self._pieces.put_nowait(piece)

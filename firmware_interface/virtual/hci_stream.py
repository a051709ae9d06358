"""HCI over a byte stream: packet after packet as it is, its type byte first (H4, Core 5.4, 4.A)."""

from __future__ import annotations

import asyncio

from bumble.core import InvalidPacketError
from bumble.transport.common import PacketParser, TransportSink


class HciStream(asyncio.Protocol):
    """One end of such a stream: what arrives goes to the sink that is set, what `on_packet` is given goes out.

    `ended` is done when the stream is over, whoever ended it.
    """

    def __init__(self) -> None:
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._parser = PacketParser()
        self._transport: asyncio.Transport | None = None

    def set_packet_sink(self, sink: TransportSink) -> None:
        self._parser.set_packet_sink(sink)

    def on_packet(self, packet: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(packet)

    def close(self) -> None:
        """End it at once: the other end may never read what is still to be sent."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except InvalidPacketError:  # whoever speaks no HCI is not listened to: where a packet begins is lost for good
            self.close()

    def pause_writing(self) -> None:
        """Who does not read is not read either: HCI would let a host ask without end and leave the answers."""
        assert self._transport is not None
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        assert self._transport is not None
        self._transport.resume_reading()

    def connection_lost(self, _error: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(None)

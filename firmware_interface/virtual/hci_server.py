"""A Bluetooth adapter on a software link, offered to another process: HCI over TCP.

    async with HciServer(link) as server:
        print(server.port)

Its client is a `SoftwareRadio.over_tcp` or a virtual machine whose Linux takes it for its Bluetooth hardware.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
from types import TracebackType
from typing import Self

from .controller import SoftwareController
from .hci_stream import HciStream
from .link import SoftwareLink

_PUBLIC_ADDRESS = "53:69:6E:65:77:01"
_PAUSE_S = 1.0
"""After a host that could not be served: what was missing, such as a file descriptor, may be there again."""

log = logging.getLogger(__name__)


class _Host(HciStream):
    """The connection to a host, which has an adapter of its own for as long as it lasts."""

    def __init__(self, link: SoftwareLink) -> None:
        super().__init__()
        self._link = link
        self._controller = SoftwareController("adapter", link, _PUBLIC_ADDRESS)
        self._controller.host = self
        self.set_packet_sink(_Careful(self._controller, self))

    def pause_writing(self) -> None:
        """A host that does not read is as good as out of range: what is meant for it waits with its senders."""
        super().pause_writing()
        self._link.out_of_range(self._controller)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._link.in_range(self._controller)

    def connection_lost(self, error: Exception | None) -> None:
        try:
            self._link.in_range(self._controller)  # its goodbye is to go out
            self._controller.host = None
            self._controller.fall_silent()
            self._link.remove_controller(self._controller)
        finally:
            super().connection_lost(error)


class _Careful:
    """Hangs up on a host over the first packet that its adapter does not understand.

    bumble's parser would print a traceback for each and go on.
    """

    def __init__(self, controller: SoftwareController, host: _Host) -> None:
        self._controller = controller
        self._host = host
        self._hung_up = False

    def on_packet(self, packet: bytes) -> None:
        if self._hung_up:
            return
        try:
            self._controller.on_packet(packet)
        except Exception as error:  # bumble raises whatever its reading of the packet runs into
            self._hung_up = True
            log.warning("A host sent an HCI packet that makes no sense (%r) and is hung up on.", error)
            self._host.close()


class HciServer:
    """Serves one host at a time; when it goes away its connections end, and the next in the queue is served.

    host: a loopback address (IPv4); nothing protects the adapter from others. Raises ValueError for another.
    port: 0 takes one that is free. socket_buffer_bytes: how much waits on its way for a host that reads slowly; None is
    the system's, some megabytes.
    """

    def __init__(
        self, link: SoftwareLink, *, host: str = "127.0.0.1", port: int = 0, socket_buffer_bytes: int | None = None
    ) -> None:
        if not ipaddress.ip_address(host).is_loopback:
            raise ValueError(
                f"The adapter cannot be offered at {host}: it has no protection, so only this computer may reach it; "
                "use 127.0.0.1."
            )
        self.host = host
        self.port = port
        self._link = link
        self._socket_buffer_bytes = socket_buffer_bytes
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen; `port` then tells where. Raises OSError where the port is taken."""
        listener = socket.create_server((self.host, self.port))
        if self._socket_buffer_bytes is not None:
            for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
                listener.setsockopt(socket.SOL_SOCKET, option, self._socket_buffer_bytes)
        listener.setblocking(False)
        self.port = listener.getsockname()[1]
        self._serving = asyncio.get_running_loop().create_task(self._serve(listener))

    async def stop(self) -> None:
        """Hang up on the host and listen no more."""
        if self._serving is not None:
            self._serving.cancel()
            await asyncio.wait([self._serving])

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop()

    async def _serve(self, listener: socket.socket) -> None:
        with listener:
            while True:
                try:
                    await self._serve_next(listener)
                except Exception:
                    log.exception("A host could not be served; the next is waited for.")
                    await asyncio.sleep(_PAUSE_S)

    async def _serve_next(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        connection, _ = await loop.sock_accept(listener)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _, host = await loop.connect_accepted_socket(lambda: _Host(self._link), connection)
        except BaseException:
            connection.close()
            raise
        try:
            await asyncio.shield(host.ended)
        finally:
            host.close()
            await host.ended

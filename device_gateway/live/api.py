"""The local API for phones and room displays: WebSocket over TLS, the gateway's own certificate, a token per phone.

`/live` is the live channel, `/pair` lets a new phone in, `/schema` says what is spoken (docs/gateway-live-channel.md).
"""

from __future__ import annotations

import asyncio
import http
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable
from math import ceil
from uuid import UUID

from pydantic import ValidationError
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Data

from analytics.domain import pairing
from analytics.domain.live import Command
from device_gateway.errors import GatewayError, StoreError

from .hub import Listener, LiveHub
from .pairing import Pairing
from .phones import Phone, Phones
from .schema import live_schema

PATH = "/live"
SCHEMA_PATH = "/schema"
MOST_LISTENERS = 16
LARGEST_COMMAND_BYTES = 4096
SEND_BUFFER_BYTES, WRITE_LIMIT_BYTES = 2**15, 2**13
"""What lies here is old before a slow phone gets it; left alone, the kernel lets it grow to megabytes (tcp(7))."""
STUCK_S = 30.0
"""A listener that takes nothing for so long is closed. WebSocket pings do not see it: they wait behind the rest."""

log = logging.getLogger(__name__)
# Whoever scans the network's ports, or only looks at the certificate, is no error of this program.
log.addFilter(lambda record: record.getMessage() != "opening handshake failed")


class LocalApi:
    """Serves `hub` to the phones that are let in, hands their commands to `obey`, and lets new ones in by `pairing`."""

    def __init__(
        self,
        hub: LiveHub,
        phones: Phones,
        pairing: Pairing,
        obey: Callable[[Command], Awaitable[None]],
        *,
        stuck_s: float = STUCK_S,
    ) -> None:
        self._hub = hub
        self._phones = phones
        self._pairing = pairing
        self._obey = obey
        self._stuck_s = stuck_s
        self._listening: dict[ServerConnection, UUID] = {}
        self._server: Server | None = None
        phones.on_revoked = self._shut_out

    async def start(self, host: str, port: int, context: ssl.SSLContext) -> int:
        """Listen, and return the port. Raises GatewayError where it cannot be had."""
        try:
            self._server = await serve(
                self._serve, host, port, ssl=context, process_request=self._admit, max_size=LARGEST_COMMAND_BYTES,
                compression=None, server_header=None, logger=log, write_limit=WRITE_LIMIT_BYTES,
            )  # fmt: skip
        except (OSError, OverflowError) as trouble:
            raise GatewayError(
                f"The gateway cannot listen on {host} port {port} ({getattr(trouble, 'strerror', None) or trouble}): "
                "stop what uses that port, or choose another with --port (1 to 65535)."
            ) from trouble
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """Answer here what needs no WebSocket, refusals among it."""
        if request.path == SCHEMA_PATH:
            return _answer(http.HTTPStatus.OK, live_schema(), "application/schema+json")
        if request.path == pairing.PATH:
            return self._pause()
        if self._phone(request) is None:
            return _answer(
                http.HTTPStatus.UNAUTHORIZED,
                "This gateway does not know this phone: pair it with a code, or sign in again to have its token from "
                "the clinic.",
                fields={"WWW-Authenticate": "Bearer"},
            )
        if request.path != PATH:
            return _answer(http.HTTPStatus.NOT_FOUND, f"The live channel is at {PATH}.")
        return None

    def _pause(self) -> Response | None:
        pause_s = ceil(self._pairing.codes.pause_s())
        if pause_s == 0:
            return None
        return _answer(
            http.HTTPStatus.TOO_MANY_REQUESTS,
            f"Too many wrong codes: wait {pause_s} s.",
            fields={"Retry-After": str(pause_s)},
        )

    def _phone(self, request: Request | None) -> Phone | None:
        scheme, _, token = (request.headers if request else Headers()).get("Authorization", "").partition(" ")
        return self._phones.admit(token.strip()) if scheme.lower() == "bearer" else None

    async def _serve(self, connection: ServerConnection) -> None:
        if connection.request is not None and connection.request.path == pairing.PATH:
            await self._pairing.serve(connection)
            return
        phone = self._phone(connection.request)
        if phone is None:
            return  # revoked since it knocked
        if len(self._listening) >= MOST_LISTENERS:
            await connection.close(1013, f"{MOST_LISTENERS} listeners are connected already: close one of them.")
            return
        connection.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        self._listening[connection] = phone.id
        listener = self._hub.join()
        telling = asyncio.create_task(self._tell(connection, listener))
        noting = asyncio.create_task(self._note(phone))
        try:
            await self._hear(connection)
        except ConnectionClosed:
            pass  # a phone went out of reach: nothing to say
        finally:
            self._hub.leave(listener)
            self._listening.pop(connection, None)
            telling.cancel()
            await asyncio.gather(telling, noting, return_exceptions=True)

    async def _hear(self, connection: ServerConnection) -> None:
        async for message in connection:
            if connection not in self._listening:
                return  # shut out: what it said last counts no more
            await self._take(connection, message)

    async def _take(self, connection: ServerConnection, message: Data) -> None:
        try:
            command = Command.model_validate_json(message)
        except ValidationError:
            await connection.close(1007, f"That is not a command: GET {SCHEMA_PATH} says what is.")
            return
        await self._obey(command)

    async def _tell(self, connection: ServerConnection, listener: Listener) -> None:
        """Send one message at a time; while the network is slow, the listener keeps what is still worth telling."""
        try:
            while True:
                message = await listener.next()
                async with asyncio.timeout(self._stuck_s):
                    await connection.send(message, text=True)
        except TimeoutError:
            log.info("A listener that took nothing was closed.")
            connection.transport.abort()
        except ConnectionClosed:
            pass

    async def _note(self, phone: Phone) -> None:
        try:
            await self._phones.saw(phone)
        except StoreError as trouble:
            log.warning("That a phone was here is not noted: %s", trouble)

    def _shut_out(self, phone: Phone) -> None:
        """At once, and without the courtesy of a closing handshake, which the other side could draw out."""
        for connection in [connection for connection, whose in self._listening.items() if whose == phone.id]:
            del self._listening[connection]
            connection.transport.abort()


def _answer(
    status: http.HTTPStatus, text: str, kind: str = "text/plain; charset=utf-8", fields: dict[str, str] | None = None
) -> Response:
    body = text.encode()
    headers = Headers(fields or {})
    headers["Content-Type"] = kind
    headers["Content-Length"] = str(len(body))
    headers["Connection"] = "close"
    return Response(status.value, status.phrase, headers, body)

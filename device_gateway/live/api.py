"""The live channel for phone and room display: WebSocket over TLS, the gateway's own certificate, a bearer token."""

from __future__ import annotations

import asyncio
import hmac
import http
import logging
import ssl
from collections.abc import Awaitable, Callable

from pydantic import ValidationError
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Data

from analytics.domain.live import Command
from device_gateway.errors import GatewayError

from .hub import LiveHub

PATH = "/live"
MOST_LISTENERS = 16
LARGEST_COMMAND_BYTES = 4096

log = logging.getLogger(__name__)
# Whoever scans the network's ports, or only looks at the certificate, is no error of this program.
log.addFilter(lambda record: record.getMessage() != "opening handshake failed")


class LocalApi:
    """Serves `hub` to whoever holds `token`, and hands their commands to `obey`."""

    def __init__(self, hub: LiveHub, token: str, obey: Callable[[Command], Awaitable[None]]) -> None:
        self._hub = hub
        self._token = token
        self._obey = obey
        self._server: Server | None = None

    async def start(self, host: str, port: int, context: ssl.SSLContext) -> int:
        """Listen, and return the port. Raises GatewayError where it cannot be had."""
        try:
            self._server = await serve(
                self._serve, host, port, ssl=context, process_request=self._admit, max_size=LARGEST_COMMAND_BYTES,
                compression=None, server_header=None, logger=log,
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
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(token.strip().encode(), self._token.encode()):
            return _refusal(
                http.HTTPStatus.UNAUTHORIZED,
                "This gateway does not know this phone: sign in again to have its token from the clinic.",
                Headers({"WWW-Authenticate": "Bearer"}),
            )
        if request.path != PATH:
            return _refusal(http.HTTPStatus.NOT_FOUND, f"The live channel is at {PATH}.")
        return None

    async def _serve(self, connection: ServerConnection) -> None:
        if len(connection.server.connections) > MOST_LISTENERS:
            await connection.close(1013, f"{MOST_LISTENERS} listeners are connected already: close one of them.")
            return
        listener = self._hub.join()
        telling = asyncio.create_task(_tell(connection, listener.next))
        try:
            async for message in connection:
                await self._take(connection, message)
        except ConnectionClosed:
            pass  # a phone went out of reach: nothing to say
        finally:
            self._hub.leave(listener)
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)

    async def _take(self, connection: ServerConnection, message: Data) -> None:
        try:
            command = Command.model_validate_json(message)
        except ValidationError:
            await connection.close(1007, "That is not a command: send start, stop, pause, resume or hurts as JSON.")
            return
        await self._obey(command)


async def _tell(connection: ServerConnection, next_message: Callable[[], Awaitable[str]]) -> None:
    """Send one message at a time; while the network is slow, `next_message` leaves out all angles but the newest."""
    try:
        while True:
            await connection.send(await next_message())
    except ConnectionClosed:
        pass


def _refusal(status: http.HTTPStatus, sentence: str, headers: Headers | None = None) -> Response:
    body = sentence.encode()
    fields = headers or Headers()
    fields["Content-Type"] = "text/plain; charset=utf-8"
    fields["Content-Length"] = str(len(body))
    fields["Connection"] = "close"
    return Response(status.value, status.phrase, fields, body)

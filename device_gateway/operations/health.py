"""`/healthz` and `/metrics` over plain HTTP, for this computer alone unless the settings say otherwise.

No personal data goes out here. Served by `websockets`, which the live channel brings along and which answers a plain
GET through `process_request`; the format of `/metrics` is prometheus_client's.
"""

from __future__ import annotations

import http
import json
import logging
from collections.abc import Awaitable, Callable

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from device_gateway.conditions import Trouble
from device_gateway.errors import GatewayError

from .metrics import CONTENT_TYPE, exposition
from .status import GatewayStatus

UNFIT = frozenset(Trouble) - {
    Trouble.DISK_NEARLY_FULL,
    Trouble.CLINIC_UNREACHABLE,
    Trouble.MODEL_REFUSED,
    Trouble.PROGRAM_REFUSED,
    Trouble.SENSORS_APART,
}
"""With these a patient cannot exercise as meant, or what is recorded is at risk; the others only wait."""

log = logging.getLogger(__name__)
log.addFilter(lambda record: record.getMessage() != "opening handshake failed")  # every answer here ends one


class Health:
    """`start`, then it answers by `status` until `close`."""

    def __init__(self, status: Callable[[], Awaitable[GatewayStatus]]) -> None:
        self._status = status
        self._server: Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen, and return the port. Raises GatewayError where it cannot be had."""
        try:
            self._server = await serve(
                _no_channel, host, port, process_request=self._answer, server_header=None, logger=log
            )
        except OSError as trouble:
            raise GatewayError(
                f"/healthz and /metrics cannot be served on {host} port {port} ({trouble.strerror}): choose another "
                "with --health-port, or 0 to do without."
            ) from trouble
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _answer(self, connection: ServerConnection, request: Request) -> Response:
        match request.path:
            case "/metrics":
                return _response(http.HTTPStatus.OK, CONTENT_TYPE, exposition(await self._status()))
            case "/healthz":
                return _health(await self._status())
            case _:
                return _response(http.HTTPStatus.NOT_FOUND, "text/plain", b"/healthz and /metrics are here.")


def _health(status: GatewayStatus) -> Response:
    unfit = [condition.model_dump() for condition in status.conditions if condition.code in UNFIT]
    body = {"status": "unfit" if unfit else "ok", **({"conditions": unfit} if unfit else {})}
    code = http.HTTPStatus.SERVICE_UNAVAILABLE if unfit else http.HTTPStatus.OK
    return _response(code, "application/json", json.dumps(body).encode())


def _response(status: http.HTTPStatus, content_type: str, body: bytes) -> Response:
    fields = {"Content-Type": content_type, "Content-Length": str(len(body)), "Connection": "close"}
    return Response(status.value, status.phrase, Headers(fields), body)


async def _no_channel(connection: ServerConnection) -> None:
    """Never reached: every request is answered before it could become a channel."""

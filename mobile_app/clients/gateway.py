"""The line to the gateway at home: live events in, commands out, over TLS to one known certificate.

A gateway signs its own certificate, so no authority vouches for it. What vouches is its SHA-256, which the clinic told
this phone, or which it learnt when it was paired: it is compared after the TLS handshake, in which the gateway proved
to hold the key, and before the first byte that carries the token.
"""

from __future__ import annotations

import hashlib
import hmac
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from pydantic import ValidationError
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI

from analytics.domain.live import Command, LiveEvent, parse_live_event

from .clinic import GatewayAddress

OPEN_TIMEOUT_S = 8.0
PING_INTERVAL_S = 5.0
"""A gateway that is silent for two of these is gone; the default of 20 s would leave a patient waiting."""


class GatewayError(RuntimeError):
    """The gateway cannot be followed; the message says why and what to do."""


class WrongCertificate(GatewayError):  # noqa: N818
    """Something else answers at the gateway's address."""


class LiveLine:
    """An open line to the gateway."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def events(self) -> AsyncIterator[LiveEvent]:
        """Live events as they come; ends when the gateway closes the line. Raises GatewayError when it breaks."""
        try:
            async for message in self._connection:
                try:
                    event = parse_live_event(message)
                except ValidationError:
                    continue  # a newer gateway may tell more than this app understands
                yield event
        except ConnectionClosed as error:
            raise GatewayError("The line to your gateway broke.") from error

    async def send(self, command: Command) -> None:
        try:
            await self._connection.send(command.model_dump_json(exclude_none=True))
        except ConnectionClosed as error:
            raise GatewayError("The line to your gateway broke.") from error


@asynccontextmanager
async def open_live_line(address: GatewayAddress) -> AsyncIterator[LiveLine]:
    """Connect to the gateway. Raises GatewayError, or WrongCertificate before the token was sent."""
    if not address.live_url.startswith("wss://"):
        raise GatewayError("Your gateway's address is not a protected one. Please tell your clinic.")
    try:
        connection = await connect(
            address.live_url,
            ssl=unpinned_tls(),
            create_connection=_pinned(address.certificate_sha256),
            additional_headers={"Authorization": f"Bearer {address.live_token}"},
            proxy=None,  # the gateway is in the same home
            open_timeout=OPEN_TIMEOUT_S,
            ping_interval=PING_INTERVAL_S,
            ping_timeout=PING_INTERVAL_S,
            max_size=2**22,
        )
    except InvalidStatus as error:
        raise GatewayError(
            "Your gateway does not know this phone. Sign out and in again, then retry; if it stays, call your clinic."
        ) from error
    except (OSError, TimeoutError, InvalidHandshake, InvalidURI) as error:
        raise GatewayError(
            "Your gateway does not answer. Check that it has power and that this phone is in your home's network."
        ) from error
    try:
        yield LiveLine(connection)
    finally:
        await connection.close()


def unpinned_tls() -> ssl.SSLContext:
    """TLS that takes any certificate: what is told over it must wait for the pin, or not mind."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def seen_certificate(connection: ClientConnection) -> str:
    """The hex SHA-256 of the certificate that the other side has shown, over its DER form."""
    tls = connection.transport.get_extra_info("ssl_object")
    certificate = tls.getpeercert(binary_form=True) if tls is not None else None
    return hashlib.sha256(certificate or b"").hexdigest()


def _pinned(certificate_sha256: str) -> type[ClientConnection]:
    """A connection that says nothing before it has seen the certificate with this hex SHA-256 (over its DER form)."""

    class PinnedConnection(ClientConnection):
        async def handshake(self, *arguments: Any, **keywords: Any) -> None:
            if not hmac.compare_digest(seen_certificate(self), certificate_sha256.replace(":", "").lower()):
                raise WrongCertificate(
                    "What answers at your gateway's address is not your gateway. Nothing was sent. "
                    "Check that this phone is in your home's network; if it stays, call your clinic."
                )
            await super().handshake(*arguments, **keywords)

    return PinnedConnection

"""The gateway's side of pairing a phone by a code; what is said is in `analytics.domain.pairing`, why in the docs."""

from __future__ import annotations

import asyncio
import logging
import secrets

from pydantic import ValidationError
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from analytics.domain.pairing import (
    NONCE_BYTES,
    PairingGrant,
    PairingOffer,
    PairingRequest,
    proof,
    proves,
    shared_key,
)
from device_gateway.errors import StoreError

from .codes import Codes
from .phones import Phones

ANSWER_WITHIN_S = 30.0
MOST_AT_ONCE = 4
"""Phones that are being paired. Strangers may fill these places; those of listeners are not touched by them."""
NOT_A_REQUEST, WRONG_CODE, TOO_MANY, NOT_KEPT = 4400, 4401, 4429, 4507
"""Close codes (RFC 6455, section 7.4.2, leaves 4000–4999 to applications); the last digits are HTTP's."""

log = logging.getLogger(__name__)


class Pairing:
    """Pairs one phone at a time. name: what the phone is told that this gateway is called."""

    def __init__(self, codes: Codes, phones: Phones, *, name: str, certificate_sha256: str) -> None:
        self.codes = codes
        self._phones = phones
        self._name = name
        self._certificate_sha256 = certificate_sha256
        self._looking = asyncio.Lock()
        self._connected = 0

    async def serve(self, connection: ServerConnection) -> None:
        """One phone's try, to its end."""
        if self._connected >= MOST_AT_ONCE:
            await connection.close(TOO_MANY, "Other phones are being paired: try again in a minute.")
            return
        self._connected += 1
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                await self._converse(connection)
        except (ConnectionClosed, TimeoutError):
            pass
        except ValidationError:
            await connection.close(NOT_A_REQUEST, "That is not how a phone is paired with this gateway.")
        except StoreError as trouble:
            log.warning("A phone could not be paired: %s", trouble)
            await connection.close(NOT_KEPT, "The gateway's disk does not take it: see to that, then pair again.")
        finally:
            self._connected -= 1

    async def _converse(self, connection: ServerConnection) -> None:
        offer = PairingOffer(nonce=secrets.token_hex(NONCE_BYTES))
        await connection.send(offer.model_dump_json())
        request = PairingRequest.model_validate_json(await connection.recv())
        async with self._looking:  # or many at once would be one try
            if self.codes.pause_s() > 0:
                await connection.close(TOO_MANY, "Too many wrong codes: wait a minute.")
                return
            found = await self._find(offer.nonce, request)
            if found is None:
                self.codes.tried_wrongly()
                await connection.close(WRONG_CODE, "That code is wrong, used or expired: ask for a new one.")
                return
            code, key = found
            token = await self._phones.pair(request.name)
            self.codes.used(code)
        grant = PairingGrant(
            proof=proof(key, "gateway"), token=token, name=self._name, certificate_sha256=self._certificate_sha256
        )
        await connection.send(grant.model_dump_json())
        log.info("A phone was paired.")

    async def _find(self, gateway_nonce: str, request: PairingRequest) -> tuple[str, bytes] | None:
        """Which of the open codes the phone has, and the key made of it. A quarter of a second each, in a thread."""
        for code in self.codes.open():
            key = await asyncio.to_thread(shared_key, code, gateway_nonce, request.nonce, self._certificate_sha256)
            if proves(request.proof, key, "phone"):
                return code, key
        return None

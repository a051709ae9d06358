"""Pairing this phone with the gateway at home by a code, without the clinic (docs/gateway-live-channel.md).

The phone does not know the gateway's certificate yet, so it takes whatever it is shown into the key that both make of
the code. Whoever does not know the code learns from this phone's proof no more than a chance to try codes one by one,
and can neither answer it nor pass it on.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass

from pydantic import ValidationError
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI

from analytics.domain.pairing import (
    NONCE_BYTES,
    PATH,
    PairingGrant,
    PairingOffer,
    PairingRequest,
    proof,
    proves,
    read_code,
    shared_key,
)

from .clinic import GatewayAddress
from .gateway import OPEN_TIMEOUT_S, GatewayError, seen_certificate, unpinned_tls

ANSWER_TIMEOUT_S = 40.0
"""The gateway makes several keys, one by one, and a small computer takes a second for each."""

_REFUSALS = {
    4401: "Your gateway does not take this code. Read it again letter by letter, or ask for a new one: most codes hold "
    "for ten minutes and for one phone.",
    4429: "Your gateway is busy with other codes. Wait a minute, then try again.",
    4507: "Your gateway's disk is full or fails, so it cannot remember this phone. Please tell your clinic.",
}
_NOT_OURS = (
    "What answers there does not know the code, so it is not your gateway. Nothing of yours was given away. "
    "Do not use this code again: ask for a new one, and for a new label if it stood there."
)


@dataclass(frozen=True)
class PairedGateway:
    """What a phone remembers for good: where its gateway is, how to know it, what opens it, and what it is called."""

    name: str
    address: GatewayAddress


async def pair(host: str, port: int, code: str, *, phone_name: str) -> PairedGateway:
    """Pair with the gateway that listens there. `phone_name` is how the gateway will list this phone.

    Raises ValueError for what cannot be a code, and GatewayError where it does not come to a pairing; both with a
    sentence.
    """
    letters = read_code(code)
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        connection = await connect(
            f"wss://{where}{PATH}", ssl=unpinned_tls(), proxy=None, open_timeout=OPEN_TIMEOUT_S, max_size=4096
        )
    except InvalidStatus as error:
        busy = error.response.status_code == 429
        raise GatewayError(_REFUSALS[4429] if busy else "Your gateway cannot pair phones. Update it first.") from error
    except (OSError, TimeoutError, InvalidHandshake, InvalidURI) as error:
        raise GatewayError(
            "No gateway answers there. Check the address, and that this phone is in your home's network."
        ) from error
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            grant = await _agree(connection, letters, phone_name)
    except TimeoutError as error:
        raise GatewayError("Your gateway did not answer in time. Try again with a new code.") from error
    except ConnectionClosed as error:
        code_said = error.rcvd.code if error.rcvd else None
        raise GatewayError(
            _REFUSALS.get(code_said or 0, "The line to your gateway broke. Try again with a new code.")
        ) from error
    except ValidationError as error:
        raise GatewayError(_NOT_OURS) from error
    finally:
        await connection.close()
    return PairedGateway(
        grant.name,
        GatewayAddress(
            live_url=f"wss://{where}/live", certificate_sha256=grant.certificate_sha256, live_token=grant.token
        ),
    )


async def _agree(connection: ClientConnection, code: str, phone_name: str) -> PairingGrant:
    certificate_sha256 = seen_certificate(connection)
    offer = PairingOffer.model_validate_json(await connection.recv())
    nonce = secrets.token_hex(NONCE_BYTES)
    key = await asyncio.to_thread(shared_key, code, offer.nonce, nonce, certificate_sha256)
    request = PairingRequest(name=phone_name, nonce=nonce, proof=proof(key, "phone"))
    await connection.send(request.model_dump_json())
    grant = PairingGrant.model_validate_json(await connection.recv())
    if not proves(grant.proof, key, "gateway") or grant.certificate_sha256 != certificate_sha256:
        raise GatewayError(_NOT_OURS)
    return grant

"""The key that proves this gateway, and the clinic's calls that it is used in."""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from analytics.domain import signed
from analytics.domain.base import Word
from device_gateway.errors import RefusedError, UnreachableError

from .wire import Wire, is_problem


class OtherGateway(Word):
    name: str
    claimed_at: datetime


class Grant(Word):
    """A token for so many seconds, how old the key is that it was given for, and who else is this patient's gateway."""

    token: str
    expires_in_s: int
    key_age_s: int
    server_time: datetime
    other_gateways: tuple[OtherGateway, ...] = ()


class Claimed(Word):
    gateway_id: str
    patient_id: str


class _Challenge(Word):
    nonce: str


class SigningKey:
    """Ed25519 (RFC 8032). `secret` is how it is kept: 32 bytes in base64, in the gateway's store, mode 0600."""

    def __init__(self, secret: str) -> None:
        self.secret = secret
        self._key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(secret, validate=True))
        public = self._key.public_key().public_bytes_raw()
        self.public_key = base64.b64encode(public).decode()
        self.id = hashlib.sha256(public).hexdigest()

    @classmethod
    def make(cls) -> SigningKey:
        return cls(base64.b64encode(Ed25519PrivateKey.generate().private_bytes_raw()).decode())

    def sign(self, purpose: str, gateway_id: str, wire: Wire, content: str) -> str:
        text = signed.message(purpose, gateway_id=gateway_id, authority=wire.authority, content=content)
        return base64.b64encode(self._key.sign(text)).decode()


async def claim(wire: Wire, code: str, name: str, key: SigningKey, patient_id: str | None) -> Claimed:
    """Become the gateway of the patient whom the clinic gave this code for; of no other than `patient_id`, if given."""
    wish = {"claim_code": code, "name": name, "public_key": key.public_key, "patient_id": patient_id}
    return wire.read(Claimed, await wire.ask("POST", "gateways/claim", json=wish))


async def sign_in(wire: Wire, gateway_id: str, key: SigningKey) -> Grant:
    """A token for a signed nonce. Raises ShutOutError where the clinic does not know this key."""
    nonce = wire.read(_Challenge, await wire.ask("POST", f"gateways/{gateway_id}/challenge")).nonce
    signature = key.sign(signed.TOKEN, gateway_id, wire, nonce)
    answer = {"key_id": key.id, "nonce": nonce, "signature": signature}
    try:
        return wire.read(Grant, await wire.ask("POST", f"gateways/{gateway_id}/token", json=answer))
    except RefusedError as refusal:
        if is_problem(refusal, "challenge-expired"):
            raise UnreachableError(
                "The way to the clinic's server is too slow, or it was started anew: signing in is tried again."
            ) from refusal
        raise


async def register(wire: Wire, gateway_id: str, new: SigningKey, old: SigningKey | None, token: str) -> None:
    """Make a new key known, signed by itself and by the one before; there is none where a long-lived token was."""
    wish = {
        "public_key": new.public_key,
        "signature": new.sign(signed.NEW_KEY, gateway_id, wire, new.public_key),
        "signature_by_old": old and old.sign(signed.NEW_KEY, gateway_id, wire, new.public_key),
    }
    await wire.ask("POST", "gateway/keys", token=token, json=wish)

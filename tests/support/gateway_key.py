"""A gateway's key in the hands of a test: what it sends to prove itself, in the words of the protocol."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from analytics.domain import signed


class GatewayKey:
    """Made from a seed, so that the same number is the same key."""

    def __init__(self, seed: int = 0) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed.to_bytes(32, "big"))
        self.public_bytes = self._key.public_key().public_bytes_raw()
        self.public_key = base64.b64encode(self.public_bytes).decode()
        self.id = hashlib.sha256(self.public_bytes).hexdigest()

    def sign(self, purpose: str, gateway_id: object, content: str, authority: str = "127.0.0.1") -> str:
        text = signed.message(purpose, gateway_id=str(gateway_id), authority=authority, content=content)
        return base64.b64encode(self._key.sign(text)).decode()

    def answer(self, gateway_id: object, nonce: str, authority: str = "127.0.0.1") -> dict[str, str]:
        """The body for …/token."""
        signature = self.sign(signed.TOKEN, gateway_id, nonce, authority)
        return {"key_id": self.id, "nonce": nonce, "signature": signature}

    def follows(self, old: GatewayKey | None, gateway_id: object) -> dict[str, Any]:
        """The body for gateway/keys."""
        body = {"public_key": self.public_key, "signature": self.sign(signed.NEW_KEY, gateway_id, self.public_key)}
        if old is not None:
            body["signature_by_old"] = old.sign(signed.NEW_KEY, gateway_id, self.public_key)
        return body

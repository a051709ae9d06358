"""Nonces for gateways to sign: each good for one gateway, once, within a minute.

A nonce carries its own expiry under a MAC, so nothing is kept for whoever merely asks: only nonces that came back with
a good MAC are remembered, for the rest of their minute. The MAC's key is the process's own, so a restart forgets all of
them and a gateway asks again; several server processes would need to share key and memory.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from server.problems import BadRequest

HOLDS = timedelta(minutes=1)
_EXPIRY_BYTES, _RANDOM_BYTES = 8, 16


class ChallengeExpired(BadRequest):
    type, title = "challenge-expired", "The challenge is not good any more"


@dataclass(slots=True)
class Challenges:
    """`make` one, then `redeem` it with the answer."""

    _key: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    _used: dict[bytes, datetime] = field(default_factory=dict)

    def make(self, gateway_id: UUID, now: datetime) -> str:
        """A nonce, whether or not there is such a gateway: the answer tells nobody."""
        expiry_us = round((now + HOLDS).timestamp() * 1e6)
        body = expiry_us.to_bytes(_EXPIRY_BYTES, "big") + secrets.token_bytes(_RANDOM_BYTES)
        return base64.urlsafe_b64encode(body + self._mac(gateway_id, body)).decode()

    def redeem(self, nonce: str, gateway_id: UUID, now: datetime) -> None:
        """Use a nonce up. Raises `ChallengeExpired` for one that is used, too old, another gateway's or not ours."""
        self._used = {used: until for used, until in self._used.items() if until > now}
        try:
            raw = base64.b64decode(nonce, altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raw = b""
        body = raw[: _EXPIRY_BYTES + _RANDOM_BYTES]
        if hmac.compare_digest(raw[len(body) :], self._mac(gateway_id, body)) and raw not in self._used:
            until = datetime.fromtimestamp(int.from_bytes(body[:_EXPIRY_BYTES], "big") / 1e6, UTC)
            if until > now:
                self._used[raw] = until
                return
        raise ChallengeExpired(
            "This challenge is used, too old or not this gateway's; ask for a new one and sign that."
        )

    def _mac(self, gateway_id: UUID, body: bytes) -> bytes:
        return hmac.digest(self._key, gateway_id.bytes + body, hashlib.sha256)

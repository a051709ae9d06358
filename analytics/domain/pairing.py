"""How a phone and a gateway that share a code, and nothing else, come to trust each other.

Both turn the code, a random nonce of each and the digest of the certificate that the phone was shown into a key, and
prove to each other that they have it: the phone first. Who stands between them shows the phone another certificate, so
the keys differ. What the phone's proof gives to such a one is a way to try codes at leisure, each at the cost of one
scrypt; the phone's nonce in the salt makes sure that this can begin only after the proof was heard, and serves for no
other. docs/gateway-live-channel.md says more.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Literal

from pydantic import Field

from .base import Word

PATH = "/pair"
LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Of a code: without letters and digits that look alike; the clinic's claim codes have the same."""
LENGTH = 10
"""30^10 codes, 49 bits."""
NONCE_BYTES = 32
SCRYPT_COST, SCRYPT_BLOCK, SCRYPT_LANES = 2**14, 8, 5
"""16 MiB, and about a quarter of a second (RFC 7914, section 2): little memory, because a gateway has little."""

Hex32 = Field(pattern=r"^[0-9a-f]{64}$")


class PairingOffer(Word):
    """The gateway, to whoever connects."""

    protocol: Literal[1] = 1
    nonce: str = Hex32


class PairingRequest(Word):
    """The phone's answer. `name` is what the gateway will call it."""

    name: str = Field(min_length=1, max_length=60)
    nonce: str = Hex32
    proof: str = Hex32


class PairingGrant(Word):
    """The gateway's answer to a proof that is right. `token` opens the live channel, until it is revoked."""

    proof: str = Hex32
    token: str = Field(min_length=1, max_length=300, repr=False)
    name: str
    certificate_sha256: str = Hex32


def new_code(choose: Callable[[str], str]) -> str:
    """Ten letters; `choose` picks one at random, as `secrets.choice` does."""
    return "".join(choose(LETTERS) for _ in range(LENGTH))


def written(code: str) -> str:
    """A code as people read it."""
    return f"{code[:5]}-{code[5:]}"


def read_code(text: str) -> str:
    """A code as somebody typed it. Raises ValueError, with a sentence, for what cannot be one."""
    code = "".join(letter for letter in text.upper() if letter not in "- ")
    if len(code) != LENGTH or not set(code) <= set(LETTERS):
        raise ValueError(
            f"A pairing code has {LENGTH} letters and digits, as in {written(LETTERS[8:18])}; "
            "none of them is 0, 1, I, L, O or U. Please read it again."
        )
    return code


def shared_key(code: str, gateway_nonce: str, phone_nonce: str, certificate_sha256: str) -> bytes:
    """What only those have who know the code and saw this certificate (all hexadecimal). Too slow for an event loop."""
    salt = bytes.fromhex(gateway_nonce + phone_nonce + certificate_sha256)
    return hashlib.scrypt(
        code.encode(), salt=salt, n=SCRYPT_COST, r=SCRYPT_BLOCK, p=SCRYPT_LANES, maxmem=2**25, dklen=32
    )


def proof(key: bytes, whose: Literal["phone", "gateway"]) -> str:
    """That its sender has `key`: HMAC-SHA-256 over whose proof it is, so that neither can be sent back as the other."""
    return hmac.digest(key, f"sinew pairing 1 {whose}".encode(), "sha256").hex()


def proves(said: str, key: bytes, whose: Literal["phone", "gateway"]) -> bool:
    """Whether `said` is that proof, in the same time for every wrong one."""
    return hmac.compare_digest(said, proof(key, whose))

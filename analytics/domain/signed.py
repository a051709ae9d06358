"""What a gateway signs to prove who it is to its clinic: both sides build the very same bytes.

Named purpose, gateway and server, so that a signature made for one is worth nothing for another.
"""

from __future__ import annotations

PROTOCOL = "sinew gateway 1"
TOKEN = "token"  # noqa: S105 - a purpose, not a secret
NEW_KEY = "new-key"


def message(purpose: str, *, gateway_id: str, authority: str, content: str) -> bytes:
    """The bytes to sign: one line each of protocol, purpose, gateway, server and content.

    authority: the server's name, and its port where it is not the usual one, as in the header Host (RFC 9421, section
    2.2.3). content: a nonce for `TOKEN`, the new public key in base64 for `NEW_KEY`. Raises ValueError for a line break
    in any of them, which could make one message read as another.
    """
    lines = (PROTOCOL, purpose, gateway_id, authority.lower(), content)
    if any("\n" in line for line in lines):
        raise ValueError("what is signed is one line each")
    return "\n".join(lines).encode()

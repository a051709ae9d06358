"""Argon2 off the event loop, a few at a time: each verification takes 64 MiB and tens of milliseconds."""

from __future__ import annotations

import asyncio
from functools import cache

from pwdlib import PasswordHash

SHORTEST = 8
_HASHER = PasswordHash.recommended()


class PasswordTooShortError(ValueError):
    pass


async def hash_password(password: str) -> str:
    """Raises `PasswordTooShortError`."""
    if len(password) < SHORTEST:
        raise PasswordTooShortError(f"A password has at least {SHORTEST} characters; choose a longer one.")
    return await asyncio.to_thread(_HASHER.hash, password)


async def verify_password(password: str, stored: str | None) -> bool:
    """Whether the password is right. Without a stored hash it is wrong, after the same time as a wrong one takes."""
    return await asyncio.to_thread(_verify, password, stored)


def _verify(password: str, stored: str | None) -> bool:
    right = _HASHER.verify(password, stored or _nobodys_hash())
    return right and stored is not None


@cache
def _nobodys_hash() -> str:
    return _HASHER.hash("nobody's password")

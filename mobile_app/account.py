"""Who is signed in, and where the secret of it is kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Account:
    """A signed-in patient."""

    patient_id: str
    name: str
    token: str = field(repr=False)


class TokenStore(Protocol):
    """Where an account survives, or does not survive, the end of the app. Never a plain file."""

    def keep(self, account: Account) -> None: ...

    def recall(self) -> Account | None: ...

    def forget(self) -> None: ...


class MemoryTokens:
    """Keeps the account only while the app runs: the patient signs in again at the next start."""

    def __init__(self) -> None:
        self._account: Account | None = None

    def keep(self, account: Account) -> None:
        self._account = account

    def recall(self) -> Account | None:
        return self._account

    def forget(self) -> None:
        self._account = None

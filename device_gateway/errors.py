"""What can go wrong in a gateway that a person can mend. Each message is one sentence: what happened, what to do."""

from __future__ import annotations

from .conditions import Trouble


class GatewayError(RuntimeError):
    """The gateway cannot go on as asked; the message says what to do."""


class NotRunningError(GatewayError):
    """A command asks for the gateway that runs here, and none does."""


class StoreError(GatewayError):
    """The gateway's disk does not take what should be kept. What is stored already is untouched."""


class RadioError(GatewayError):
    """This computer's Bluetooth cannot be used. trouble: which condition of the gateway that is."""

    def __init__(self, message: str, trouble: Trouble = Trouble.BLUETOOTH_FAILING) -> None:
        super().__init__(message)
        self.trouble = trouble


class UnreachableError(GatewayError):
    """The clinic's server did not answer, or not usefully: trying again later may well succeed."""


class RefusedError(GatewayError):
    """The clinic's server understood and said no: trying the same again will not help.

    status: HTTP status. problem: the body, an RFC 9457 problem where the server gave one.
    """

    def __init__(self, message: str, status: int, problem: dict[str, object]) -> None:
        super().__init__(message)
        self.status = status
        self.problem = problem


class UnclaimedError(GatewayError):
    """This gateway belongs to no patient yet, and the clinic has nothing for it."""


class ShutOutError(RefusedError):
    """The clinic has taken this gateway's leave to act for a patient away."""

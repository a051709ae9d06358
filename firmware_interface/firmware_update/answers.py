"""What a sensor's answers, and their absence, mean to a person."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bleak.exc import BleakError, BleakGATTProtocolError
from cbor2 import CBORError
from smp.error import MGMT_ERR, ErrorV1, ErrorV2
from smp.exceptions import SMPException
from smp.message import Response
from smpclient.exceptions import SMPClientException
from smpclient.transport import SMPTransportDisconnected

from ..errors import SensorRefusedError, WrongSensorError
from .errors import InterruptedUpdateError, UpdateRefusedError
from .transport import ClientTransport

_LINK_ENDED = (SMPTransportDisconnected, BleakError, TimeoutError)
_NOT_UNDERSTOOD = (SMPClientException, SMPException, CBORError, ValueError, TypeError)
"""What smpclient raises over an answer that is none; TypeError where it is no map whose keys are texts."""
_ADVICE = {
    "NO_FREE_SLOT": "an earlier update is not finished; revert it, then try again",
    "IMAGE_ALREADY_PENDING": "an earlier update is not finished; revert it, then try again",
    "INVALID_IMAGE_TOO_LARGE": "the firmware is too large for it and may be meant for another sensor",
    "CURRENT_VERSION_IS_NEWER": "it runs a newer one",
    "EACCESSDENIED": "it must be paired first",
    "ENOTSUP": "its firmware cannot do this; update it with its maker's app",
    "EBUSY": "it is busy; try again in a minute",
}


def check(answer: Response, name: str, request: str) -> None:
    """Raises UpdateRefusedError if this is a refusal: `name` refused `request`, as in "to restart".

    A server of SMP's first version, and Zephyr's below its groups, answers {"rc": 9}; where an answer may carry an rc
    of its own, smp takes that for success.
    """
    code = _code(answer)
    if code is not None:
        reason = _ADVICE.get(code, f"{code}; restart it and try again, or ask its maker")
        raise UpdateRefusedError(f"{name} refused {request}: {reason}.", code)


@contextmanager
def in_words(transport: ClientTransport) -> Iterator[None]:
    """What bleak and smpclient raise, in our words."""
    transport.answered = False
    try:
        yield
    except BleakGATTProtocolError as error:
        raise SensorRefusedError(f"{transport.name} does not let its firmware be updated: pair it first.") from error
    except _LINK_ENDED as error:
        happened = "lost the link" if transport.gone.is_set() else "does not answer"
        raise InterruptedUpdateError(f"{transport.name} {happened}: bring it closer, then try again.") from error
    except _NOT_UNDERSTOOD as error:
        if not transport.answered:
            raise  # a mistake of ours
        raise WrongSensorError(
            f"{transport.name} answers otherwise than MCUmgr does: update it with its maker's app."
        ) from error


def _code(answer: Response) -> str | None:
    if isinstance(answer, ErrorV1):
        return answer.rc.name
    if isinstance(answer, ErrorV2):
        return str(answer.err.rc.name)
    rc = getattr(answer, "rc", None)
    if not rc:
        return None
    return MGMT_ERR(rc).name if rc in set(MGMT_ERR) else f"error {rc}"

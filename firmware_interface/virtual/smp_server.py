"""MCUmgr SMP as Zephyr serves it: frames in, frames out, over the flash of one sensor.

Source: Zephyr, subsys/mgmt/mcumgr/smp/src/smp.c and the command handlers of the groups OS and image.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import cbor2
from smp.error import MGMT_ERR
from smp.image_management import IMG_MGMT_ERR

from .bootloader import Bootloader, FlashError

HEADER = struct.Struct(">BBHHBB")  # version and operation, flags, size of the body, group, sequence, command

_READ, _WRITE = 0, 2
_OS, _IMAGE = 0, 1
_FIRST_VERSION_CODES = {
    IMG_MGMT_ERR.NO_IMAGE: MGMT_ERR.ENOENT,
    IMG_MGMT_ERR.NO_FREE_SLOT: MGMT_ERR.EBADSTATE,
    IMG_MGMT_ERR.IMAGE_ALREADY_PENDING: MGMT_ERR.EBADSTATE,
    IMG_MGMT_ERR.INVALID_LENGTH: MGMT_ERR.EINVAL,
    IMG_MGMT_ERR.INVALID_IMAGE_HEADER: MGMT_ERR.EINVAL,
    IMG_MGMT_ERR.INVALID_HASH: MGMT_ERR.EINVAL,
}
"""How SMP's first version tells a refusal of the image group (img_mgmt_translate_error_code); others are EUNKNOWN."""

_Body = dict[str, Any]


class SmpServer:
    """Answers frames.

    on_reset: called when the sensor is told to restart; it must let the answer out first, as Zephyr does for 250 ms.
    buffer_bytes: the longest frame; nRF Connect SDK sets 2475. first_version: a server from before SMP version 2.
    reassembles False: takes each Bluetooth write for a frame, as Zephyr without MCUMGR_TRANSPORT_BT_REASSEMBLY.
    """

    def __init__(
        self,
        bootloader: Bootloader,
        on_reset: Callable[[], None],
        *,
        buffer_bytes: int = 2475,
        first_version: bool = False,
        reassembles: bool = True,
    ) -> None:
        self.bootloader = bootloader
        self.reassembles = reassembles
        self._on_reset = on_reset
        self._buffer_bytes = buffer_bytes
        self._first_version = first_version
        self._commands: dict[tuple[int, int, int], Callable[[_Body], _Body]] = {
            (_OS, 0, _WRITE): lambda request: {"r": request["d"]},
            (_OS, 5, _WRITE): self._reset,
            (_OS, 6, _READ): lambda _: {"buf_size": self._buffer_bytes, "buf_count": 4},
            (_IMAGE, 0, _READ): lambda _: self._states(),
            (_IMAGE, 0, _WRITE): self._mark,
            (_IMAGE, 1, _WRITE): self._upload,
            (_IMAGE, 5, _WRITE): self._erase,
        }

    def answer(self, frame: bytes) -> bytes | None:
        """The answer to a frame, which may be cut short or garbled; None where it does not even have a header."""
        if len(frame) < HEADER.size:
            return None
        version_op, _, size, group, sequence, command = HEADER.unpack_from(frame)
        body = frame[HEADER.size : HEADER.size + size]
        if len(body) < size:
            answer: _Body = {"rc": MGMT_ERR.ECORRUPT}
        else:
            answer = self._carry_out(group, command, version_op & 0x07, body)
        packed = cbor2.dumps(answer)
        version = 0 if self._first_version else version_op & 0x18
        return HEADER.pack(version | (version_op & 0x02) | 1, 0, len(packed), group, sequence, command) + packed

    def _carry_out(self, group: int, command: int, op: int, body: bytes) -> _Body:
        handler = self._commands.get((group, command, op))
        if handler is None:
            return {"rc": MGMT_ERR.ENOTSUP}
        try:
            return handler(cbor2.loads(body))
        except FlashError as refused:
            if self._first_version:
                return {"rc": _FIRST_VERSION_CODES.get(refused.code, MGMT_ERR.EUNKNOWN)}
            return {"err": {"group": group, "rc": refused.code}}
        except (cbor2.CBORError, ValueError, TypeError, LookupError, AttributeError):
            return {"rc": MGMT_ERR.EINVAL}

    def _reset(self, _: _Body) -> _Body:
        self._on_reset()
        return {}

    def _states(self) -> _Body:
        return {"images": self.bootloader.states(), "splitStatus": 0}

    def _mark(self, request: _Body) -> _Body:
        self.bootloader.mark(request.get("hash"), confirm=bool(request.get("confirm")))
        return self._states()

    def _upload(self, request: _Body) -> _Body:
        held, matches = self.bootloader.upload(
            request["off"], request["data"], request.get("len"), request.get("sha", b"")
        )
        return {"off": held} if matches is None else {"off": held, "match": matches}

    def _erase(self, _: _Body) -> _Body:
        self.bootloader.erase()
        return {}

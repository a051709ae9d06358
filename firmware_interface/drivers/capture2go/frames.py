"""Takes packages out of Capture2Go's notifications: a real-time channel, and a buffer's bytes that flow behind it."""

from __future__ import annotations

import zlib

from ...errors import DecodeError
from .headers import Header
from .packages import FRAME, MOST_PAYLOAD_BYTES, PAYLOAD_BYTES, START
from .samples import MEASUREMENTS

MOST_REAL_TIME = 3
"""Packages of the real-time channel that one notification holds at most (the maker's package refuses more)."""
_NONE, _INCOMPLETE = -1, -2


class PackageReader:
    """The first byte tells how many real-time packages follow, whole; the rest goes on where the last one ended.

    Bytes that are no package are skipped. A package whose end is still to come is waited for only where its length is
    that of its header, so junk is never waited for, and less than one package is ever kept.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._awaited = b""

    def skip_to(self, package: bytes) -> None:
        """Skip all that comes before this package: a buffer that is cleared leaves pieces of packages behind."""
        self._awaited = package

    def take(self, notification: bytes) -> list[bytes]:
        """The packages that this notification completes, frame and all; their checksums are right.

        Raises DecodeError where it completes none and holds what can be no part of one.
        """
        rest, self._rest = self._rest, b""
        packages, at = _real_time_packages(notification)
        stream = rest + notification[at:]
        if self._awaited:
            if (begin := stream.find(self._awaited)) < 0:
                self._rest = stream[-len(self._awaited) :]
                return packages
            stream, self._awaited = stream[begin:], b""
        buffered, self._rest, skipped = _buffered_packages(stream)
        packages += buffered
        if skipped and not packages:
            raise DecodeError("Bytes of Capture2Go's buffer are no package; they are left out.")
        return packages


def _real_time_packages(notification: bytes) -> tuple[list[bytes], int]:
    """The packages, and where the buffer's bytes begin behind them."""
    if not notification or (count := 0xFF - notification[0]) > MOST_REAL_TIME:
        raise DecodeError(f"This is no notification of Capture2Go: {notification[:20].hex()}.")
    packages, at = [], 1
    for _ in range(count):
        end = _end_of_package(notification, at)
        if end < 0:
            raise DecodeError("A real-time package of Capture2Go is damaged.")
        packages.append(notification[at:end])
        at = end
    return packages, at


def _buffered_packages(stream: bytes) -> tuple[list[bytes], bytes, bool]:
    """The packages, the begin of one whose end is still to come, and whether anything else lay between."""
    packages, at, skipped = [], 0, False
    while at < len(stream):
        end = _end_of_package(stream, at)
        if end == _INCOMPLETE:
            break
        if end == _NONE:
            skipped, start = True, stream.find(START, at + 1)
            at = len(stream) if start < 0 else start
        else:
            packages.append(stream[at:end])
            at = end
    return packages, stream[at:], skipped


def _end_of_package(stream: bytes, at: int) -> int:
    """Where the package that begins here ends; _NONE where none does, _INCOMPLETE where its end is still to come."""
    if at >= len(stream) or stream[at] != START:
        return _NONE
    if len(stream) - at < FRAME.size:
        return _INCOMPLETE
    _, crc, size, header = FRAME.unpack_from(stream, at)
    end = at + FRAME.size + size
    if size > MOST_PAYLOAD_BYTES:
        return _NONE
    if end > len(stream):
        return _INCOMPLETE if _length_fits(header, size) else _NONE
    return end if zlib.crc32(stream[at + 6 : end]) == crc else _NONE


def _length_fits(header: int, size: int) -> bool:
    if header == Header.DATA_FS_BYTES:
        return size >= 4
    known = MEASUREMENTS.get(header)
    return size == (known.payload_bytes if known else PAYLOAD_BYTES.get(header))

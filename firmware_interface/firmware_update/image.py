"""Firmware images as MCUboot boots them: read, and checked before a byte of them is sent.

A file is a header, the program, perhaps an area of protected TLVs, and an area of TLVs with the hash of all before it
and with signatures. Source: MCUboot, docs/design.md "Image format", bootutil/image.h, and imgtool, which signs images.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from .errors import ImageError, UnsignedImageError
from .signature import SIGNATURE_TLVS, MakerKey
from .version import Version

IMAGE_LIMIT_BYTES = 16 << 20
"""More flash than any sensor has: a file beyond it is no firmware."""

_HEADER = struct.Struct("<IIHHIIBBHI4x")  # magic, load address, sizes: header, protected TLVs, program; flags, version
_AREA = struct.Struct("<HH")  # magic, size including these four bytes
_TLV = struct.Struct("<HH")  # type, size of the value
_MAGIC = 0x96F3B83D
_AREA_MAGIC = 0x6907
_PROTECTED_AREA_MAGIC = 0x6908
_ENCRYPTED = 0x04 | 0x08
_SIG_PURE = 0x25
_HASHES = {0x10: hashlib.sha256, 0x11: hashlib.sha384, 0x12: hashlib.sha512}

_Tlvs = list[tuple[int, bytes]]


@dataclass(frozen=True, slots=True)
class FirmwareImage:
    """An image that is whole; whether it is genuine `verify` tells.

    digest: the hash by which a sensor names the image. It stands in the file and is compared by `verify`.
    """

    data: bytes
    version: Version
    digest: bytes
    _hashed_bytes: int
    _tlvs: _Tlvs

    def verify(self, key: MakerKey) -> None:
        """Raises UnsignedImageError, ImageError where a bit is wrong, and SignatureError."""
        signatures = [(kind, value) for kind, value in self._tlvs if kind in SIGNATURE_TLVS]
        if not signatures:
            raise UnsignedImageError("The firmware image is not signed: ask the sensor's maker for a signed one.")
        hashed = self.data[: self._hashed_bytes]
        (algorithm,) = (_HASHES[kind] for kind, _ in self._tlvs if kind in _HASHES)
        if algorithm(hashed).digest() != self.digest:
            raise ImageError("The firmware image is damaged, its hash is another: fetch the file again.")
        pure = any(kind == _SIG_PURE for kind, _ in self._tlvs)
        if pure:
            key.verify(signatures, hashed, "own bytes")
        else:
            key.verify(signatures, self.digest, f"SHA-{8 * len(self.digest)} hash")


def read_image(data: bytes, key: MakerKey) -> FirmwareImage:
    """Read a file and check that it is whole and signed by the maker. Raises ImageError, or a subclass."""
    image = parse_image(data)
    image.verify(key)
    return image


def parse_image(data: bytes) -> FirmwareImage:
    """Take a file apart without judging hash and signature. Raises ImageError."""
    if len(data) < _HEADER.size or not data.startswith(struct.pack("<I", _MAGIC)):
        raise ImageError("The file is no firmware image for MCUboot: take the signed binary (*.signed.bin).")
    _, _, header_bytes, protected_bytes, program_bytes, flags, *version = _HEADER.unpack_from(data)
    if flags & _ENCRYPTED:
        raise ImageError("The firmware image is encrypted and cannot be checked: ask for one that is only signed.")
    hashed_bytes = header_bytes + program_bytes + protected_bytes
    if header_bytes < _HEADER.size or not program_bytes:
        raise ImageError("The firmware image has a damaged header: fetch the file again.")
    if protected_bytes:
        _read_area(data[:hashed_bytes], header_bytes + program_bytes, _PROTECTED_AREA_MAGIC)
    tlvs = list(_read_area(data, hashed_bytes, _AREA_MAGIC))
    digests = [value for kind, value in tlvs if kind in _HASHES]
    if len(digests) != 1:
        raise ImageError(f"The firmware image carries {len(digests)} hashes in place of one: have it signed anew.")
    return FirmwareImage(data, Version(*version), digests[0], hashed_bytes, tlvs)


def _read_area(data: bytes, start: int, magic: int) -> Iterator[tuple[int, bytes]]:
    """The TLVs of an area that begins at `start` and fills the rest of `data`."""
    if len(data) < start + _AREA.size:
        raise ImageError("The firmware image is cut short: fetch the file again.")
    found, size = _AREA.unpack_from(data, start)
    if found != magic:
        raise ImageError("The firmware image is damaged behind its program: fetch the file again.")
    if len(data) < start + size:
        raise ImageError("The firmware image is cut short: fetch the file again.")
    if len(data) > start + size:
        raise ImageError("The file goes on behind the firmware image: take the signed binary without padding.")
    return _read_tlvs(data, start + _AREA.size)


def _read_tlvs(data: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    while at < len(data):
        end = at + _TLV.size
        if end <= len(data):
            kind, size = _TLV.unpack_from(data, at)
            end += size
        if end > len(data):
            raise ImageError("The firmware image has a damaged list of signatures: fetch the file again.")
        yield kind, data[at + _TLV.size : end]
        at = end

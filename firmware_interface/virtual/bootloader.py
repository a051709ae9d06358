"""The flash of a sensor with MCUboot: two slots, what Zephyr's image management may do to them, and what a boot does.

Source: MCUboot, docs/design.md "Image swapping"; Zephyr, subsys/mgmt/mcumgr/grp/img_mgmt (upload, state, erase).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from smp.image_management import IMG_MGMT_ERR

from ..firmware_update.errors import ImageError
from ..firmware_update.image import FirmwareImage, parse_image
from ..firmware_update.signature import MakerKey

_IMAGE_MAGIC = bytes.fromhex("3db8f396")
_IMAGE_HEADER_BYTES = 32


class FlashError(Exception):
    """The image management refused. code: what it answers."""

    def __init__(self, code: IMG_MGMT_ERR) -> None:
        super().__init__(code.name)
        self.code = code


@dataclass(slots=True)
class _Upload:
    sha: bytes
    size: int


class Bootloader:
    """What runs is `primary`, for good or on trial; `secondary` holds an upload or what ran before.

    key: what the bootloader was built with. slot_bytes: how large an image may be. fails_at: where the flash of the
    second slot is worn out.
    """

    def __init__(
        self, primary: bytes, key: MakerKey, *, slot_bytes: int = 1 << 20, fails_at: int | None = None
    ) -> None:
        self.primary = primary
        self.secondary = bytearray()
        self.confirmed = True
        self.pending = False
        self.written_bytes = 0
        self._key = key
        self._slot_bytes = slot_bytes
        self._fails_at = fails_at
        self._permanent = False
        self._upload: _Upload | None = None  # in RAM: a restart forgets how far an upload was

    def boot(self) -> None:
        """Start anew: take a trial back, or start what is marked if it is genuine, or else the same as before."""
        self._upload = None
        if not self.confirmed:
            self._swap()
            self.confirmed = True
        elif self.pending:
            self.pending = False
            try:
                parse_image(bytes(self.secondary)).verify(self._key)
            except ImageError:
                self.secondary.clear()
                return
            self._swap()
            self.confirmed = self._permanent

    def states(self) -> list[dict[str, object]]:
        """Both slots as an image state answer lists them; a slot without a whole image is left out."""
        trial = not self.confirmed
        flags = (
            {"active": True, "confirmed": self.confirmed, "pending": False, "permanent": False},
            {
                "active": False,
                "confirmed": trial,
                "pending": self.pending,
                "permanent": self.pending and self._permanent,
            },
        )
        return [
            {"slot": slot, "version": str(image.version), "hash": image.digest, "bootable": True} | flags[slot]
            for slot, image in enumerate(self._images())
            if image is not None
        ]

    def upload(self, off: int, data: bytes, size: int | None = None, sha: bytes = b"") -> tuple[int, bool | None]:
        """Take a piece of an image. Returns how much is held now and, at the end, whether its hash is what was said.

        A piece for another offset than is due is dropped, and so is the first piece of the upload under way.
        """
        if off == 0 and not (self._upload and sha and self._upload.sha == sha):
            self._begin(data, size, sha)
        if self._upload is None or off != len(self.secondary):
            return len(self.secondary) if self._upload else 0, None
        if off + len(data) > self._upload.size:
            raise FlashError(IMG_MGMT_ERR.INVALID_IMAGE_DATA_OVERRUN)
        if self._fails_at is not None and off + len(data) > self._fails_at:
            self._upload = None
            raise FlashError(IMG_MGMT_ERR.FLASH_WRITE_FAILED)
        self.secondary += data
        self.written_bytes += len(data)
        if len(self.secondary) < self._upload.size:
            return len(self.secondary), None
        sha, self._upload = self._upload.sha, None
        return len(self.secondary), hashlib.sha256(self.secondary).digest() == sha if sha else None

    def mark(self, digest: bytes | None, *, confirm: bool) -> None:
        """Have the image with this hash started at the next boot, or kept if it runs already."""
        if digest is None and not confirm:
            raise FlashError(IMG_MGMT_ERR.INVALID_HASH)
        digests = [image.digest if image else None for image in self._images()]
        if digest is not None and digest not in digests:
            raise FlashError(IMG_MGMT_ERR.HASH_NOT_FOUND)
        slot = 0 if digest is None else digests.index(digest)
        if slot == 0 and not confirm:
            raise FlashError(IMG_MGMT_ERR.IMAGE_SETTING_TEST_TO_ACTIVE_DENIED)
        if (slot == 0 and self.pending) or (slot == 1 and not confirm and not self.confirmed):
            raise FlashError(IMG_MGMT_ERR.IMAGE_ALREADY_PENDING)
        if slot == 0:
            self.confirmed = True
        elif self.confirmed and not self.pending:
            self.pending, self._permanent = True, confirm

    def erase(self) -> None:
        """Empty the second slot, unless it is needed."""
        self._check_free()
        self.secondary.clear()
        self._upload = None

    def _begin(self, data: bytes, size: int | None, sha: bytes) -> None:
        if len(data) < _IMAGE_HEADER_BYTES:
            raise FlashError(IMG_MGMT_ERR.INVALID_IMAGE_HEADER)
        if size is None:
            raise FlashError(IMG_MGMT_ERR.INVALID_LENGTH)
        if not data.startswith(_IMAGE_MAGIC):
            raise FlashError(IMG_MGMT_ERR.INVALID_IMAGE_HEADER_MAGIC)
        self._check_free()
        if size > self._slot_bytes:
            raise FlashError(IMG_MGMT_ERR.INVALID_IMAGE_TOO_LARGE)
        self.secondary.clear()
        self._upload = _Upload(sha, size)

    def _check_free(self) -> None:
        if self.pending or not self.confirmed:
            raise FlashError(IMG_MGMT_ERR.NO_FREE_SLOT)

    def _images(self) -> tuple[FirmwareImage | None, FirmwareImage | None]:
        return _parsed(self.primary), _parsed(bytes(self.secondary))

    def _swap(self) -> None:
        self.primary, self.secondary = bytes(self.secondary), bytearray(self.primary)


def _parsed(data: bytes) -> FirmwareImage | None:
    try:
        return parse_image(data)
    except ImageError:
        return None

"""Versions of firmware, as MCUboot counts them."""

from __future__ import annotations

import re
from typing import NamedTuple, Self

_TEXT = re.compile(r"(\d{1,3})\.(\d{1,3})\.(\d{1,5})(?:\.(\d{1,10}))?", re.ASCII)


class Version(NamedTuple):
    """Ordered as written. Source: MCUboot design, `struct image_version`."""

    major: int
    minor: int
    revision: int
    build: int = 0

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "1.4.0" or, with a build number, "1.4.0.7" (Zephyr, img_mgmt_ver_str). Raises ValueError."""
        match = _TEXT.fullmatch(text)
        if match is None:
            raise ValueError(f"'{text}' is not a version.")
        return cls(*(int(part) for part in match.groups("0")))

    def __str__(self) -> str:
        return ".".join(str(part) for part in (self if self.build else self[:3]))

"""What comes down to a gateway after it was installed: form models and exercises, each signed by who publishes them.

A release file is one line of JSON, the `Release`, and after it the content itself. The signature is Ed25519 over
`statement()`, which names the content by its SHA-256; this module knows the form only and needs no cryptography.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field, ValidationError

from .base import Word

LARGEST_CONTENT_BYTES = 4_000_000
SUFFIX = ".release"


class ReleaseError(ValueError):
    """These bytes are no release file; the message says why."""


class ReleaseKind(StrEnum):
    FORM_MODEL = "form_model"
    """A form model with its card (.tflite), named after its exercise."""
    EXERCISE = "exercise"
    """One entry of the catalogue (.toml), named by its code."""


class Release(Word):
    """What a publisher vouches for: that these bytes are this thing in this version, which only counts up."""

    kind: ReleaseKind
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$")
    version: int = Field(ge=1)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="of the content")
    size_bytes: int = Field(ge=1, le=LARGEST_CONTENT_BYTES)
    key: str = Field(pattern=r"^[0-9a-f]{64}$", description="the publisher's Ed25519 public key")
    signature: str = Field(pattern=r"^[0-9a-f]{128}$")

    def statement(self) -> bytes:
        """The bytes that are signed; the first line keeps them from being taken for anything else."""
        fields = ("Sinew release 1", self.kind, self.name, self.version, self.sha256, self.size_bytes)
        return "\n".join(str(field) for field in fields).encode()


class ReleaseList(Word):
    """What a clinic offers. A gateway pins `keys` the first time and believes no other key afterwards."""

    keys: tuple[str, ...]
    releases: tuple[Release, ...]


def join_release(release: Release, content: bytes) -> bytes:
    """The release file."""
    return release.model_dump_json().encode() + b"\n" + content


def split_release(data: bytes) -> tuple[Release, bytes]:
    """Read what `join_release` wrote; the content is not looked at. Raises ReleaseError."""
    first, newline, content = data.partition(b"\n")
    try:
        release = Release.model_validate_json(first)
    except ValidationError as error:
        raise ReleaseError("This is not a release file: its first line does not say what it holds.") from error
    if not newline or len(content) != release.size_bytes:
        raise ReleaseError("This release file is cut short or has grown: copy it again.")
    return release, content

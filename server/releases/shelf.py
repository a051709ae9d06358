"""The folder from which gateways are given models and exercises.

Whoever publishes signs with a key that never lies on this server, and puts the file here. A server that was broken into
can therefore withhold a model, and cannot put another in its place.
"""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

from analytics.domain.release import SUFFIX, Release, ReleaseError, ReleaseList, split_release

KEYS = "publisher_keys"
OFFERED_VERSIONS = 2
"""As many as a gateway keeps."""

log = logging.getLogger(__name__)


def offered(folder: Path) -> ReleaseList:
    """The newest versions of each thing, newest first; what is not whole is left out and named in the log."""
    found: dict[tuple[str, str], list[Release]] = {}
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            release, content = split_release(path.read_bytes())
        except (OSError, ReleaseError) as trouble:
            log.warning("The release file %s is left out: %s", path.name, trouble)
            continue
        if hashlib.sha256(content).hexdigest() == release.sha256:
            found.setdefault((release.kind, release.name), []).append(release)
        else:
            log.warning("The release file %s is left out: it was changed; copy it again.", path.name)
    newest = [sorted(versions, key=lambda r: -r.version)[:OFFERED_VERSIONS] for versions in found.values()]
    return ReleaseList(keys=publisher_keys(folder), releases=tuple(r for versions in newest for r in versions))


def content_of(folder: Path, sha256: str) -> bytes | None:
    """The content with this digest, if it is offered."""
    for path in folder.glob(f"*{SUFFIX}"):
        try:
            release, content = split_release(path.read_bytes())
        except (OSError, ReleaseError):
            continue
        if release.sha256 == sha256 and hashlib.sha256(content).hexdigest() == sha256:
            return content
    return None


def publisher_keys(folder: Path) -> tuple[str, ...]:
    """The public keys, in hex, that gateways are told to believe."""
    try:
        return tuple((folder / KEYS).read_text("ascii").split())
    except FileNotFoundError:
        return ()

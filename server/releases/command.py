"""`sinew server release`: make a publisher's key, and sign a model or an exercise for the gateways.

Sign where the key is safe, which is not the server's computer; then copy the folder's files into `releases` in the
server's home.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError

from analytics.domain.release import LARGEST_CONTENT_BYTES, SUFFIX, Release, ReleaseKind, join_release

from .shelf import KEYS, publisher_keys


class SigningError(RuntimeError):
    """It cannot be signed; the message says why and what to do."""


def main(argv: list[str]) -> int:
    """Returns 0 when it is done, 1 where it cannot be; the reason is printed."""
    options = _parser().parse_args(argv)
    try:
        if options.what == "new-key":
            public = make_key(options.key)
            print(f"The private key is in {options.key}: keep it safe and offline. Its public key is {public}.")
        else:
            path = publish(options.file, options.kind, options.version, options.key, options.into)
            print(f"{path}: copy it, and the file {KEYS}, into the folder 'releases' in the server's home.")
    except (SigningError, OSError) as trouble:
        print(f"sinew server release: {trouble}", file=sys.stderr)
        return 1
    return 0


def make_key(path: Path) -> str:
    """A new private key in a file that only its owner reads; returns the public key in hex."""
    key = Ed25519PrivateKey.generate()
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(secret)
    return key.public_key().public_bytes_raw().hex()


def sign(content: bytes, kind: ReleaseKind, name: str, version: int, key: Ed25519PrivateKey) -> Release:
    """Raises SigningError for a name, version or size that no release can have."""
    try:
        unsigned = Release(
            kind=kind,
            name=name,
            version=version,
            sha256=hashlib.sha256(content).hexdigest(),
            size_bytes=len(content),
            key=key.public_key().public_bytes_raw().hex(),
            signature="00" * 64,
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise SigningError(f"This cannot be released: {first['loc'][0]}: {first['msg']}.") from error
    return unsigned.model_copy(update={"signature": key.sign(unsigned.statement()).hex()})


def publish(file: Path, kind: ReleaseKind, version: int, key_file: Path, folder: Path) -> Path:
    """Sign a file, whose name without its ending is the release's, and write the release file into a folder."""
    if file.stat().st_size > LARGEST_CONTENT_BYTES:
        raise SigningError(f"{file} is larger than the {LARGEST_CONTENT_BYTES} bytes that a gateway accepts.")
    try:
        key = serialization.load_pem_private_key(key_file.read_bytes(), None)
    except (ValueError, TypeError) as error:
        raise SigningError(f"{key_file} holds no private key: make one with 'sinew server release new-key'.") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise SigningError(f"{key_file} holds another kind of key: make one with 'sinew server release new-key'.")
    content = file.read_bytes()
    release = sign(content, kind, file.stem, version, key)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{kind}-{release.name}-{version}{SUFFIX}"
    draft = path.with_suffix(".new")  # what a server may look at meanwhile is whole
    draft.write_bytes(join_release(release, content))
    draft.replace(path)
    if release.key not in publisher_keys(folder):
        with (folder / KEYS).open("a", encoding="ascii") as keys:
            keys.write(f"{release.key}\n")
    return path


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sinew server release", description=__doc__)
    what = parser.add_subparsers(dest="what", required=True)
    new_key = what.add_parser("new-key", help="make a publisher's key")
    new_key.add_argument("key", type=Path, help="file to write it to; must not exist yet")
    signing = what.add_parser("sign", help="sign a form model (.tflite) or an exercise (.toml)")
    signing.add_argument("file", type=Path, help="the file, named after its exercise")
    signing.add_argument("--kind", type=ReleaseKind, choices=list(ReleaseKind), required=True)
    signing.add_argument("--version", metavar="N", type=int, required=True, help="counts up by one or more each time")
    signing.add_argument("--key", metavar="FILE", type=Path, required=True, help="the publisher's private key")
    signing.add_argument(
        "--into", metavar="DIR", type=Path, default=Path("releases"), help="folder (default: releases)"
    )
    return parser

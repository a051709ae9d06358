"""Whether a release may be used: who vouches for it, whether it is what was signed, and whether it works here."""

from __future__ import annotations

import hashlib
import logging

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from analytics.domain.release import Release, ReleaseKind
from analytics.exercises.catalogue import ExerciseError, read_exercise
from analytics.form.bundle import BundleError, FormScorer, load_bundle, shipped_bundle

log = logging.getLogger(__name__)


class RefusedReleaseError(ValueError):
    """A release that must not be used; the message says why."""


def check_signature(release: Release, keys: tuple[str, ...]) -> None:
    """Raises RefusedReleaseError where none of these public keys (hex) vouches for the release."""
    if release.key not in keys:
        raise RefusedReleaseError("It is signed by nobody whom this gateway knows.")
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(release.key)).verify(
            bytes.fromhex(release.signature), release.statement()
        )
    except InvalidSignature:
        raise RefusedReleaseError("Its signature is not genuine.") from None


def check_digest(release: Release, content: bytes) -> None:
    """Raises RefusedReleaseError where the content is not what was signed."""
    if hashlib.sha256(content).hexdigest() != release.sha256:
        raise RefusedReleaseError("Its content is not what was signed.")


def check_use(release: Release, content: bytes) -> None:
    """See that it works here. Raises RefusedReleaseError."""
    try:
        match release.kind:
            case ReleaseKind.FORM_MODEL:
                card = FormScorer(content).card
                if (card.exercise, card.version) != (release.name, release.version):
                    raise RefusedReleaseError(f"It is version {card.version} of a model for {card.exercise}.")
            case ReleaseKind.EXERCISE:
                read_exercise(content.decode(), release.name)
    except (BundleError, ExerciseError, UnicodeDecodeError) as unusable:
        raise RefusedReleaseError(str(unusable)) from unusable


def shipped_scorer(exercise_code: str) -> tuple[FormScorer | None, str]:
    """What judges form as this program ships it, or None and why."""
    path = shipped_bundle(exercise_code)
    try:
        return (load_bundle(path), "") if path else (None, "There is no model for the form of this exercise.")
    except BundleError as unusable:
        log.warning("%s", unusable)
        return None, str(unusable)

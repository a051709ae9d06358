"""The maker's public key, and what MCUboot's signatures mean.

| TLV | key | over |
|---|---|---|
| 0x20, 0x23 | RSA 2048, 3072 | the SHA-256 hash, PSS with SHA-256 and a salt of 32 bytes |
| 0x22 | ECDSA, P-256 | the SHA-256 hash |
| 0x24 | Ed25519 | the SHA-256 or SHA-512 hash as message; with TLV 0x25 the image itself |

ECDSA P-384 over the SHA-384 hash, under 0x22 too, is not checked here.
Source: MCUboot, scripts/imgtool/image.py (ALLOWED_KEY_SHA, ALLOWED_PURE_KEY_SHA) and scripts/imgtool/keys/.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from .errors import SignatureError

SIGNATURE_TLVS = {0x20: "RSA-2048", 0x22: "ECDSA P-256", 0x23: "RSA-3072", 0x24: "Ed25519"}

_SHA256 = ("SHA-256 hash",)
_ED25519 = ("SHA-256 hash", "SHA-512 hash", "own bytes")
_PSS = padding.PSS(padding.MGF1(SHA256()), salt_length=32)


@dataclass(frozen=True, slots=True)
class MakerKey:
    """tlv: the type of the signatures that this key makes. check: raises InvalidSignature or ValueError.

    signs: what of an image it may sign.
    """

    tlv: int
    signs: tuple[str, ...]
    check: Callable[[bytes, bytes], None]

    def verify(self, signatures: Sequence[tuple[int, bytes]], message: bytes, signed: str) -> None:
        """Raises SignatureError unless one of the signatures (TLV type, value) over the message is this key's.

        signed: what of the image the message is, as in `signs`.
        """
        mine = [signature for kind, signature in signatures if kind == self.tlv]
        if signed in self.signs and any(self._genuine(signature, message) for signature in mine):
            return
        name, kinds = SIGNATURE_TLVS[self.tlv], {SIGNATURE_TLVS[kind] for kind, _ in signatures}
        trouble = f"was not signed with this {name} key ({', '.join(sorted(kinds))} found)"
        if mine and signed not in self.signs:
            trouble = f"is signed over its {signed}, and an {name} key signs the {' or the '.join(self.signs)}"
        raise SignatureError(
            f"The firmware image {trouble}: ask the sensor's maker for the image and the public key that belong "
            "together."
        )

    def _genuine(self, signature: bytes, message: bytes) -> bool:
        try:
            self.check(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


def read_public_key(pem: bytes) -> MakerKey:
    """Read the maker's public key (PEM). Raises SignatureError where it is none that is checked here."""
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise SignatureError("The public key cannot be read: it must be a PEM file, BEGIN PUBLIC KEY.") from error
    match key:
        case ed25519.Ed25519PublicKey():
            return MakerKey(0x24, _ED25519, key.verify)
        case ec.EllipticCurvePublicKey(curve=ec.SECP256R1()):
            ecdsa = ec.ECDSA(Prehashed(SHA256()))
            return MakerKey(0x22, _SHA256, lambda signature, digest: key.verify(_trimmed(signature), digest, ecdsa))
        case rsa.RSAPublicKey(key_size=2048 | 3072 as size):
            tlv = 0x20 if size == 2048 else 0x23
            sha256 = Prehashed(SHA256())
            return MakerKey(tlv, _SHA256, lambda signature, digest: key.verify(signature, digest, _PSS, sha256))
    kinds = ", ".join(SIGNATURE_TLVS.values())
    raise SignatureError(f"The public key is of a kind that is not checked here: it must be one of {kinds}.")


def _trimmed(signature: bytes) -> bytes:
    """An ECDSA signature (DER) without the zeros to 72 bytes that MCUboot before 1.5 wanted behind it."""
    return signature[: signature[1] + 2] if len(signature) > 1 else signature

"""The maker's public key, and what MCUboot's signatures mean.

| TLV | key | over |
|---|---|---|
| 0x20, 0x23 | RSA 2048, 3072 | the digest, PSS with SHA-256 and a salt of 32 bytes |
| 0x22 | ECDSA, P-256 | the digest |
| 0x24 | Ed25519 | the digest as message; with TLV 0x25 the image itself |

Source: MCUboot, scripts/imgtool/image.py and scripts/imgtool/keys/.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from .errors import SignatureError

SIGNATURE_TLVS = {0x20: "RSA-2048", 0x22: "ECDSA P-256", 0x23: "RSA-3072", 0x24: "Ed25519"}

_PSS = padding.PSS(padding.MGF1(SHA256()), salt_length=32)


@dataclass(frozen=True, slots=True)
class MakerKey:
    """tlv: the type of the signatures that this key makes. check: raises InvalidSignature or ValueError."""

    tlv: int
    check: Callable[[bytes, bytes], None]

    def verify(self, signatures: Iterable[tuple[int, bytes]], message: bytes) -> None:
        """Raises SignatureError unless one of the signatures (TLV type, value) over the message is this key's."""
        kinds = set()
        for kind, signature in signatures:
            kinds.add(SIGNATURE_TLVS[kind])
            if kind == self.tlv and self._genuine(signature, message):
                return
        raise SignatureError(
            f"The firmware image was not signed with this {SIGNATURE_TLVS[self.tlv]} key ({', '.join(sorted(kinds))} "
            "found): ask the sensor's maker for the image and the public key that belong together."
        )

    def _genuine(self, signature: bytes, message: bytes) -> bool:
        try:
            self.check(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


def read_public_key(pem: bytes) -> MakerKey:
    """Read the maker's public key (PEM). Raises SignatureError where it is none that MCUboot knows."""
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise SignatureError("The public key cannot be read: it must be a PEM file, BEGIN PUBLIC KEY.") from error
    match key:
        case ed25519.Ed25519PublicKey():
            return MakerKey(0x24, key.verify)
        case ec.EllipticCurvePublicKey(curve=ec.SECP256R1()):
            ecdsa = ec.ECDSA(Prehashed(SHA256()))
            return MakerKey(0x22, lambda signature, digest: key.verify(_trimmed(signature), digest, ecdsa))
        case rsa.RSAPublicKey(key_size=2048 | 3072 as size):
            tlv = 0x20 if size == 2048 else 0x23
            return MakerKey(tlv, lambda signature, digest: key.verify(signature, digest, _PSS, Prehashed(SHA256())))
    kinds = ", ".join(SIGNATURE_TLVS.values())
    raise SignatureError(f"The public key is of a kind that MCUboot does not know: it must be one of {kinds}.")


def _trimmed(signature: bytes) -> bytes:
    """An ECDSA signature (DER) without the zeros to 72 bytes that MCUboot before 1.5 wanted behind it."""
    return signature[: signature[1] + 2] if len(signature) > 1 else signature

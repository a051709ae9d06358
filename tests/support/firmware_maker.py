"""A maker of sensors: firmware images as imgtool signs them. Source: MCUboot, scripts/imgtool/image.py."""

import hashlib
import struct

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

PSS = padding.PSS(padding.MGF1(hashes.SHA256()), salt_length=32)


def tlv_area(magic, tlvs):
    body = b"".join(struct.pack("<HH", kind, len(value)) + value for kind, value in tlvs)
    return struct.pack("<HH", magic, 4 + len(body)) + body


class Maker:
    """`version` is what imgtool's --version takes, 1.4.0+7. key None leaves the image unsigned."""

    def __init__(self, key=None):
        self.key = key or ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))

    @property
    def public_pem(self):
        return self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def image(
        self, version, program_bytes=20_000, *, signed=True, protected=(), pure=False, algorithm="sha256", flags=0,
        extra=(), pad_signature=False,
    ):  # fmt: skip
        number, _, build = version.partition("+")
        major, minor, revision = (int(part) for part in number.split("."))
        program = hashlib.shake_128(version.encode()).digest(program_bytes)
        protected_area = tlv_area(0x6908, protected) if protected else b""
        header = struct.pack(
            "<IIHHIIBBHII", 0x96F3B83D, 0, 512, len(protected_area), len(program), flags,
            major, minor, revision, int(build or 0), 0,
        ).ljust(512, b"\0")  # fmt: skip
        hashed = header + program + protected_area
        digest = hashlib.new(algorithm, hashed).digest()
        tlvs = [({"sha256": 0x10, "sha384": 0x11, "sha512": 0x12}[algorithm], digest), *extra]
        if pure:
            tlvs.append((0x25, b"\x01"))
        if signed:
            public = self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            kind, signature = self._sign(hashed, hashed if pure else digest)
            if pad_signature:
                signature = signature.ljust(72, b"\0")
            tlvs += [(0x01, hashlib.sha256(public).digest()), (kind, signature)]
        return hashed + tlv_area(0x6907, tlvs)

    def _sign(self, hashed, message):
        match self.key:
            case ed25519.Ed25519PrivateKey():
                return 0x24, self.key.sign(message)
            case ec.EllipticCurvePrivateKey():
                return 0x22, self.key.sign(hashed, ec.ECDSA(hashes.SHA256()))
            case rsa.RSAPrivateKey():
                return 0x20 if self.key.key_size == 2048 else 0x23, self.key.sign(hashed, PSS, hashes.SHA256())

"""The gateway's own TLS certificate.

A phone pins its digest, which it has from the clinic over the clinic's own TLS, so no authority is needed.
"""

from __future__ import annotations

import hashlib
import os
import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from device_gateway.errors import GatewayError

VALID_YEARS = 20
"""Longer than a gateway lives: it is replaced by pairing again, not by an expiry nobody at home could mend."""


@dataclass(frozen=True, slots=True)
class GatewayCertificate:
    """certificate_sha256: hex digest of the certificate's DER form, which a phone compares."""

    context: ssl.SSLContext
    certificate_sha256: str


def load_or_make(home: Path, now: datetime) -> GatewayCertificate:
    """The certificate kept in `home`, made there the first time. Raises GatewayError where what is there is spoilt."""
    path = home / "certificate.pem"
    try:
        if not path.exists():
            _make(path, now)
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(path)
    except (OSError, ValueError, ssl.SSLError) as trouble:
        raise GatewayError(
            f"The gateway's certificate {path} cannot be used ({trouble}): delete it and start the gateway again."
        ) from trouble
    digest = hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).hexdigest()
    return GatewayCertificate(context, digest)


def _make(path: Path, now: datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Sinew gateway")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # a phone's clock may be behind
        .not_valid_after(now + timedelta(days=365 * VALID_YEARS))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("sinew-gateway")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    draft = path.with_suffix(".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(secret + certificate.public_bytes(serialization.Encoding.PEM))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)

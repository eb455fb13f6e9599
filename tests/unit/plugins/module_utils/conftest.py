"""Keys and certificates as people have them, made once for all tests."""

from __future__ import annotations

import dataclasses
import datetime
import pathlib
import typing as t

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

PASSWORD = "canary-passphrase-\u00e9"
NOW = datetime.datetime.now(datetime.timezone.utc)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: t.Any, password: str | None = None) -> bytes:
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if password is not None:
        encryption = serialization.BestAvailableEncryption(password.encode())
    pem: bytes = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
    return pem


def _certificate(name: str, key: t.Any, issuer: str, issuer_key: t.Any, days: int = 30) -> x509.Certificate:
    def named(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    return (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - datetime.timedelta(days=60))
        .not_valid_after(NOW + datetime.timedelta(days=days))
        .sign(issuer_key, hashes.SHA256())
    )


@dataclasses.dataclass(frozen=True)
class Keyring:
    """Everything that the certificate tests write into files."""

    key: rsa.RSAPrivateKey
    own: x509.Certificate
    issuer: x509.Certificate
    expired: x509.Certificate
    stranger: x509.Certificate
    ec_key: ec.EllipticCurvePrivateKey
    ec_certificate: x509.Certificate
    folder: pathlib.Path

    @property
    def thumbprint(self) -> str:
        return self.own.fingerprint(hashes.SHA1()).hex()

    def pem(self, *parts: t.Any, password: str | None = None) -> bytes:
        return b"".join(
            _pem(part) if isinstance(part, x509.Certificate) else _key_pem(part, password) for part in parts
        )

    def unknown_kind(self) -> bytes:
        """A certificate whose key is of a kind that does not exist: one byte of its name is changed."""
        data = self.ec_certificate.public_bytes(serialization.Encoding.DER)
        changed = data.replace(bytes.fromhex("2a8648ce3d0201"), bytes.fromhex("2a8648ce3d0209"))
        return _pem(x509.load_der_x509_certificate(changed))

    def pfx(self, password: str | None, key: t.Any = None, *others: x509.Certificate) -> bytes:
        encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
        if password is not None:
            encryption = serialization.BestAvailableEncryption(password.encode())
        certificate = self.ec_certificate if key is self.ec_key else self.own
        return pkcs12.serialize_key_and_certificates(b"app", key or self.key, certificate, others or None, encryption)

    def write(self, name: str, data: bytes) -> str:
        path = self.folder / name
        path.write_bytes(data)
        return str(path)


@pytest.fixture(scope="session")
def keyring(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    key, issuer_key, other_key = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for dummy in range(3))
    ec_key = ec.generate_private_key(ec.SECP256R1())
    return Keyring(
        key=key,
        own=_certificate("app", key, "issuer", issuer_key),
        issuer=_certificate("issuer", issuer_key, "issuer", issuer_key),
        expired=_certificate("app", key, "issuer", issuer_key, days=-1),
        stranger=_certificate("stranger", other_key, "issuer", issuer_key),
        ec_key=ec_key,
        ec_certificate=_certificate("ec", ec_key, "issuer", issuer_key),
        folder=tmp_path_factory.mktemp("keyring"),
    )


@pytest.fixture(scope="session")
def certificate_file(keyring: Keyring) -> str:
    """A file with one certificate and no key."""
    return keyring.write("certificate-only.pem", keyring.pem(keyring.own))

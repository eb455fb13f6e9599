"""A throw-away certificate authority: real TLS that nobody else trusts."""

from __future__ import annotations

import datetime
import ssl
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

HOSTS = ("localhost", "127.0.0.1")


class Authority:
    """Signs the certificate of the listeners; `ca_path` is what a client has to trust.

    :param directory: an existing, empty directory for the files.
    """

    def __init__(self, directory: Path) -> None:
        authority = trustme.CA()
        # Alone in its directory, so that the directory can be handed to a container as it is.
        ca_dir = directory / "ca"
        ca_dir.mkdir()
        self.ca_path = ca_dir / "ca.pem"
        authority.cert_pem.write_to_path(str(self.ca_path))
        self._server_certificate = authority.issue_cert(*HOSTS)

    def server_context(self) -> ssl.SSLContext:
        """What a listener wraps its connections with."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._server_certificate.configure_cert(context)
        return context


def _encryption(password: str | None) -> serialization.KeySerializationEncryption:
    return serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()


class ClientCertificate:
    """A key pair with a self-signed certificate, as people upload them to an app registration."""

    def __init__(self, common_name: str = "entra-risk") -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        now = datetime.datetime.now(datetime.timezone.utc)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=30))
            .sign(self.key, hashes.SHA256())
        )

    @property
    def thumbprint(self) -> str:
        """SHA-1 of the certificate in hexadecimal, as the portal shows it."""
        return self.certificate.fingerprint(hashes.SHA1()).hex().upper()  # the service's own identifier

    def certificate_pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def key_pem(self, password: str | None = None) -> str:
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, _encryption(password)
        ).decode()

    def pem(self, password: str | None = None) -> str:
        """Key and certificate in one text."""
        return self.key_pem(password) + self.certificate_pem()

    def pfx(self, password: str | None = None) -> bytes:
        """Key and certificate as PKCS #12."""
        return pkcs12.serialize_key_and_certificates(
            b"entra-risk", self.key, self.certificate, None, _encryption(password)
        )

"""Real TLS connections that fail: each gets the advice that fits it."""

from __future__ import annotations

import dataclasses
import datetime
import ipaddress
import pathlib
import ssl
import sys
import threading
import types
import typing as t
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ansible_collections.identityops.entra_risk.plugins.module_utils import _http
from ansible_collections.identityops.entra_risk.plugins.module_utils._errors import TlsError
from ansible_collections.identityops.entra_risk.plugins.module_utils._redact import Redactor
from ansible_collections.identityops.entra_risk.plugins.module_utils._tls import tls_advice

NOW = datetime.datetime.now(datetime.timezone.utc)


@dataclasses.dataclass(frozen=True)
class Authority:
    """A CA that issues what a test asks for.

    :param strict: with the extensions that RFC 5280 asks for.
    """

    folder: pathlib.Path
    name: str = "CA"
    strict: bool = True
    key: ec.EllipticCurvePrivateKey = dataclasses.field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def _sign(self, name: str, key: t.Any, days: int, extensions: t.Sequence[t.Any]) -> bytes:
        def named(text: str) -> x509.Name:
            return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

        builder = (
            x509.CertificateBuilder()
            .subject_name(named(name))
            .issuer_name(named(self.name))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - datetime.timedelta(days=60) if days < 30 else NOW + datetime.timedelta(days=30))
            .not_valid_after(NOW + datetime.timedelta(days=days))
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        if self.strict:
            identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
            builder = builder.add_extension(identifier, critical=False)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def own_pem(self) -> bytes:
        extensions: list[t.Any] = [x509.BasicConstraints(ca=True, path_length=None)]
        if self.strict:
            usage = dict.fromkeys(
                ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
                 "encipher_only", "decipher_only"), False,
            )  # fmt: skip
            extensions += [
                x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()),
                x509.KeyUsage(key_cert_sign=True, crl_sign=True, **usage),
            ]
        return self._sign(self.name, self.key, 20, extensions)

    def ca_file(self) -> str:
        path = self.folder / f"{self.name}.pem"
        path.write_bytes(self.own_pem())
        return str(path)

    def server_file(self, *, days: int = 20, name: str = "127.0.0.1") -> str:
        key = ec.generate_private_key(ec.SECP256R1())
        general: x509.GeneralName = (
            x509.IPAddress(ipaddress.ip_address(name)) if name[0].isdigit() else x509.DNSName(name)
        )
        data = self._sign("server", key, days, [x509.SubjectAlternativeName([general])])
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path = self.folder / "server.pem"
        path.write_bytes(data + pem)
        return str(path)


@pytest.fixture
def authority(tmp_path: pathlib.Path) -> Authority:
    return Authority(tmp_path)


Fail = t.Callable[[str, t.Any], str]


@pytest.fixture
def fail() -> t.Iterator[Fail]:
    """Connect to a server with this certificate file; gives the message."""
    servers = []

    def fail(server_file: str, verify: bool | str) -> str:
        server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(server_file)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.handle_error = lambda request, client_address: None  # type: ignore[method-assign]  # no noise
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(TlsError) as caught:
            _http.Transport(verify=verify, timeout=5, redactor=Redactor()).send(
                "GET", f"https://127.0.0.1:{server.server_port}/"
            )
        return str(caught.value)

    yield fail
    for server in servers:
        server.shutdown()
        server.server_close()


def test_without_ca_path_it_is_named(fail: Fail, authority: Authority) -> None:
    assert "name its CA bundle in ca_path" in fail(authority.server_file(), True)


def test_a_bundle_without_the_right_ca(fail: Fail, authority: Authority, tmp_path: pathlib.Path) -> None:
    other = Authority(tmp_path, "other").ca_file()
    message = fail(authority.server_file(), other)
    assert f"No CA in {other}" in message and "name its CA bundle" not in message


def test_a_folder_without_the_right_ca(fail: Fail, authority: Authority, tmp_path: pathlib.Path) -> None:
    folder = tmp_path / "hashed"
    folder.mkdir()
    (folder / "00000000.0").write_bytes(Authority(tmp_path, "other").own_pem())
    assert f"No CA in the folder {folder}" in fail(authority.server_file(), str(folder))


def test_another_name(fail: Fail, authority: Authority) -> None:
    message = fail(authority.server_file(name="login.contoso.example"), authority.ca_file())
    assert "is for another name" in message and "A different ca_path does not help" in message


def test_an_expired_certificate(fail: Fail, authority: Authority) -> None:
    message = fail(authority.server_file(days=-1), authority.ca_file())
    assert "expired" in message and "Check this machine's clock" in message


def test_a_certificate_of_the_future(fail: Fail, authority: Authority) -> None:
    assert "by it, the certificate is not valid yet" in fail(authority.server_file(days=60), authority.ca_file())


@pytest.mark.parametrize("code", [85, 86, 89, 92])
def test_what_is_strict_from_python_313_on(code: int) -> None:
    refused = ssl.SSLCertVerificationError(1, "certificate verify failed")
    refused.verify_code = code
    message = tls_advice([refused], "/etc/ca.pem")
    assert "Python 3.12 or older" in message and "A different ca_path does not help" in message


def test_a_ca_without_key_identifiers(fail: Fail, tmp_path: pathlib.Path) -> None:
    loose = Authority(tmp_path, strict=False)
    if sys.version_info >= (3, 13):
        assert "Python 3.12 or older" in fail(loose.server_file(), loose.ca_file())
    else:
        # Verified by this Python, so that another fault must be told.
        assert "another name" in fail(loose.server_file(name="x.example"), loose.ca_file())


def test_no_tls_at_all() -> None:
    message = tls_advice([ssl.SSLError(1, "x")], "/etc/ca.pem")
    assert "do not agree on TLS" in message and "Check the port" in message


def test_the_name_check_of_urllib3() -> None:
    cause = types.new_class("CertificateError", (Exception,))()
    assert "is for another name" in tls_advice([cause], True)

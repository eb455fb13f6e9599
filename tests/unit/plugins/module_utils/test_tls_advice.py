"""Real TLS connections that fail: each gets the advice that fits it."""

from __future__ import annotations

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
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ansible_collections.identityops.entra_risk.plugins.module_utils import _http
from ansible_collections.identityops.entra_risk.plugins.module_utils._errors import TlsError
from ansible_collections.identityops.entra_risk.plugins.module_utils._redact import Redactor
from ansible_collections.identityops.entra_risk.plugins.module_utils._tls import tls_advice

NOW = datetime.datetime.now(datetime.timezone.utc)
DAY = datetime.timedelta(days=1)

Server = t.Callable[[ssl.SSLContext], str]


@pytest.fixture
def serve() -> t.Iterator[Server]:
    """A server with this context; gives its URL."""
    servers = []

    def serve(context: ssl.SSLContext) -> str:
        server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.handle_error = lambda request, client_address: None  # type: ignore[method-assign]  # no noise
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        return f"https://127.0.0.1:{server.server_port}/"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def refusal(url: str, verify: bool | str) -> str:
    with pytest.raises(TlsError) as caught:
        _http.Transport(verify=verify, timeout=5, redactor=Redactor()).send("GET", url)
    return str(caught.value)


# How the server's certificate differs, the CA that is given, and what the message must say.
CASES: t.Mapping[str, tuple[dict[str, t.Any], str, list[str]]] = {
    "no ca_path": ({}, "", ["name its CA bundle in ca_path"]),
    "a bundle without the right CA": ({}, "other.pem", ["No CA in ", "other.pem"]),
    "a folder without the right CA": ({}, "hashed", ["No CA in the folder ", "hashed"]),
    "another name": ({"name": "x.example"}, "ca.pem", ["is for another name", "A different ca_path does not help"]),
    "expired": ({"not_after": NOW - DAY}, "ca.pem", ["expired", "Check this machine's clock"]),
    "of the future": ({"not_before": NOW + DAY}, "ca.pem", ["by it, the certificate is not valid yet"]),
}


@pytest.mark.parametrize("case", CASES)
def test_the_advice_fits_the_certificate(serve: Server, tmp_path: pathlib.Path, case: str) -> None:
    times, verify, words = CASES[case]
    ca, other = trustme.CA(), trustme.CA()
    (tmp_path / "hashed").mkdir()
    for name, authority in (("ca.pem", ca), ("other.pem", other), ("hashed/00000000.0", other)):
        authority.cert_pem.write_to_path(str(tmp_path / name))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    times = {"not_before": NOW - 60 * DAY, **times}
    ca.issue_cert(times.pop("name", "127.0.0.1"), **times).configure_cert(context)
    message = refusal(serve(context), str(tmp_path / verify) if verify else True)
    assert [word for word in words if word not in message] == []
    assert ("name its CA bundle" in message) is (not verify)


def test_a_ca_without_key_identifiers(serve: Server, tmp_path: pathlib.Path) -> None:
    strict = sys.version_info >= (3, 13)
    key, pem = ec.generate_private_key(ec.SECP256R1()), serialization.Encoding.PEM
    ca = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "CA")])
    # Older Pythons verify it, so that another fault must be told.
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1" if strict else "127.0.0.2"))

    def certificate(subject: x509.Name, extension: x509.ExtensionType) -> bytes:
        builder = x509.CertificateBuilder(ca, subject, key.public_key(), 1, NOW - DAY, NOW + DAY)
        return builder.add_extension(extension, critical=subject == ca).sign(key, hashes.SHA256()).public_bytes(pem)

    (tmp_path / "ca.pem").write_bytes(certificate(ca, x509.BasicConstraints(ca=True, path_length=None)))
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "own.pem").write_bytes(private + certificate(x509.Name([]), x509.SubjectAlternativeName([address])))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "own.pem")
    words = "Python 3.12 or older" if strict else "another name"
    assert words in refusal(serve(context), str(tmp_path / "ca.pem"))


STRICT = [ssl.SSLCertVerificationError(1, "certificate verify failed") for dummy in range(4)]
for error, code in zip(STRICT, (85, 86, 89, 92)):
    error.verify_code = code
# That of urllib3 has a class of its own.
OTHER_NAME = types.new_class("CertificateError", (Exception,))()


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        *((cause, ["Python 3.12 or older", "A different ca_path does not help"]) for cause in STRICT),
        (ssl.SSLError(1, "x"), ["do not agree on TLS", "Check the port"]),
        (OTHER_NAME, ["is for another name"]),
    ],
)
def test_the_advice_fits_the_cause(cause: Exception, words: list[str]) -> None:
    message = tls_advice([cause], "/etc/ca.pem")
    assert [word for word in words if word not in message] == []

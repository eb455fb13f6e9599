"""Certificate files as exports, vaults and copies leave them: read, or refused with the advice that fits."""

from __future__ import annotations

import base64
import datetime
import json
import time
import types
import typing as t
from unittest import mock

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs7, pkcs12

from ansible_collections.identityops.entra_risk.plugins.module_utils._errors import CredentialsError
from ansible_collections.identityops.entra_risk.plugins.module_utils._login import certificate
from ansible_collections.identityops.entra_risk.plugins.module_utils._login.connection import Credential
from ansible_collections.identityops.entra_risk.plugins.module_utils._login.encodings import pem_blocks, to_pem_or_der
from ansible_collections.identityops.entra_risk.tests.unit.plugins.module_utils.conftest import PASSWORD, Keyring

PEM, DER = serialization.Encoding.PEM, serialization.Encoding.DER
FORM = serialization.PrivateFormat
Content = t.Callable[[Keyring], bytes]


def pem(keyring: Keyring) -> bytes:
    return keyring.pem(keyring.key, keyring.own)


def private(key: t.Any, form: serialization.PrivateFormat, encoding: serialization.Encoding = PEM) -> bytes:
    return bytes(key.private_bytes(encoding, form, serialization.NoEncryption()))


def block(label: str) -> bytes:
    return f"-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n".encode()


def without_key(certificate: x509.Certificate) -> bytes:
    return pkcs12.serialize_key_and_certificates(None, None, None, [certificate], serialization.NoEncryption())


def read(keyring: Keyring, content: bytes, **options: t.Any) -> t.Any:
    path = keyring.write("any.file", content)
    return certificate.read_certificate(Credential("certificate", "certificate_path", path, **options))


def refusal(keyring: Keyring, content: bytes, **options: t.Any) -> str:
    with pytest.raises(CredentialsError) as caught:
        read(keyring, content, **options)
    assert "canary" not in str(caught.value)
    assert str(caught.value).startswith("thumbprint") or f"certificate_path ({keyring.folder}" in str(caught.value)
    return str(caught.value)


READABLE: t.Mapping[str, Content] = {
    "key, certificate": pem,
    "key in PKCS#1": lambda k: private(k.key, FORM.TraditionalOpenSSL) + k.pem(k.own),
    "certificate, key": lambda k: k.pem(k.own, k.key),
    "chain in any order": lambda k: k.pem(k.issuer, k.own, k.key),
    "text around it": lambda k: b"Bag Attributes\n" + k.pem(k.key) + b"subject=app\r\n" + k.pem(k.own),
    "beside other things": lambda k: block("DH PARAMETERS") + k.unknown_kind() + k.pem(k.own, k.key),
    "beside another kind of key": lambda k: k.pem(k.ec_certificate, k.own, k.key),
    "PFX": lambda k: k.pfx(None),
    "PFX with a chain": lambda k: k.pfx(None, None, k.issuer),
    "PFX as Base64 text": lambda k: base64.b64encode(k.pfx(None)),
    "PFX as Base64 text in lines": lambda k: base64.encodebytes(k.pfx(None)),
    "PFX as Base64 text with CRLF": lambda k: base64.encodebytes(k.pfx(None)).replace(b"\n", b"\r\n"),
    "PFX as Base64 text in quotes": lambda k: b'"' + base64.b64encode(k.pfx(None)) + b'"\n',
    "PFX as Base64 text without padding": lambda k: base64.b64encode(k.pfx(None)).rstrip(b"="),
    "PFX as Base64 for URLs": lambda k: base64.urlsafe_b64encode(k.pfx(None)),
    "PFX as Base64 of Base64": lambda k: base64.b64encode(base64.b64encode(k.pfx(None))),
    "PFX as Base64 text in UTF-16": lambda k: base64.b64encode(k.pfx(None)).decode().encode("utf-16"),
    "PFX as Base64 text in UTF-16 without a mark": lambda k: base64.b64encode(k.pfx(None)).decode().encode("utf-16-le"),
    "PEM as Base64 text": lambda k: base64.b64encode(pem(k)),
    "PEM in UTF-16": lambda k: pem(k).decode().encode("utf-16"),
    "PEM in UTF-16, big end first": lambda k: b"\xfe\xff" + pem(k).decode().encode("utf-16-be"),
    "PEM in UTF-16 without a mark": lambda k: pem(k).decode().encode("utf-16-le"),
    "PEM in UTF-8 with a mark": lambda k: b"\xef\xbb\xbf" + pem(k),
    "PEM with CRLF": lambda k: pem(k).replace(b"\n", b"\r\n"),
    "PEM with written line breaks": lambda k: pem(k).replace(b"\n", b"\\n"),
    "PEM with written CRLF in quotes": lambda k: b'"' + pem(k).replace(b"\n", b"\\r\\n") + b'"',
    "PEM on one line": lambda k: pem(k).replace(b"\n", b" "),
    "PEM with indented lines": lambda k: pem(k).replace(b"\n", b"\n    "),
}


ENCRYPTED: t.Mapping[str, Content] = {
    "PEM": lambda k: k.pem(k.key, k.own, password=PASSWORD),
    "PEM on one line": lambda k: k.pem(k.key, k.own, password=PASSWORD).replace(b"\n", b" "),
    "PFX": lambda k: k.pfx(PASSWORD),
    "PFX with a chain": lambda k: k.pfx(PASSWORD, None, k.issuer),
    "PFX as Base64 text": lambda k: base64.b64encode(k.pfx(PASSWORD)),
}
UNNEEDED = {"password": PASSWORD, "thumbprint": "nonsense"}


@pytest.mark.parametrize(
    ("content", "options"),
    [
        *((content, {}) for content in READABLE.values()),
        *((READABLE[name], UNNEEDED) for name in ("key, certificate", "PEM in UTF-16", "PFX", "PFX as Base64 text")),
        *((content, {"password": PASSWORD}) for content in ENCRYPTED.values()),
    ],
)
def test_is_read(keyring: Keyring, content: Content, options: dict[str, t.Any]) -> None:
    found = read(keyring, content(keyring), **options)
    assert found.thumbprint == keyring.thumbprint
    assert found.private_key.startswith("-----BEGIN PRIVATE KEY-----\n")
    assert found.certificates[0].encode() == keyring.pem(keyring.own)


# What is in the file, and what the message must say.
REFUSED: t.Mapping[str, tuple[Content, str]] = {
    "certificate in DER": (lambda k: k.own.public_bytes(DER), "a certificate (DER) without its private key"),
    "certificate in DER as Base64": (lambda k: base64.b64encode(k.own.public_bytes(DER)), "a certificate (DER)"),
    "key in DER": (lambda k: private(k.key, FORM.PKCS8, DER), "openssl pkey -inform der"),
    "PKCS#7": (lambda k: pkcs7.serialize_certificates([k.own], DER), "certificates (PKCS#7) without a private key"),
    "PKCS#7 in PEM": (lambda k: pkcs7.serialize_certificates([k.own], PEM), "no private key (but: PKCS7)"),
    # The advice makes PKCS#1 of it.
    "OpenSSH key": (lambda k: private(k.key, FORM.OpenSSH) + k.pem(k.own), "ssh-keygen -p -N '' -m PEM"),
    "OpenSSH key alone": (lambda k: private(k.key, FORM.OpenSSH), "ssh-keygen -p -N '' -m PEM"),
    "public key of SSH": (lambda k: b"ssh-rsa AAAAB3NzaC1yc2E canary", "a public key of SSH"),
    "key of PuTTY": (lambda k: b"PuTTY-User-Key-File-3: ssh-rsa\ncanary", "a key of PuTTY"),
    "Java keystore": (lambda k: b"\xfe\xed\xfe\xed\x00\x00\x00\x02canary", "keytool -importkeystore"),
    "answer of Key Vault": (lambda k: json.dumps({"value": "canary"}).encode(), "it holds JSON"),
    "certificate request": (lambda k: block("CERTIFICATE REQUEST"), "no private key (but: CERTIFICATE REQUEST)"),
    "cut off": (lambda k: k.pem(k.key)[:-30], "no complete block"),
    "garbage": (lambda k: b"\x00\x01\x02", "neither a PEM nor a PFX file"),
    "certificate alone": (lambda k: k.pem(k.own), "holds no private key"),
    "key of another certificate": (lambda k: k.pem(k.key, k.stranger), "none of its certificates"),
    "EC key": (lambda k: k.pem(k.ec_key, k.ec_certificate), "not an RSA key"),
    "EC key in a PFX": (lambda k: k.pfx(None, k.ec_key), "not an RSA key"),
    "damaged key": (lambda k: block("PRIVATE KEY") + k.pem(k.own), "private key is damaged"),
    "damaged certificate": (lambda k: k.pem(k.key) + block("CERTIFICATE"), "a certificate in it is damaged"),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("password", [None, "canary-1"])
def test_is_refused_with_the_advice_that_fits(keyring: Keyring, name: str, password: str | None) -> None:
    content, words = REFUSED[name]
    message = refusal(keyring, content(keyring), password=password)
    assert words in message and "certificate_password" not in message


@pytest.mark.parametrize(
    ("content", "options", "words"),
    [
        (lambda k: k.pem(k.key), {}, "AZURE_THUMBPRINT"),
        (lambda k: k.pem(k.key), {"thumbprint": "ab:cd"}, "40 hexadecimal digits"),
        (ENCRYPTED["PEM"], {}, "AZURE_CLIENT_CERTIFICATE_PASSWORD"),
        (ENCRYPTED["PEM"], {"password": "canary-x"}, "cannot be decrypted. Check certificate_password"),
        (ENCRYPTED["PFX"], {}, "needs a password"),
        (ENCRYPTED["PFX"], {"password": "canary-x"}, "password is wrong"),
        (ENCRYPTED["PFX"], {"password": PASSWORD + "\u200b"}, "invisible characters"),
        (ENCRYPTED["PFX"], {"password": "canary\udcff"}, "certificate_password has"),
        (ENCRYPTED["PFX as Base64 text"], {}, "needs a password"),
        (lambda k: k.pfx(None)[:-40], {}, "a damaged PFX file, or it needs a password"),
        (lambda k: k.pfx(None)[:-40], {"password": "canary-x"}, "certificate_password"),
        (lambda k: without_key(k.own), {}, "both a key and its certificate"),
    ],
)
def test_what_must_be_given_beside_the_file(
    keyring: Keyring, content: Content, options: dict[str, t.Any], words: str
) -> None:
    assert words in refusal(keyring, content(keyring), **options)


@pytest.mark.parametrize("name", ["PEM", "PFX"])
@pytest.mark.parametrize(("tail", "words"), [("\n", "a line break"), ("\r\n", "a line break"), (" ", "whitespace")])
def test_whitespace_at_the_end_of_a_password_is_told(keyring: Keyring, name: str, tail: str, words: str) -> None:
    content = ENCRYPTED[name](keyring)
    message = refusal(keyring, content, password=PASSWORD + tail)
    assert words in message and "without it the password fits" in message
    assert "without it the password fits" not in refusal(keyring, content, password="canary" + tail)


@pytest.mark.parametrize("mark", ["\u200e", "\ufeff", "\u200b"])
def test_an_invisible_mark_in_a_thumbprint_is_told(keyring: Keyring, mark: str) -> None:
    key = keyring.pem(keyring.key)
    assert "certificate dialog of Windows" in refusal(keyring, key, thumbprint=mark + keyring.thumbprint)
    assert "certificate dialog of Windows" not in refusal(keyring, key, thumbprint=keyring.thumbprint[1:])


def test_a_file_without_end_is_not_read(keyring: Keyring) -> None:
    assert "larger than 1 MiB" in refusal(keyring, b"x" * (1024 * 1024 + 1))


@pytest.mark.parametrize("content", [b"-----BEGIN " * 90_000, b"-----BEGIN A-----" * 60_000, b"\\n" * 500_000])
def test_a_hostile_file_is_read_in_no_time(content: bytes) -> None:
    began = time.perf_counter()
    pem_blocks(to_pem_or_der(content))
    assert time.perf_counter() - began < 1


class PanicException(BaseException):  # its name in pyo3
    """What the parts of libraries that are written in Rust raise."""


@pytest.mark.parametrize(
    ("failure", "remedy"),
    [
        (PanicException("Python API call failed"), "pip install --force-reinstall cryptography"),
        (RuntimeError("OpenSSL 3.0's legacy provider failed to load."), "CRYPTOGRAPHY_OPENSSL_NO_LEGACY=1"),
        (ImportError("libssl.so.3: cannot open shared object file"), "--force-reinstall cryptography"),
    ],
)
def test_a_cryptography_that_does_not_work_is_named(
    keyring: Keyring, monkeypatch: pytest.MonkeyPatch, failure: BaseException, remedy: str
) -> None:
    monkeypatch.setattr(serialization, "load_pem_private_key", mock.Mock(side_effect=failure))
    with pytest.raises(CredentialsError, match="library cryptography is installed") as caught:
        read(keyring, pem(keyring))
    assert remedy in str(caught.value)


def test_older_releases_of_cryptography() -> None:
    old = types.SimpleNamespace(not_valid_after=datetime.datetime(2026, 1, 1))
    assert certificate._not_after(t.cast(t.Any, old)) == 1767225600.0

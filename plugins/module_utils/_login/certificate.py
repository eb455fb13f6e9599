# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""The certificate and key of an application, read from a PEM or PFX file and checked before anything is sent."""

from __future__ import annotations

import dataclasses
import datetime
import re
import traceback
import typing as t

from .._errors import CredentialsError, MissingLibraryError
from .connection import Credential

if t.TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.x509 import Certificate

_BLOCK = re.compile(rb"-----BEGIN (?P<label>[A-Z0-9 ]+)-----.+?-----END (?P=label)-----", re.DOTALL)
_SHA1_HEX = re.compile(r"[0-9a-f]{40}", re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class ClientCertificate:
    """What MSAL needs to sign with a certificate.

    :param private_key: PEM, no longer encrypted; it stays in memory.
    :param certificates: PEM, the application's own first; empty when the file holds the key alone.
    :param thumbprint: SHA-1, 40 hexadecimal digits.
    :param not_after: when the certificate expires, seconds since 1970; None without a certificate.
    """

    private_key: str = dataclasses.field(repr=False)
    certificates: tuple[str, ...]
    thumbprint: str
    not_after: float | None


def read_certificate(credential: Credential) -> ClientCertificate:
    """Read and check the file of a certificate credential.

    :raises CredentialsError: the file cannot be read, or is not what a login needs. The message names it.
    :raises MissingLibraryError: the cryptography library is missing.
    """
    try:
        # MSAL depends on it, so it is there wherever a login works. Loading it takes longer than a login by secret.
        from cryptography.hazmat.primitives.asymmetric import rsa
    except ImportError:
        raise MissingLibraryError("cryptography", traceback.format_exc()) from None

    data = read_file(credential.label, credential.value)
    if b"-----BEGIN" in data:
        key, certificates = _from_pem(credential, data)
    elif data[:1] == b"\x30":
        key, certificates = _from_pfx(credential, data)
    else:
        raise _problem(credential, "it is neither a PEM nor a PFX file", "Give a PEM file with key and certificate.")
    if not isinstance(key, rsa.RSAPrivateKey):
        raise _problem(credential, "its key is not an RSA key", "Entra accepts RSA keys only for such a login.")
    return _client_certificate(credential, key, certificates)


def read_file(label: str, path: str) -> bytes:
    """The content of a file that an option names.

    :raises CredentialsError: it cannot be read, or is empty.
    """
    try:
        with open(path, "rb") as stream:
            data = stream.read()
    except OSError as exc:
        reason = exc.strerror or type(exc).__name__
    except ValueError:
        reason = "this is not a path"
    else:
        if data.strip():
            return data
        reason = "the file is empty"
    raise CredentialsError(
        f"{label} ({path}) cannot be read: {reason}. "
        "The file must be on the machine where the module runs, readable for its user."
    )


def _problem(credential: Credential, reason: str, remedy: str) -> CredentialsError:
    return CredentialsError(f"{credential.label} ({credential.value}) cannot be used: {reason}. {remedy}")


def _from_pem(credential: Credential, data: bytes) -> tuple[t.Any, list[Certificate]]:
    from cryptography import x509

    blocks: dict[bool, list[bytes]] = {True: [], False: []}
    for match in _BLOCK.finditer(data):
        label = match["label"]
        if label.endswith(b"PRIVATE KEY") or label in (b"CERTIFICATE", b"X509 CERTIFICATE"):
            blocks[label.endswith(b"PRIVATE KEY")].append(match[0])
    if not blocks[True]:
        raise _problem(credential, "it holds no private key", "Put the key and the certificate into one PEM file.")
    try:
        certificates = [x509.load_pem_x509_certificate(block) for block in blocks[False]]
    except ValueError:
        raise _problem(credential, "a certificate in it is damaged", "Export the certificate again.") from None
    return _load_key(credential, blocks[True][0]), certificates


def _load_key(credential: Credential, block: bytes) -> t.Any:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    password = credential.password.encode() if credential.password is not None else None
    encrypted = b"ENCRYPTED" in block
    if encrypted and password is None:
        raise _problem(
            credential,
            "its key is encrypted, and no password is given",
            "Give certificate_password (AZURE_CLIENT_CERTIFICATE_PASSWORD).",
        )
    try:
        # A password that is not needed does no harm: credential forms often keep one from before.
        return load_pem_private_key(block, password if encrypted else None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        if encrypted:
            problem = _problem(credential, "its key cannot be decrypted", "Check certificate_password.")
        else:
            problem = _problem(credential, "its private key is damaged or of an unknown kind", "Export the key again.")
    raise problem


def _from_pfx(credential: Credential, data: bytes) -> tuple[t.Any, list[Certificate]]:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import pkcs12

    # "No password" and "an empty password" are two things in PFX files, and tools differ in what they write.
    passwords = [None, b""] if credential.password is None else [credential.password.encode()]
    for password in passwords:
        try:
            key, certificate, others = pkcs12.load_key_and_certificates(data, password)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            continue
        if key is None or certificate is None:
            raise _problem(
                credential, "it does not hold both a key and its certificate", "Export it again, with the private key."
            )
        return key, [certificate, *others]
    raise _problem(
        credential,
        "it is no PFX file, or it needs a password"
        if credential.password is None
        else "it is no PFX file, or the password is wrong",
        "Check certificate_password (AZURE_CLIENT_CERTIFICATE_PASSWORD).",
    )


def _client_certificate(
    credential: Credential, key: RSAPrivateKey, certificates: t.Sequence[Certificate]
) -> ClientCertificate:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    private_key = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii")
    if not certificates:
        return ClientCertificate(private_key, (), _thumbprint(credential), None)
    own = next((item for item in certificates if _belongs_to(item, key)), None)
    if own is None:
        raise _problem(
            credential, "none of its certificates belongs to its key", "Put the key and its own certificate together."
        )
    chain = [own, *(item for item in certificates if item != own)]
    return ClientCertificate(
        private_key,
        tuple(item.public_bytes(Encoding.PEM).decode("ascii") for item in chain),
        # The name of a certificate in a registration, not a protection of anything.
        own.fingerprint(hashes.SHA1()).hex(),
        _not_after(own),
    )


def _belongs_to(certificate: Certificate, key: RSAPrivateKey) -> bool:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import rsa

    try:
        public_key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return False
    return isinstance(public_key, rsa.RSAPublicKey) and public_key.public_numbers() == key.public_key().public_numbers()


def _not_after(certificate: Certificate) -> float:
    # Older releases of cryptography have the naive form only.
    if hasattr(certificate, "not_valid_after_utc"):
        return certificate.not_valid_after_utc.timestamp()
    return certificate.not_valid_after.replace(tzinfo=datetime.timezone.utc).timestamp()


def _thumbprint(credential: Credential) -> str:
    if credential.thumbprint is None:
        raise _problem(
            credential,
            "it holds a key without a certificate",
            "Append the certificate to the file, or give its SHA-1 thumbprint in thumbprint (AZURE_THUMBPRINT).",
        )
    thumbprint = re.sub(r"[\s:]", "", credential.thumbprint)
    if _SHA1_HEX.fullmatch(thumbprint) is None:
        raise CredentialsError(
            "thumbprint is not the SHA-1 thumbprint of a certificate: "
            "it must have 40 hexadecimal digits (colons and blanks do not matter)."
        )
    return thumbprint

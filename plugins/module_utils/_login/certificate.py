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
import typing as t

from .._errors import CredentialsError
from .._libraries import working_library
from .connection import Credential
from .encodings import is_der, is_pem, pem_blocks, to_pem_or_der
from .files import read_file
from .shapes import has_invisible_characters, path_for_message

if t.TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.x509 import Certificate

_SHA1_HEX = re.compile(r"[0-9a-f]{40}", re.IGNORECASE)
_CERTIFICATE_LABELS = ("CERTIFICATE", "X509 CERTIFICATE")
_CONVERT_PFX = "Export the certificate with its private key, as PFX, or as PEM with both."


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
    :raises CredentialsError: also when the cryptography library is missing or does not work.
    """
    data = to_pem_or_der(read_file(credential.label, credential.value))
    # MSAL depends on it, so it is there wherever a login works. Loading it takes longer than a login by secret.
    with working_library("cryptography"):
        from cryptography.hazmat.primitives.asymmetric import rsa

        if is_pem(data):
            key, certificates = _from_pem(credential, data)
        elif is_der(data):
            key, certificates = _from_der(credential, data)
        else:
            raise _problem(credential, *_foreign(data))
        if not isinstance(key, rsa.RSAPrivateKey):
            raise _problem(credential, "its key is not an RSA key", "Entra accepts RSA keys only for such a login.")
        return _client_certificate(credential, key, certificates)


def _problem(credential: Credential, reason: str, remedy: str) -> CredentialsError:
    return CredentialsError(
        f"{credential.label}{path_for_message(credential.value)} cannot be used: {reason}. {remedy}"
    )


def _foreign(data: bytes) -> tuple[str, str]:
    """What a file is that is neither PEM nor DER, and the remedy."""
    for begin, reason, remedy in (
        (b"PuTTY-User-Key-File", "it is a key of PuTTY", _CONVERT_PFX),
        (b"ssh-", "it is a public key of SSH", _CONVERT_PFX),
        (b"\xfe\xed\xfe\xed", "it is a Java keystore", "Convert it to PFX with keytool -importkeystore."),
        (b"{", "it holds JSON", "Write the value of the certificate alone into the file."),
    ):
        if data.lstrip().startswith(begin):
            return reason, remedy
    return "it is neither a PEM nor a PFX file", "Give a PEM file with key and certificate, or a PFX file."


def _from_pem(credential: Credential, data: bytes) -> tuple[t.Any, list[Certificate]]:
    from cryptography import x509

    blocks = pem_blocks(data)
    keys = [block for block in blocks if block.label.endswith("PRIVATE KEY")]
    if not keys:
        holds = ", ".join(dict.fromkeys(block.label for block in blocks)) or "no complete block"
        raise _problem(
            credential,
            f"it holds no private key (but: {holds})",
            "Put the private key and its certificate into one PEM file. " + _CONVERT_PFX,
        )
    try:
        certificates = [
            x509.load_pem_x509_certificate(block.data) for block in blocks if block.label in _CERTIFICATE_LABELS
        ]
    except ValueError:
        raise _problem(credential, "a certificate in it is damaged", "Export the certificate again.") from None
    if keys[0].label.startswith(("OPENSSH", "SSH2")):
        raise _problem(
            credential,
            "its key is in the format of OpenSSH",
            "Convert a copy of it with: ssh-keygen -p -N '' -m PEM -f COPY; then append its certificate.",
        )
    return _load_key(credential, keys[0].data), certificates


def _password(credential: Credential) -> bytes | None:
    # A variable of the environment may hold bytes that are no text.
    return None if credential.password is None else credential.password.encode("utf-8", "surrogateescape")


def _load_key(credential: Credential, block: bytes) -> t.Any:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    encrypted = b"ENCRYPTED" in block
    if encrypted and credential.password is None:
        raise _problem(
            credential,
            "its key is encrypted, and no password is given",
            "Give certificate_password (AZURE_CLIENT_CERTIFICATE_PASSWORD).",
        )

    def load(password: bytes | None) -> t.Any:
        try:
            return load_pem_private_key(block, password)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            return None

    # A password that is not needed does no harm: credential forms often keep one from before.
    key = load(_password(credential) if encrypted else None)
    if key is not None:
        return key
    if encrypted:
        raise _problem(credential, "its key cannot be decrypted", _password_advice(credential, load))
    raise _problem(credential, "its private key is damaged or of an unknown kind", "Export the key again.")


def _password_advice(credential: Credential, load: t.Callable[[bytes | None], t.Any]) -> str:
    """What to do about a password that does not fit: the newline at its end is not seen where it is kept."""
    password = credential.password or ""
    tidy = password.strip()
    if tidy != password:
        fits = load(tidy.encode("utf-8", "surrogateescape")) is not None
        what = "a line break" if password.rstrip("\r\n") != password else "whitespace"
        return (
            f"certificate_password has {what} at its end or beginning"
            f"{', and without it the password fits' if fits else ''}. Take that out (a file or a secret of Kubernetes "
            "that was made with 'echo' ends with a line break; 'printf' or 'echo -n' makes none)."
        )
    if has_invisible_characters(password):
        return "certificate_password has invisible characters in it. Type it anew."
    return "Check certificate_password (AZURE_CLIENT_CERTIFICATE_PASSWORD)."


def _from_der(credential: Credential, data: bytes) -> tuple[t.Any, list[Certificate]]:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import pkcs12

    def load(password: bytes | None) -> t.Any:
        try:
            return pkcs12.load_key_and_certificates(data, password)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            return None

    # "No password" and "an empty password" are two things in PFX files, and tools differ in what they write.
    passwords = (None, b"") if credential.password is None else (_password(credential),)
    loaded = next(filter(None, map(load, passwords)), None)
    if loaded is None:
        other = _other_der(data)
        if other is not None:
            raise _problem(credential, *other)
        if credential.password is None:
            raise _problem(
                credential,
                "it is a damaged PFX file, or it needs a password",
                "Give certificate_password (AZURE_CLIENT_CERTIFICATE_PASSWORD).",
            )
        if load(None) is None and load(b"") is None:
            raise _problem(
                credential, "it is a damaged PFX file, or the password is wrong", _password_advice(credential, load)
            )
        loaded = load(None) or load(b"")
    key, certificate, others = loaded
    if key is None or certificate is None:
        raise _problem(
            credential, "it does not hold both a key and its certificate", "Export it again, with the private key."
        )
    return key, [certificate, *others]


def _other_der(data: bytes) -> tuple[str, str] | None:
    """What a binary file is that is no PFX file, and the remedy; None for what may be one."""
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_der_private_key, pkcs7

    for load, reason, remedy in (
        (x509.load_der_x509_certificate, "it holds a certificate (DER) without its private key", _CONVERT_PFX),
        (x509.load_der_x509_csr, "it holds a certificate request (DER), not a certificate", _CONVERT_PFX),
        (pkcs7.load_der_pkcs7_certificates, "it holds certificates (PKCS#7) without a private key", _CONVERT_PFX),
        (
            lambda der: load_der_private_key(der, None),
            "it holds a private key (DER) without its certificate",
            "Convert it with: openssl pkey -inform der -in FILE -out key.pem; and append the certificate as PEM.",
        ),
    ):
        try:
            load(data)
        except TypeError:
            # The key is encrypted.
            return reason, remedy
        except (ValueError, UnsupportedAlgorithm):
            continue
        return reason, remedy
    return None


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
        visible = "".join(filter(str.isprintable, thumbprint))
        hint = " There are invisible characters in it, as the certificate dialog of Windows copies them: type it anew."
        raise CredentialsError(
            "thumbprint is not the SHA-1 thumbprint of a certificate: it must have 40 hexadecimal digits "
            f"(colons and whitespace do not matter).{hint if visible != thumbprint else ''}"
        )
    return thumbprint

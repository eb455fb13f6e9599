"""App registrations and managed identities: who may log in, with what, and what they are allowed to do."""

from __future__ import annotations

import dataclasses
import typing as t
import uuid

from cryptography import x509

from .pki import ClientCertificate
from .tokens import FEDERATION_AUDIENCE

DEFAULT_ROLES = ("IdentityRiskyUser.ReadWrite.All", "User.Read.All")


@dataclasses.dataclass(frozen=True)
class FederatedRecord:
    """Which OIDC token stands for the app."""

    issuer: str
    subject: str
    audience: str = FEDERATION_AUDIENCE


@dataclasses.dataclass
class App:
    """An app registration with its service principal (`object_id`).

    `key_pair` is there when the certificate was made here; `certificates` are the registered public ones.
    """

    client_id: str
    object_id: str
    roles: tuple[str, ...]
    secret: str | None = None
    certificates: tuple[x509.Certificate, ...] = ()
    key_pair: ClientCertificate | None = None
    federated: tuple[FederatedRecord, ...] = ()
    managed_identity: bool = False

    @property
    def certificate(self) -> ClientCertificate:
        """The key pair that was made for this app."""
        if self.key_pair is None:
            raise LookupError("this app has no certificate of its own")
        return self.key_pair


def new_app(
    *,
    roles: t.Sequence[str] = DEFAULT_ROLES,
    secret: str | bool | None = True,
    certificate: str | bool = False,
    federated: t.Sequence[FederatedRecord | t.Mapping[str, str]] = (),
    client_id: str | None = None,
    managed_identity: bool = False,
) -> App:
    """An app registration.

    :param secret: the secret itself; True makes one; None or False is none.
    :param certificate: the PEM text of a certificate to register; True makes a key pair.
    :param federated: records, or their fields.
    """
    key_pair = ClientCertificate() if certificate is True else None
    certificates: tuple[x509.Certificate, ...] = ()
    if key_pair is not None:
        certificates = (key_pair.certificate,)
    elif isinstance(certificate, str):
        certificates = tuple(x509.load_pem_x509_certificates(certificate.encode()))
    return App(
        client_id=client_id or str(uuid.uuid4()),
        object_id=str(uuid.uuid4()),
        roles=tuple(roles),
        # The form of real ones: 40 characters, some of which must be encoded in a form.
        secret=f"Zz8Q~{uuid.uuid4().hex}~+&" if secret is True else secret or None,
        certificates=certificates,
        key_pair=key_pair,
        federated=tuple(item if isinstance(item, FederatedRecord) else FederatedRecord(**item) for item in federated),
        managed_identity=managed_identity,
    )

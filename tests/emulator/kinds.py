"""The two kinds of principals, so that one test can speak of both."""

from __future__ import annotations

import dataclasses
import typing as t

from tests.entra_emulator.records import Principal
from tests.entra_emulator.tenant import Tenant

from .client import RISKY_SERVICE_PRINCIPALS, RISKY_USERS


@dataclasses.dataclass(frozen=True)
class Kind:
    """How to add and find principals of a kind, and where Graph has them. `paths` are all that lead to the set."""

    label: str
    paths: tuple[str, ...]
    directory: str
    add: t.Callable[..., Principal]
    add_many: t.Callable[..., list[str]]
    find: t.Callable[[Tenant, str], Principal]
    all: t.Callable[[Tenant], list[Principal]]

    @property
    def path(self) -> str:
        """Where v1.0 has the set."""
        return self.paths[0]


USERS = Kind(
    label="users",
    paths=(RISKY_USERS, "/beta/identityProtection/riskyUsers", "/beta/riskyUsers"),
    directory="/v1.0/users",
    add=Tenant.add_user,
    add_many=Tenant.add_users,
    find=Tenant.user,
    all=lambda tenant: tenant.users,
)
SERVICE_PRINCIPALS = Kind(
    label="service principals",
    paths=(RISKY_SERVICE_PRINCIPALS, "/beta/identityProtection/riskyServicePrincipals"),
    directory="/v1.0/servicePrincipals",
    add=Tenant.add_service_principal,
    add_many=Tenant.add_service_principals,
    find=Tenant.service_principal,
    all=lambda tenant: tenant.service_principals,
)
KINDS = (USERS, SERVICE_PRINCIPALS)

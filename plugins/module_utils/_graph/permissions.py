# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""What a call to Graph needs: for the error text when Graph says no, and to tell what a token may do.

https://learn.microsoft.com/graph/permissions-reference
https://learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference
"""

from __future__ import annotations

import dataclasses
import typing as t


@dataclasses.dataclass(frozen=True)
class RequiredPermission:
    """What a call needs, for the error text when Graph says no."""

    permission: str
    role: str | None = None
    license: str | None = None
    # Identity Protection has one request a second; the directory has other limits and is paced on its own.
    rate_limit_group: str = "identityProtection"
    # Why Graph may refuse one object to a token that has the permission, as the end of a sentence.
    other_causes: str | None = None


_ROLES = ("RoleManagement.ReadWrite.Directory", "RoleManagement.Read.All")
_DIRECTORY = ("Directory.Read.All", "Directory.ReadWrite.All")
# The permissions that include another one.
HIGHER: t.Mapping[str, tuple[str, ...]] = {
    "IdentityRiskyUser.Read.All": ("IdentityRiskyUser.ReadWrite.All",),
    "IdentityRiskyServicePrincipal.Read.All": ("IdentityRiskyServicePrincipal.ReadWrite.All",),
    "IdentityRiskEvent.Read.All": ("IdentityRiskEvent.ReadWrite.All",),
    "User.Read.All": ("User.ReadWrite.All", *_DIRECTORY),
    # Only with a delegated token, as far as Microsoft documents it.
    "User.RevokeSessions.All": ("User.ReadWrite.All", "Directory.ReadWrite.All"),
    "Application.Read.All": ("Application.ReadWrite.All", *_DIRECTORY),
    "GroupMember.Read.All": ("GroupMember.ReadWrite.All", "Group.Read.All", "Group.ReadWrite.All", *_DIRECTORY),
    "RoleManagement.Read.Directory": (*_ROLES, *_DIRECTORY),
    "RoleEligibilitySchedule.Read.Directory": (
        "RoleEligibilitySchedule.ReadWrite.Directory",
        "RoleManagement.Read.Directory",
        *_ROLES,
    ),
}

# Entra roles by template id: those that matter for risk and for sessions.
ROLES: t.Mapping[str, str] = {
    "62e90394-69f5-4237-9190-012177145e10": "Global Administrator",
    "f2ef992c-3afb-46b9-b7cf-a126ee74c451": "Global Reader",
    "194ae4cb-b126-40b2-bd5b-6091b380977d": "Security Administrator",
    "5f2222b1-57c3-48ba-8ad5-d4759f1fde6f": "Security Operator",
    "5d6b6bb7-de71-4623-b4af-96380a352509": "Security Reader",
    "e8611ab8-c189-46e8-94e1-60213ab1f814": "Privileged Role Administrator",
    "7be44c8a-adaf-4e2a-84d6-ab2649e08a13": "Privileged Authentication Administrator",
    "fe930be7-5e62-47db-91af-98c3a49a38b1": "User Administrator",
    "c4e39bd9-1100-46d3-8c65-fb160da0071f": "Authentication Administrator",
    "729827e3-9c14-49f7-bb1b-9608f156bbb8": "Helpdesk Administrator",
    "966707d0-3269-4727-9be2-8c3a10f19b9d": "Password Administrator",
    "b1be1c3e-b65d-4f19-8427-f6fa0d97feb9": "Conditional Access Administrator",
    "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3": "Application Administrator",
    "158c047a-c907-4556-b7ef-446551a6b5f7": "Cloud Application Administrator",
}
# They stand in a token among the roles and are none: what every application has, and what every member has.
NO_ROLES = frozenset({"0997a1d0-0d1d-4acb-b408-d5ca73121e90", "b79fbf4d-3ef9-4689-8143-76b194e85509"})

# With a delegated token, the user needs one of these too.
RISK_WRITERS = frozenset({"Security Operator", "Security Administrator", "Global Administrator"})
RISK_READERS = RISK_WRITERS | {"Security Reader", "Global Reader"}


def role_names(template_ids: t.Iterable[str]) -> list[str]:
    """The names of Entra roles; a role that is not known here keeps its id."""
    return [ROLES.get(key, key) for key in template_ids if key not in NO_ROLES]


def includes(granted: t.Collection[str], permission: str) -> bool:
    """Whether a permission, or a higher one, is among those that were granted."""
    return not {permission, *HIGHER.get(permission, ())}.isdisjoint(granted)

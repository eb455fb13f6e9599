"""The errors and the failure results that they know."""

from __future__ import annotations

from ansible_collections.identityops.entra_risk.plugins.module_utils import _errors

KINDS = {
    "credentials", "login", "permission", "license", "throttled", "network", "tls", "request", "service", "limit",
    "users", "internal",
}  # fmt: skip


def classes(base: type[_errors.EntraRiskError]) -> list[type[_errors.EntraRiskError]]:
    return [base, *(deeper for child in base.__subclasses__() for deeper in classes(child))]


def test_every_kind_that_playbooks_branch_on_has_an_error() -> None:
    assert {error.kind for error in classes(_errors.EntraRiskError)} == KINDS

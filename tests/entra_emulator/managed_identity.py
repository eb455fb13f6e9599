"""The managed identity of a machine, at the three endpoints that a library asks on loopback.

Each tenant has a machine of its own under `/machine/{tenant id}`.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from .apps import App
from .tenant import IDENTITY_HEADER, Tenant
from .tokens import LIFETIME
from .web import Answer, Request

_PATH = re.compile(r"/machine/(?P<tenant>[^/]+)/(?P<endpoint>metadata/identity/oauth2/token|msi/token|azureml/token)")


@dataclasses.dataclass(frozen=True)
class Dialect:
    """How one of the endpoints wants to be asked: a header that proves that a local process asks, names of fields."""

    header: str
    value: str
    client_id: str
    refuse: t.Callable[[str], t.Any]


def _oauth_error(text: str) -> t.Any:
    return {"error": "invalid_request", "error_description": text}


def _message(text: str) -> t.Any:
    return {"statusCode": 400, "message": text}


DIALECTS: t.Mapping[str, Dialect] = {
    "metadata/identity/oauth2/token": Dialect("metadata", "true", "client_id", _oauth_error),
    "msi/token": Dialect("x-identity-header", IDENTITY_HEADER, "client_id", _message),
    "azureml/token": Dialect("secret", IDENTITY_HEADER, "clientid", _message),
}


class ManagedIdentityService:
    """Answers the requests for the machine's identity."""

    def __init__(self, *, find_tenant: t.Callable[[str], Tenant | None], graph_origins: t.Sequence[str]) -> None:
        self._find_tenant = find_tenant
        self._graph_origins = tuple(graph_origins)

    def tenant_of(self, request: Request) -> Tenant | None:
        """The tenant whose machine is asked; None when the path is not one of ours."""
        match = _PATH.fullmatch(request.path)
        return self._find_tenant(match["tenant"]) if match else None

    def serve(self, request: Request, tenant: Tenant) -> Answer:
        match = _PATH.fullmatch(request.path)
        if match is None or request.method != "GET":
            return Answer(status=404)
        dialect = DIALECTS[match["endpoint"]]
        query = request.args
        if request.headers.get(dialect.header, "").lower() != dialect.value:
            return Answer.of_json(400, dialect.refuse("Required metadata header not specified"))
        resource = query.get("resource", "").rstrip("/")
        if resource not in self._graph_origins:
            text = f"AADSTS500011: The resource principal named {resource} was not found in the tenant."
            return Answer.of_json(400, {**dialect.refuse(text), "error": "invalid_resource"})
        app = self._identity(tenant, query.get(dialect.client_id))
        if app is None:
            return Answer.of_json(400, dialect.refuse("Identity not found"))
        return Answer.of_json(
            200,
            {
                "access_token": tenant.token_for(app, resource),
                "client_id": app.client_id,
                "expires_in": str(LIFETIME),
                "expires_on": str(int(tenant.clock.wall()) + LIFETIME),
                "resource": resource,
                "token_type": "Bearer",
            },
        )

    def _identity(self, tenant: Tenant, client_id: str | None) -> App | None:
        if not client_id:
            return tenant.system_identity
        app = tenant.app(client_id)
        return app if app is not None and app.managed_identity else None

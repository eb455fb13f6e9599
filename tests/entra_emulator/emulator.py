"""The emulator: three listeners, any number of tenants. This is what tests import; README.md shows how."""

from __future__ import annotations

import tempfile
import threading
import typing as t
from pathlib import Path

from .clock import Clock
from .control import ControlPlane
from .graph import GraphService
from .journal import Entry
from .login import LoginService
from .managed_identity import ManagedIdentityService
from .pki import Authority
from .server import Listener
from .tenant import Surroundings, Tenant
from .tokens import AccessTokens, OidcIssuer, claimed_tenant
from .traffic import Traffic
from .web import Answer, Request

if t.TYPE_CHECKING:
    from .validation import Validator


class Emulator:
    """Entra's login, Graph and a machine's managed identity on loopback. Use it as a context, or `start` and `stop`.

    :param validate: check the traffic of Graph against openapi.py; without a word, if openapi-core is installed.
    """

    def __init__(self, *, validate: bool | None = None) -> None:
        self._traffic = Traffic(_validator(validate))
        # The requests that belong to no tenant.
        self.journal = self._traffic.journal
        self.clear_violations = self._traffic.clear_violations
        self._files = tempfile.TemporaryDirectory(prefix="entra-emulator-")
        self._authority = Authority(Path(self._files.name))
        self._lock = threading.Lock()
        self._tenants: dict[str, Tenant] = {}
        context = self._authority.server_context()
        self._login_listener = Listener("login", self._serve_login, context)
        self._graph_listener = Listener("graph", self._serve_graph, context)
        self._plain_listener = Listener("plain", self._serve_plain)
        # Where it is: what clients take as AZURE_AUTHORITY_HOST and MSGRAPH_URL; managed identity and control plane.
        self.login_url = self._login_listener.origin
        self.graph_url = self._graph_listener.origin
        self.plain_url = self._plain_listener.origin
        self.control_url = f"{self.plain_url}/control"
        # In a directory of its own.
        self.ca_path = str(self._authority.ca_path)
        self.ca_dir = str(self._authority.ca_path.parent)
        self.tokens = AccessTokens()
        self.oidc = OidcIssuer(f"{self.plain_url}/oidc")
        self._login = LoginService(
            find_tenant=self.find_tenant, graph_origins=self._graph_listener.origins, oidc=self.oidc
        )
        self._graph = GraphService(find_tenant=self.find_tenant, tokens=self.tokens)
        self._identity = ManagedIdentityService(
            find_tenant=self.find_tenant, graph_origins=self._graph_listener.origins
        )
        self._control = ControlPlane(self)

    # Life

    def start(self) -> None:
        for listener in self._listeners:
            listener.start()

    def stop(self) -> None:
        for listener in self._listeners:
            listener.close()
        self._files.cleanup()

    def __enter__(self) -> Emulator:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    @property
    def _listeners(self) -> tuple[Listener, ...]:
        return self._login_listener, self._graph_listener, self._plain_listener

    # Tenants

    def add_tenant(
        self, *, tenant_id: str | None = None, domain: str | None = None, clock: Clock | None = None, **switches: t.Any
    ) -> Tenant:
        """A new, empty tenant.

        :param clock: its time, if not the real one.
        """
        surroundings = Surroundings(
            login_url=self.login_url,
            graph_url=self.graph_url,
            plain_url=self.plain_url,
            tokens=self.tokens,
            oidc=self.oidc,
        )
        tenant = Tenant(surroundings, tenant_id=tenant_id, domain=domain, clock=clock)
        tenant.switches.update(switches)
        if self.find_tenant(tenant.id) or self.find_tenant(tenant.domain):
            raise ValueError(f"the tenant {tenant.domain} exists already")
        with self._lock:
            self._tenants[tenant.id] = tenant
        return tenant

    def remove_tenant(self, tenant: Tenant) -> None:
        with self._lock:
            self._tenants.pop(tenant.id, None)

    @property
    def tenants(self) -> list[Tenant]:
        """All tenants, oldest first."""
        with self._lock:
            return list(self._tenants.values())

    def find_tenant(self, name: str) -> Tenant | None:
        key = name.lower()
        with self._lock:
            found = self._tenants.get(key)
            return found or next((tenant for tenant in self._tenants.values() if tenant.domain == key), None)

    # What was asked

    @property
    def violations(self) -> list[Entry]:
        """The journal entries of all requests, of any tenant, that break the OpenAPI document or were answered so."""
        return self._traffic.violations

    # Requests

    def _serve_login(self, request: Request) -> Answer:
        tenant = self._login.tenant_of(request)
        return self._traffic.record(request, tenant, lambda entry: self._login.serve(request))

    def _serve_graph(self, request: Request) -> Answer:
        name = claimed_tenant(request.bearer) if request.bearer else None
        tenant = self.find_tenant(name) if name else None
        return self._traffic.record(request, tenant, lambda entry: self._graph.serve(request, entry["written"]))

    def _serve_plain(self, request: Request) -> Answer:
        if request.path.startswith("/control/"):
            return self._control.serve(request)
        tenant = self._identity.tenant_of(request)
        if tenant is not None:
            return self._traffic.record(request, tenant, lambda entry: self._identity.serve(request, tenant))
        return self._traffic.record(request, None, lambda entry: Answer(status=404))


def _validator(wanted: bool | None) -> Validator | None:
    if wanted is False:
        return None
    try:
        from .validation import Validator
    except ImportError:
        if wanted:
            raise
        return None
    return Validator()

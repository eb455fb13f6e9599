"""The local tenant's Graph instead of the HTTP transport: no socket, and time passes only when somebody sleeps.

graph = LocalGraph(page_size=2)                               # switches of the local tenant
key = graph.add(1)                                            # a user at risk
graph.tenant.add_fault(method="POST", times=1, drop="before") # the first write is lost
result = graph.run(users=[key])                               # or a client of your own: `graph.client()`
assert graph.written == [key]

`graph.tenant` is the whole tenant of tests/entra_emulator, with everything that its README tells.
"""

from __future__ import annotations

import functools
import json
import typing as t
from urllib.parse import quote, urlencode, urlsplit

from ansible_collections.identityops.entra_risk.plugins.module_utils._errors import NetworkError
from ansible_collections.identityops.entra_risk.plugins.module_utils._graph.client import GraphClient
from ansible_collections.identityops.entra_risk.plugins.module_utils._http import Response
from ansible_collections.identityops.entra_risk.plugins.module_utils._redact import Redactor
from ansible_collections.identityops.entra_risk.plugins.module_utils._risk.resources import RISKY_USERS
from ansible_collections.identityops.entra_risk.plugins.module_utils._tasks import change
from ansible_collections.identityops.entra_risk.plugins.module_utils._tasks.result import ModuleResult
from ansible_collections.identityops.entra_risk.tests.entra_emulator.clock import Clock
from ansible_collections.identityops.entra_risk.tests.entra_emulator.graph import GraphService
from ansible_collections.identityops.entra_risk.tests.entra_emulator.resources import ALL_ROLES
from ansible_collections.identityops.entra_risk.tests.entra_emulator.tenant import Surroundings, Tenant
from ansible_collections.identityops.entra_risk.tests.entra_emulator.tokens import AccessTokens, OidcIssuer
from ansible_collections.identityops.entra_risk.tests.entra_emulator.traffic import Traffic
from ansible_collections.identityops.entra_risk.tests.entra_emulator.web import Request
from ansible_collections.identityops.entra_risk.tests.unit.plugins.module_utils.simulated_time import SimulatedTime

GRAPH = "https://graph.example"
# The options of risky_user when a task gives none.
_NOTHING: dict[str, t.Any] = {
    "state": "dismissed",
    "wait": False,
    "wait_timeout": 300,
    "return_users": "all",
    **dict.fromkeys(("users", "filters", "exclude_users", "max_changes", "limit", "if_unmodified_since")),
}


def user_id(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-000000000000"


def upn(number: int) -> str:
    return f"user{number}@contoso.example"


@functools.cache
def _surroundings() -> Surroundings:
    """The keys that sign tokens take a moment to make: once for all tests."""
    return Surroundings(GRAPH, GRAPH, GRAPH, AccessTokens(), OidcIssuer(GRAPH))


class LocalGraph:
    """A tenant of users, its Graph, and the clock that both it and the client read. Stands in for the transport.

    :param filters: what Identity Protection does with a `$filter`: `honor`, `refuse` or `ignore` it. The directory
        honors them all.
    :param token: arguments of `mint_token`; without them the token may do everything.
    :param switches: those of the local tenant.
    """

    def __init__(
        self, *, filters: str = "honor", token: t.Mapping[str, t.Any] | None = None, **switches: t.Any
    ) -> None:
        self.filters = filters
        self.time = SimulatedTime()
        clock = self.time.clock
        self.tenant = Tenant(_surroundings(), clock=Clock(clock.wall, clock.monotonic, clock.sleep))
        self.tenant.switches.update(switches)
        self._graph = GraphService(find_tenant=lambda dummy: self.tenant, tokens=_surroundings().tokens)
        self._traffic = Traffic()
        self._token = self.tenant.mint_token(
            **{"roles": ALL_ROLES, "audience": GRAPH, "expires_in": 1e9, **(token or {})}
        )

    def token(self) -> str:
        return self._token

    def renew(self) -> bool:
        return False

    # Who is there

    def add(self, number: int, state: str = "atRisk", *, directory_name: str | None = None, **record: t.Any) -> str:
        """A user with a risk record, known to the directory too.

        :param directory_name: when the directory has another name for it than the record.
        :param record: properties of the record that differ, whatever they hold.
        """
        key = user_id(number)
        self.tenant.add_user(
            upn(number), id=key, directory_upn=directory_name, risk_last_updated="2026-11-01T10:00:00.1234567Z"
        )
        self.records[key].update({"riskState": state, "riskLevel": "medium", **record})
        return key

    def add_unlisted(self, number: int) -> str:
        """A user of the directory without a risk record."""
        return self.tenant.add_user(upn(number), id=user_id(number), listed=False).id

    @property
    def records(self) -> t.Mapping[str, dict[str, t.Any]]:
        """The properties of the risk records, by id: those of the tenant, not a copy."""
        return self.tenant.live_records("riskyUsers")

    # What was asked

    @property
    def bodies(self) -> list[list[str]]:
        """The ids of each write that was sent."""
        entries = self.tenant.journal.select(method="POST")
        return [each["body"]["userIds"] for each in entries if "userIds" in each["body"]]

    @property
    def written(self) -> list[str]:
        """The ids that the service accepted, in order."""
        return [key for entry in self.tenant.journal.entries for key in entry["written"]]

    @property
    def reads(self) -> int:
        """Requests for risk records."""
        return sum("/risk" in entry["path"] for entry in self.tenant.journal.select(method="GET"))

    # Who asks

    def client(self, retry_timeout: float = 300) -> GraphClient:
        us: t.Any = self
        how: t.Any = {"retry_timeout": retry_timeout, "redactor": Redactor(), "clock": self.time.clock}
        return GraphClient(us, us, GRAPH, api_version="v1.0", **how)

    def run(self, *, check_mode: bool = False, diff: bool = False, **params: t.Any) -> ModuleResult:
        """A task of `risky_user`, as AnsibleModule would hand it over."""
        how: t.Any = {"check_mode": check_mode, "diff": diff, "connect": self.client, "clock": self.time.clock}
        return change.run({**_NOTHING, **params}, RISKY_USERS, **how)

    # The interface of the transport

    def send(self, method: str, url: str, *, headers: t.Mapping[str, str], bearer: str, **sent: t.Any) -> Response:
        params, json_body = sent["params"], sent["json_body"]
        parts = urlsplit(url)
        query = urlencode(params, quote_via=quote, safe="$,") if params else parts.query
        given = {"Host": parts.netloc, "Authorization": f"Bearer {bearer}", **headers}
        body = b"" if json_body is None else json.dumps(json_body).encode()
        if body:
            given["Content-Type"] = "application/json"
        target = f"{parts.path}?{query}" if query else parts.path
        request = Request.of("graph", method, target, given.items(), body)
        assert len(self.tenant.journal) < 5000, "the client never comes to an end"
        self.tenant.switches.filter_mode = self.filters if "/identityProtection/" in request.path else "honor"
        answer = self._traffic.record(request, self.tenant, lambda entry: self._graph.serve(request, entry["written"]))
        if answer.drop:
            raise NetworkError("The connection broke.", outcome_unknown=True)
        said = {name.lower(): value for name, value in answer.headers.items()}
        return Response(answer.status_code, said, answer.get_data().decode())

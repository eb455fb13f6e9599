"""Tenants of the running stand-in: fresh ones for each case, and what they say afterwards."""

from __future__ import annotations

import collections
import dataclasses
import json
import typing as t
import urllib.request

LIMIT = 1
_WAITS_FOR = 60


@dataclasses.dataclass(frozen=True)
class Traffic:
    """What the service saw since the journal was last cleared.

    :param graph: all requests to Graph, the refused ones included.
    :param writes: the requests that change risk, accepted or refused for their content.
    :param written: for each id, how often it was written to.
    """

    graph: int
    throttled: int
    login: int
    writes: int
    written: t.Mapping[str, int]

    @property
    def useful(self) -> int:
        """Requests to Graph that were not throttled."""
        return self.graph - self.throttled


class Tenant:
    """A tenant with this many users at risk, and one app.

    :param facts: what the stand-in says about itself.
    """

    def __init__(self, facts: t.Mapping[str, t.Any], users: int, *, limited: bool, **switches: t.Any) -> None:
        self._control = facts["control_url"]
        body = {
            "users": [{"count": users, "risk_state": "atRisk", "risk_level": "medium"}],
            "tokens": [{}],
            "switches": {"rate_limit": LIMIT if limited else None, **switches},
        }
        made = self._ask("POST", "/tenants", body)
        self._path = f"/tenants/{made['id']}"
        self.users: list[str] = made["users"][0]
        self.access_token: str = made["tokens"][0]
        app = made["apps"][0]
        self.env = {
            "AZURE_TENANT": made["id"],
            "AZURE_CLIENT_ID": app["client_id"],
            "AZURE_SECRET": app["secret"],
            "AZURE_AUTHORITY_HOST": made["login_url"],
            "MSGRAPH_URL": made["graph_url"],
            # requests and MSAL read the first, httpx (the SDK) the second.
            "REQUESTS_CA_BUNDLE": made["ca_path"],
            "SSL_CERT_FILE": made["ca_path"],
        }

    def __enter__(self) -> Tenant:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._ask("DELETE", self._path)

    def change(self, **switches: t.Any) -> None:
        """Set switches."""
        self._ask("PATCH", f"{self._path}/switches", switches)

    def states(self) -> dict[str, str]:
        """The risk state of each user."""
        return {user["id"]: user["risk"]["riskState"] for user in self._ask("GET", f"{self._path}/users")}

    def take_traffic(self) -> Traffic:
        """What was asked since the last call of this."""
        entries = self._ask("GET", f"{self._path}/journal")["entries"]
        self._ask("DELETE", f"{self._path}/journal")
        graph = [entry for entry in entries if entry["listener"] == "graph"]
        return Traffic(
            graph=len(graph),
            throttled=sum(entry["status"] == 429 for entry in graph),
            login=sum(entry["listener"] == "login" for entry in entries),
            writes=sum(entry["path"].endswith("/dismiss") and entry["status"] != 429 for entry in graph),
            written=collections.Counter(item for entry in graph for item in entry["written"]),
        )

    def _ask(self, method: str, path: str, body: t.Any = None) -> t.Any:
        request = urllib.request.Request(
            self._control + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        # Without the proxies of the environment: the tenant is on this machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=_WAITS_FOR) as answer:
            text = answer.read()
        return json.loads(text) if text else None

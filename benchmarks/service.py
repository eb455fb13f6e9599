"""Tenants of the running local tenant: a fresh one for each case, and what it saw."""

from __future__ import annotations

import collections
import typing as t

import requests

_TIMEOUT = 60
# Requests a second to Identity Protection.
_LIMIT = 1


class Tenant:
    """A tenant with this many users at risk, and one app."""

    def __init__(self, control_url: str, users: int, *, limited: bool) -> None:
        self._http = requests.Session()
        # Without the proxies of the environment: the tenant is on this machine.
        self._http.trust_env = False
        self._url = control_url
        made = self._ask(
            "POST",
            "/tenants",
            users=[{"count": users, "risk_state": "atRisk", "risk_level": "medium"}],
            tokens=[{}],
            switches={"rate_limit": _LIMIT if limited else None},
        )
        self._url += f"/tenants/{made['id']}"
        self.users: list[str] = made["users"][0]
        self.access_token: str = made["tokens"][0]
        self.env = {
            "AZURE_TENANT": made["id"],
            "AZURE_CLIENT_ID": made["apps"][0]["client_id"],
            "AZURE_SECRET": made["apps"][0]["secret"],
            "AZURE_AUTHORITY_HOST": made["login_url"],
            "MSGRAPH_URL": made["graph_url"],
            # requests and MSAL read the first, httpx (the SDK) the second.
            "REQUESTS_CA_BUNDLE": made["ca_path"],
            "SSL_CERT_FILE": made["ca_path"],
        }

    def __enter__(self) -> Tenant:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._ask("DELETE", "")

    def states(self) -> dict[str, str]:
        return {user["id"]: user["risk"]["riskState"] for user in self._ask("GET", "/users")}

    def take_traffic(self) -> tuple[dict[str, int], t.Counter[str]]:
        """The requests since the last call of this, as counts, and how often each user was written to."""
        entries = self._ask("GET", "/journal")["entries"]
        self._ask("DELETE", "/journal")
        graph = [entry for entry in entries if entry["listener"] == "graph"]
        counts = {
            "graph": len(graph),
            "throttled": sum(entry["status"] == 429 for entry in graph),
            "login": sum(entry["listener"] == "login" for entry in entries),
            "writes": sum(entry["path"].endswith("/dismiss") and entry["status"] != 429 for entry in graph),
        }
        return counts, collections.Counter(user for entry in graph for user in entry["written"])

    def _ask(self, method: str, path: str, **body: t.Any) -> t.Any:
        response = self._http.request(method, self._url + path, json=body or None, timeout=_TIMEOUT)
        response.raise_for_status()
        return response.json() if response.content else None

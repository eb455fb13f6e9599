"""A few lines over requests, so that the tests speak of Graph and not of sockets."""

from __future__ import annotations

import typing as t

import requests

RISKY_USERS = "/v1.0/identityProtection/riskyUsers"
RISKY_SERVICE_PRINCIPALS = "/v1.0/identityProtection/riskyServicePrincipals"
RISK_DETECTIONS = "/v1.0/identityProtection/riskDetections"
GET_BY_IDS = "/v1.0/directoryObjects/getByIds"
UNKNOWN_ID = "ffffffff-ffff-4fff-8fff-ffffffffffff"


class Client:
    """Asks one origin, with a token or without."""

    def __init__(self, origin: str, ca_path: str, token: str | None = None) -> None:
        self.origin = origin
        self._session = requests.Session()
        # The environment of whoever runs the tests must not choose another CA or a proxy.
        self._session.trust_env = False
        self._session.verify = ca_path
        if token is not None:
            self._session.headers["Authorization"] = f"Bearer {token}"

    def send(self, method: str, path: str, **arguments: t.Any) -> requests.Response:
        return self._session.request(
            method, f"{self.origin}{path}", allow_redirects=False, **{"timeout": 10, **arguments}
        )

    def get(self, path: str = RISKY_USERS, *, headers: t.Mapping[str, str] | None = None, **query: t.Any) -> t.Any:
        """GET; `filter` stands for `$filter` and so on."""
        return self.send("GET", path, params={f"${name}": value for name, value in query.items()}, headers=headers)

    def act(self, action: str, *ids: str, prefix: str = RISKY_USERS) -> requests.Response:
        key = "servicePrincipalIds" if prefix.endswith("riskyServicePrincipals") else "userIds"
        return self.send("POST", f"{prefix}/{action}", json={key: list(ids)})

    def everybody(self, path: str = RISKY_USERS, **query: t.Any) -> list[list[dict[str, t.Any]]]:
        answer = self.get(path, **query)
        pages = [answer.json()["value"]]
        while "@odata.nextLink" in answer.json():
            link = answer.json()["@odata.nextLink"]
            assert link.startswith(f"{self.origin}/")
            answer = self.send("GET", link[len(self.origin) :])
            assert answer.status_code == 200, answer.text
            pages.append(answer.json()["value"])
        return pages

    def close(self) -> None:
        self._session.close()

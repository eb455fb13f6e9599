"""Turns the examples of the documents into one playbook, and gives each document a tenant of its own.

    make_playbook.py COLLECTION DIRECTORY < addresses.json

`addresses.json` is what the local tenant says about itself. Writes DIRECTORY/documentation.yml and the files that the
examples read, and prints as JSON which tenant belongs to which document.

Knows fenced blocks (.md) and code blocks (.rst). Blocks of tasks become plays of their own; variables that one of them
registers are there for the next, as in the document. What the reader would export or define is added to each play.
"""

from __future__ import annotations

import json
import re
import sys
import textwrap
import typing as t
import urllib.request
from pathlib import Path

import yaml

BLOCKS = {
    ".md": re.compile(r"^```yaml\n(.*?)^```", re.DOTALL | re.MULTILINE),
    ".rst": re.compile(r"^\.\. code-block:: yaml\+jinja\n\n((?:(?: {2,}.*)?\n)+)", re.MULTILINE),
}
ROLES = [
    "IdentityRiskyUser.ReadWrite.All",
    "IdentityRiskyServicePrincipal.ReadWrite.All",
    "IdentityRiskEvent.Read.All",
    "User.Read.All",
    "User.RevokeSessions.All",
    "Application.Read.All",
]
OLD = "2024-01-31T00:00:00Z"
MEGAN, BREAK_GLASS = "04487ee0-f4f6-4e7f-8999-facc5a30e232", "7d7e7ddc-2a4e-4f34-8cbb-cf3b0d1f0fc1"
# Everybody whom the documents name, and some whom they choose by their risk.
TENANT: t.Mapping[str, t.Any] = {
    "users": [
        {"upn": "adele.vance@contoso.example", "risk_level": "medium"},
        {"upn": "megan.bowen@contoso.example", "risk_level": "high", "id": MEGAN},
        {"upn": "alex.wilber@contoso.example", "risk_level": "low"},
        {"upn": "break.glass@contoso.example", "risk_level": "high", "id": BREAK_GLASS},
        {"upn": "old.risk@contoso.example", "risk_level": "low", "risk_last_updated": OLD},
        {"upn": "diego.siciliani@contoso.example", "risk_state": "confirmedCompromised"},
    ],
    "service_principals": [
        {"display_name": "nightly-export", "id": "9089a539-a539-9089-39a5-899039a58990"},
        {"display_name": "Deployment pipeline", "id": "31c9b1a2-6f0d-4a35-8a52-3c1f6f7f2f11"},
        {"display_name": "old-export", "risk_level": "low", "risk_last_updated": OLD},
    ],
    "detections": [
        {"user": "adele.vance@contoso.example"},
        {"user": "megan.bowen@contoso.example", "risk_event_type": "leakedCredentials", "risk_level": "high"},
    ],
    "tokens": [{"roles": ROLES}],
}


class Loader(yaml.SafeLoader):
    """Takes a time for text, as the modules do."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def post(url: str, body: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Ask the control plane of the local tenant."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with opener.open(request, timeout=30) as answer:
        return dict(json.load(answer))


def main() -> None:
    collection, directory = map(Path, sys.argv[1:])
    addresses = json.load(sys.stdin)
    plays: list[dict[str, t.Any]] = []
    tenants = {}
    for document in [collection / "README.md", *sorted(collection.glob("docs/docsite/rst/*.rst"))]:
        examples = blocks(document)
        if examples:
            tenants[document.name], environment, variables = surroundings(addresses, directory / document.stem)
            for play in as_plays(document.name, examples):
                play["environment"] = {**environment, **play.get("environment", {})}
                play["vars"] = {**variables, **play.get("vars", {})}
                plays.append(play)
    (directory / "documentation.yml").write_text(json.dumps(plays), encoding="utf-8")
    print(json.dumps(tenants))


def blocks(document: Path) -> list[t.Any]:
    """The examples, in their order."""
    texts = BLOCKS[document.suffix].findall(document.read_text(encoding="utf-8"))
    return [yaml.load(textwrap.dedent(text), Loader) for text in texts]


def as_plays(name: str, examples: t.Sequence[t.Any]) -> t.Iterator[dict[str, t.Any]]:
    for number, block in enumerate(examples, start=1):
        play = {"name": f"{name}, example {number}", "hosts": "localhost", "connection": "local", "gather_facts": False}
        yield from block if any("hosts" in item for item in block) else [{**play, "tasks": block}]


def surroundings(addresses: t.Mapping[str, str], place: Path) -> tuple[str, dict[str, t.Any], dict[str, t.Any]]:
    """A tenant for a document, and what the reader would export and define."""
    federated = [{"issuer": addresses["oidc_issuer"], "subject": "documentation"}]
    app: dict[str, t.Any] = {"roles": ROLES, "certificate": True, "federated": federated}
    url = f"{addresses['control_url']}/tenants"
    tenant = post(url, {**TENANT, "apps": [app]})
    path, app, token = f"{url}/{tenant['id']}", tenant["apps"][0], tenant["tokens"][0]
    # The machine gives a token, although the environment names an application that is no identity of it.
    machine = {"access_token": token, "expires_in": "3599", "token_type": "Bearer"}
    post(f"{path}/faults", {"listener": "plain", "status": 200, "body": machine})
    oidc_token = post(f"{path}/oidc_tokens", {"subject": "documentation"})["oidc_token"]
    place.with_suffix(".pem").write_text(app["certificate"]["pem"], encoding="utf-8")
    place.with_suffix(".token").write_text(oidc_token, encoding="utf-8")
    environment = {
        "AZURE_TENANT": tenant["id"],
        "AZURE_CLIENT_ID": app["client_id"],
        "AZURE_SECRET": app["secret"],
        "AZURE_AUTHORITY_HOST": addresses["login_url"],
        "MSGRAPH_URL": addresses["graph_url"],
        "REQUESTS_CA_BUNDLE": addresses["ca_path"],
        "AZURE_POD_IDENTITY_AUTHORITY_HOST": tenant["machine_url"],
    }
    variables = {
        "ansible_python_interpreter": sys.executable,
        "break_glass_accounts": ["break.glass@contoso.example"],
        "incident_users": ["adele.vance@contoso.example", "megan.bowen@contoso.example"],
        "incident_noticed": "2026-01-31T08:15:00Z",
        "false_positives": ["alex.wilber@contoso.example"],
        "entra_tenant": tenant["id"],
        "entra_client_id": app["client_id"],
        "entra_client_secret": app["secret"],
        "entra_certificate_path": str(place.with_suffix(".pem")),
        "entra_oidc_token_file": str(place.with_suffix(".token")),
        "entra_access_token": token,
        "ca_bundle": addresses["ca_path"],
        "https_proxy": "http://localhost:9",
        "no_proxy": "localhost",
    }
    return tenant["id"], environment, variables


if __name__ == "__main__":
    main()

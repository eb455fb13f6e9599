"""The control plane, and the start by hand."""

from __future__ import annotations

import base64
import json
import shlex
import signal
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest
import requests
from cryptography.hazmat.primitives.serialization import load_pem_private_key, pkcs12

from tests.entra_emulator.emulator import Emulator
from tests.entra_emulator.seed import PEOPLE

from .client import UNKNOWN_ID, Client

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {
    "AZURE_AUTHORITY_HOST", "AZURE_CLIENT_ID", "AZURE_SECRET", "AZURE_TENANT", "MSGRAPH_URL", "REQUESTS_CA_BUNDLE",
}  # fmt: skip


@pytest.fixture
def made(emulator: Emulator, control: Client) -> t.Iterator[dict[str, t.Any]]:
    """A tenant made over the wire, with something of everything."""
    answer = control.send(
        "POST",
        "/control/tenants",
        json={
            "domain": "made.example",
            "switches": {"page_size": 2},
            "apps": [{}, {"secret": None, "certificate": True, "roles": ["IdentityRiskyUser.Read.All"]}],
            "identities": [{"user_assigned": True}],
            "users": [{"upn": "adele.vance@made.example"}, {"count": 3, "prefix": "many", "risk_state": "dismissed"}],
            "service_principals": [{"display_name": "Payroll Sync", "history": []}, {"count": 2, "prefix": "job"}],
            "detections": [
                {"user": "adele.vance@made.example", "risk_event_type": "passwordSpray"},
                {"count": 2, "user": "many00002@made.example", "location": None},
            ],
            "tokens": [{}, {"expires_in": -5}],
            "faults": [{"path": "nothing", "status": 500}],
        },
    )
    assert answer.status_code == 200, answer.text
    data: dict[str, t.Any] = answer.json()
    yield data
    control.send("DELETE", f"/control/tenants/{data['id']}")
    assert emulator.find_tenant("made.example") is None


@pytest.fixture
def graph(made: dict[str, t.Any]) -> t.Iterator[Client]:
    client = Client(made["graph_url"], made["ca_path"], made["tokens"][0])
    yield client
    client.close()


def test_a_tenant_made_over_the_wire_works(made: dict[str, t.Any], graph: Client, control: Client) -> None:
    user, base = made["users"][0], f"/control/tenants/{made['id']}"
    expired = Client(made["graph_url"], made["ca_path"], made["tokens"][1])
    assert [len(page) for page in graph.everybody()] == [2, 2]
    assert graph.act("dismiss", user["id"]).status_code == 204
    assert expired.get().status_code == 401
    expired.close()
    journal = control.get(f"{base}/journal").json()
    assert user["risk"]["userPrincipalName"] == "adele.vance@made.example"
    assert [len(made[part][1]) for part in ("users", "service_principals", "detections")] == [3, 2, 2]
    assert journal["summary"]["by_status"] == {"200": 2, "204": 1, "401": 1}
    assert journal["summary"]["written"] == [user["id"]]
    assert made["tokens"][0] not in json.dumps(journal)
    assert control.send("DELETE", f"{base}/journal").status_code == 204
    assert control.get(f"{base}/journal").json()["entries"] == []
    assert control.get("/control/").json()["graph_url"] == made["graph_url"]


def test_users_over_the_wire(made: dict[str, t.Any], control: Client) -> None:
    base = "/control/tenants/made.example/users"
    added = control.send("POST", base, json={"upn": "b@made.example", "listed": False}).json()
    listed = control.send("POST", base, json=[{"upn": "c@made.example", "history": [{"risk_level": "low"}]}]).json()
    changed = control.send("PATCH", f"{base}/{added['id']}", json={"listed": True, "risk_state": "dismissed"}).json()
    assert added["risk"] is None and added["directory"]["userPrincipalName"] == "b@made.example"
    assert changed["risk"]["riskState"] == "dismissed"
    assert control.get(f"{base}/c@made.example").json() == listed[0]
    assert [item["riskLevel"] for item in listed[0]["history"]] == ["low"]
    assert len(control.get(base).json()) == 6
    assert control.get(f"{base}/{UNKNOWN_ID}").status_code == 404


def test_detections_over_the_wire(made: dict[str, t.Any], control: Client) -> None:
    base = "/control/tenants/made.example/detections"
    first, several = made["detections"]
    added = control.send("POST", base, json={"user": made["users"][0]["id"], "risk_level": "low"}).json()
    everything = control.get(base).json()
    assert (first["riskEventType"], added["riskLevel"]) == ("passwordSpray", "low")
    assert everything == [first, *everything[1:3], added]
    assert [(item["id"], item["location"]) for item in everything[1:3]] == [(each, None) for each in several]
    for body, status in (
        ({"user": "nobody@made.example"}, 404),
        ({"user": added["userId"], "color": "red"}, 400),
        ({}, 400),
    ):
        assert control.send("POST", base, json=body).status_code == status


def test_switches_and_faults_over_the_wire(made: dict[str, t.Any], graph: Client, control: Client) -> None:
    base = f"/control/tenants/{made['id']}"
    switches = control.send("PATCH", f"{base}/switches", json={"rate_limit": 5}).json()
    assert switches == control.get(f"{base}/switches").json()
    assert (switches["rate_limit"], switches["page_size"]) == (5, 2)
    control.send("POST", f"{base}/faults", json={"method": "GET", "status": 503, "times": 1})
    assert graph.get().status_code == 503
    assert [fault["fired"] for fault in control.get(f"{base}/faults").json()] == [0, 1]
    assert control.send("DELETE", f"{base}/faults").status_code == 204
    assert control.get(f"{base}/faults").json() == []


def test_credentials_over_the_wire(made: dict[str, t.Any], control: Client) -> None:
    secret, certified = made["apps"]
    certificate = certified["certificate"]
    password = certificate["password"].encode()
    assert secret["secret"] and certified["secret"] is None
    load_pem_private_key(certificate["pem"].encode(), None)
    load_pem_private_key(certificate["key_pem"].encode(), None)
    load_pem_private_key(certificate["encrypted_pem"].encode(), password)
    pkcs12.load_key_and_certificates(base64.b64decode(certificate["pfx"]), None)
    pkcs12.load_key_and_certificates(base64.b64decode(certificate["encrypted_pfx"]), password)
    assert len(bytes.fromhex(certificate["thumbprint"])) == 20
    for part, body, field in (
        ("apps", {"federated": [{"issuer": "x", "subject": "y"}]}, "client_id"),
        ("identities", {}, "client_id"),
        ("oidc_tokens", {"subject": "y"}, "oidc_token"),
    ):
        assert control.send("POST", f"/control/tenants/{made['id']}/{part}", json=body).json()[field]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "tenants", "{", 400),
        ("POST", "tenants", '{"color": "red"}', 400),
        ("POST", "tenants", '{"switches": {"color": "red"}}', 400),
        ("POST", "tenants", '{"domain": "half.example", "users": [{"name": "x"}]}', 400),
        ("POST", "tenants", '{"faults": [{"path": "("}]}', 400),
        ("POST", "tenants", '{"service_principals": [{"upn": "x@half.example"}]}', 400),
        ("POST", "tenants", '{"detections": [{"user": "nobody@half.example"}]}', 404),
        ("POST", "tenants", '{"users": [{"upn": "x@half.example", "history": [{"x": 1}]}]}', 400),
        ("GET", "tenants/nobody.example/journal", None, 404),
        ("GET", "nothing", None, 404),
        ("PUT", "tenants", None, 404),
    ],
)
def test_wrong_input(
    method: str, path: str, body: str | None, status: int, emulator: Emulator, control: Client
) -> None:
    tenants = emulator.tenants
    answer = control.send(method, f"/control/{path}", data=body)
    assert (answer.status_code, list(answer.json())) == (status, ["error"])
    assert emulator.tenants == tenants


def wait_for(path: Path) -> dict[str, t.Any]:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline, "the emulator does not start"
        time.sleep(0.05)
    data: dict[str, t.Any] = json.loads(path.read_text(encoding="utf-8"))
    return data


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_the_start_by_hand(ending: signal.Signals, tmp_path: Path) -> None:
    ready_file = tmp_path / "ready.json"
    command = [sys.executable, "-m", "tests.entra_emulator", "--ready-file", str(ready_file), "--rate-limit", "100"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            ready = wait_for(ready_file)
            users = requests.get(f"{ready['control_url']}/tenants/{ready['tenant_id']}/users", timeout=10).json()
            process.send_signal(ending)
            output, dummy = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 0
    assert len(users) == len(PEOPLE)
    assert set(ready["env"]) == ENVIRONMENT
    assert ready["env"]["AZURE_SECRET"] == ready["secret"]
    assert [line for line in output.splitlines() if line.startswith("export ")] == [
        f"export {name}={shlex.quote(value)}" for name, value in ready["env"].items()
    ]
    assert not Path(ready["ca_dir"]).exists()

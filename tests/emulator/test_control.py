"""The control plane, and the start by hand."""

from __future__ import annotations

import base64
import contextlib
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
    "AZURE_AUTHORITY_HOST",
    "AZURE_CLIENT_ID",
    "AZURE_SECRET",
    "AZURE_TENANT",
    "MSGRAPH_URL",
    "REQUESTS_CA_BUNDLE",
}


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


def test_a_tenant_made_over_the_wire_works(made: dict[str, t.Any], emulator: Emulator, control: Client) -> None:
    user = made["users"][0]
    graph = Client(made["graph_url"], made["ca_path"], made["tokens"][0])
    expired = Client(made["graph_url"], made["ca_path"], made["tokens"][1])
    assert [len(page) for page in graph.everybody()] == [2, 2]
    assert graph.act("dismiss", user["id"]).status_code == 204
    assert expired.get().status_code == 401
    journal = control.get(f"/control/tenants/{made['id']}/journal").json()
    graph.close()
    expired.close()
    assert user["risk"]["userPrincipalName"] == "adele.vance@made.example"
    assert len(made["users"][1]) == 3
    assert journal["summary"]["by_status"] == {"200": 2, "204": 1, "401": 1}
    assert journal["summary"]["written"] == [user["id"]]
    assert made["tokens"][0] not in json.dumps(journal)


def test_users_over_the_wire(made: dict[str, t.Any], control: Client) -> None:
    base = "/control/tenants/made.example/users"
    added = control.send("POST", base, json={"upn": "b@made.example", "listed": False}).json()
    listed = control.send("POST", base, json=[{"upn": "c@made.example"}]).json()
    changed = control.send("PATCH", f"{base}/{added['id']}", json={"listed": True, "risk_state": "dismissed"}).json()
    assert added["risk"] is None and added["directory"]["userPrincipalName"] == "b@made.example"
    assert changed["risk"]["riskState"] == "dismissed"
    assert control.get(f"{base}/c@made.example").json() == listed[0]
    past = control.send("POST", base, json={"upn": "d@made.example", "history": [{"risk_level": "low"}]}).json()
    assert [item["riskLevel"] for item in past["history"]] == ["low"]
    assert len(control.get(base).json()) == 7
    assert control.get(f"{base}/{UNKNOWN_ID}").status_code == 404


def test_detections_over_the_wire(made: dict[str, t.Any], control: Client) -> None:
    base = "/control/tenants/made.example/detections"
    first, several = made["detections"]
    added = control.send("POST", base, json={"user": made["users"][0]["id"], "risk_level": "low"}).json()
    more = control.send(
        "POST", base, json=[{"user": "adele.vance@made.example"}, {"count": 2, "user": added["userId"]}]
    )
    everything = control.get(base).json()
    assert (first["riskEventType"], added["riskLevel"], len(several)) == ("passwordSpray", "low", 2)
    assert everything[:4] == [first, *everything[1:3], added]
    assert [item["id"] for item in everything[1:3]] == several
    assert [item["location"] for item in everything[1:3]] == [None, None]
    assert [item["id"] for item in everything[4:]] == [more.json()[0]["id"], *more.json()[1]]
    assert control.send("POST", base, json={"user": "nobody@made.example"}).status_code == 404
    assert control.send("POST", base, json={"user": added["userId"], "color": "red"}).status_code == 400
    assert control.send("POST", base, json={}).status_code == 400
    assert control.send("DELETE", base).status_code == 404


def test_switches_and_faults_over_the_wire(made: dict[str, t.Any], control: Client) -> None:
    base = f"/control/tenants/{made['id']}"
    graph = Client(made["graph_url"], made["ca_path"], made["tokens"][0])
    switches = control.send("PATCH", f"{base}/switches", json={"rate_limit": 5}).json()
    assert switches == control.get(f"{base}/switches").json()
    assert (switches["rate_limit"], switches["page_size"]) == (5, 2)
    control.send("POST", f"{base}/faults", json={"method": "GET", "status": 503, "times": 1})
    assert graph.get().status_code == 503
    assert [fault["fired"] for fault in control.get(f"{base}/faults").json()] == [0, 1]
    assert control.send("DELETE", f"{base}/faults").status_code == 204
    assert control.get(f"{base}/faults").json() == []
    assert control.send("DELETE", f"{base}/journal").status_code == 204
    assert control.get(f"{base}/journal").json()["entries"] == []
    graph.close()


def test_credentials_over_the_wire(made: dict[str, t.Any], control: Client) -> None:
    base = f"/control/tenants/{made['id']}"
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
    assert control.send("POST", f"{base}/apps", json={"federated": [{"issuer": "x", "subject": "y"}]}).json()[
        "client_id"
    ]
    assert control.send("POST", f"{base}/identities", json={}).json()["client_id"]
    assert control.send("POST", f"{base}/oidc_tokens", json={"subject": "y"}).json()["oidc_token"]
    token = control.send("POST", f"{base}/tokens", json={"roles": []}).json()["access_token"]
    assert control.send("POST", f"{base}/revoke").status_code == 204
    graph = Client(made["graph_url"], made["ca_path"], token)
    assert graph.get().status_code == 401
    graph.close()


@pytest.mark.breaks_contract
def test_violations_over_the_wire(made: dict[str, t.Any], emulator: Emulator, control: Client) -> None:
    graph = Client(made["graph_url"], made["ca_path"], made["tokens"][0])
    for dummy in range(2):
        assert control.get("/control/violations").json() == []
        graph.send("GET", "/v1.0/identityProtection/riskyUsers?top=5")
        (entry,) = control.get("/control/violations").json()
        assert entry["violations"] == ["unknown query parameter 'top'"]
        assert control.send("DELETE", "/control/violations").status_code == 204
    graph.send("GET", "/v1.0/identityProtection/riskyUsers?top=5")
    graph.close()
    assert len(emulator.violations) == 1


def test_the_emulators_own_journal(emulator: Emulator, control: Client) -> None:
    assert control.get("/control/").json()["graph_url"] == emulator.graph_url
    control.send("DELETE", "/control/journal")
    control.get("/stray")
    assert [entry["path"] for entry in control.get("/control/journal").json()["entries"]] == ["/stray"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/control/tenants", "{", 400),
        ("POST", "/control/tenants", '{"color": "red"}', 400),
        ("POST", "/control/tenants", '{"switches": {"color": "red"}}', 400),
        ("POST", "/control/tenants", '{"domain": "half.example", "users": [{"name": "x"}]}', 400),
        ("POST", "/control/tenants", '{"faults": [{"path": "("}]}', 400),
        ("POST", "/control/tenants", '{"service_principals": [{"upn": "x@half.example"}]}', 400),
        ("POST", "/control/tenants", '{"detections": [{"user": "nobody@half.example"}]}', 404),
        ("POST", "/control/tenants", '{"users": [{"upn": "x@half.example", "history": [{"x": 1}]}]}', 400),
        ("GET", "/control/tenants/nobody.example/journal", None, 404),
        ("GET", "/control/nothing", None, 404),
        ("PUT", "/control/tenants", None, 404),
    ],
)
def test_wrong_input(
    method: str, path: str, body: str | None, status: int, emulator: Emulator, control: Client
) -> None:
    tenants = emulator.tenants
    answer = control.send(method, path, data=body)
    assert (answer.status_code, list(answer.json())) == (status, ["error"])
    assert emulator.tenants == tenants


@contextlib.contextmanager
def started(*options: str) -> t.Iterator[subprocess.Popen[str]]:
    """The emulator as a process of its own, which does not outlive the test."""
    command = [sys.executable, "-m", "tests.entra_emulator", *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            # The gentle way first: it removes its files.
            process.terminate()
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()


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
    with started("--ready-file", str(ready_file), "--rate-limit", "100") as process:
        ready = wait_for(ready_file)
        users = requests.get(f"{ready['control_url']}/tenants/{ready['tenant_id']}/users", timeout=10).json()
        process.send_signal(ending)
        output, dummy = process.communicate(timeout=60)
    assert process.returncode == 0
    assert len(users) == len(PEOPLE)
    assert set(ready["env"]) == ENVIRONMENT
    assert ready["env"]["AZURE_SECRET"] == ready["secret"]
    assert [line for line in output.splitlines() if line.startswith("export ")] == [
        f"export {name}={shlex.quote(value)}" for name, value in ready["env"].items()
    ]
    assert not Path(ready["ca_dir"]).exists()

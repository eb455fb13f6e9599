"""The control plane, and the start by hand."""

from __future__ import annotations

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

from tests.entra_emulator.emulator import Emulator
from tests.entra_emulator.seed import PEOPLE

from .client import UNKNOWN_ID, Client

ROOT = Path(__file__).resolve().parents[2]
# A tenant with something of everything.
WISHES = {
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
}


@pytest.fixture
def made(emulator: Emulator, control: Client) -> t.Iterator[dict[str, t.Any]]:
    answer = control.send("POST", "/control/tenants", json=WISHES)
    assert answer.status_code == 200, answer.text
    data: dict[str, t.Any] = answer.json()
    yield data
    control.send("DELETE", f"/control/tenants/{data['id']}")
    assert emulator.find_tenant("made.example") is None


def test_a_tenant_made_over_the_wire_works(made: dict[str, t.Any], control: Client) -> None:
    user, base = made["users"][0], f"/control/tenants/{made['id']}"
    graph, expired = (Client(made["graph_url"], made["ca_path"], token) for token in made["tokens"])
    assert [len(page) for page in graph.everybody()] == [2, 2]
    assert graph.act("dismiss", user["id"]).status_code == 204
    assert expired.get().status_code == 401
    journal = control.get(f"{base}/journal").json()
    assert user["risk"]["userPrincipalName"] == "adele.vance@made.example"
    assert [len(made[part][1]) for part in ("users", "service_principals", "detections")] == [3, 2, 2]
    assert journal["summary"]["by_status"] == {"200": 2, "204": 1, "401": 1}
    assert journal["summary"]["written"] == [user["id"]]
    assert made["tokens"][0] not in json.dumps(journal)
    assert control.send("DELETE", f"{base}/journal").status_code == 204
    assert control.get(f"{base}/journal").json()["entries"] == []
    assert control.send("PATCH", f"{base}/switches", json={"rate_limit": 5}).json()["rate_limit"] == 5
    control.send("POST", f"{base}/faults", json={"method": "GET", "status": 503, "times": 1})
    assert graph.get().status_code == 503
    graph.close()
    expired.close()


def test_what_is_in_a_tenant_is_read_added_and_changed(made: dict[str, t.Any], control: Client) -> None:
    users = "/control/tenants/made.example/users"
    added = control.send("POST", users, json={"upn": "b@made.example", "listed": False}).json()
    changed = control.send("PATCH", f"{users}/{added['id']}", json={"listed": True, "risk_state": "dismissed"}).json()
    assert added["risk"] is None and added["directory"]["userPrincipalName"] == "b@made.example"
    assert changed["risk"]["riskState"] == "dismissed"
    assert control.get(f"{users}/b@made.example").json() == changed
    assert len(control.get(users).json()) == 5


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "tenants", "{", 400),
        ("POST", "tenants", '{"color": "red"}', 400),
        ("POST", "tenants", '{"switches": {"color": "red"}}', 400),
        ("POST", "tenants", '{"domain": "half.example", "users": [{"name": "x"}]}', 400),
        ("POST", "tenants", '{"faults": [{"path": "("}]}', 400),
        ("POST", "tenants", '{"detections": [{"user": "nobody@half.example"}]}', 404),
        ("POST", "tenants", '{"users": [{"upn": "x@half.example", "history": [{"x": 1}]}]}', 400),
        ("GET", f"tenants/nobody.example/users/{UNKNOWN_ID}", None, 404),
        ("PUT", "tenants", None, 404),
    ],
)
def test_wrong_input_makes_nothing(
    method: str, path: str, body: str | None, status: int, emulator: Emulator, control: Client
) -> None:
    tenants = emulator.tenants
    answer = control.send(method, f"/control/{path}", data=body)
    assert (answer.status_code, list(answer.json())) == (status, ["error"])
    assert emulator.tenants == tenants


def test_the_start_by_hand(tmp_path: Path) -> None:
    ready_file, deadline = tmp_path / "ready.json", time.monotonic() + 60
    command = [sys.executable, "-m", "tests.entra_emulator", "--ready-file", str(ready_file)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            while not ready_file.exists():
                assert time.monotonic() < deadline, "the emulator does not start"
                time.sleep(0.05)
            ready = json.loads(ready_file.read_text(encoding="utf-8"))
            users = requests.get(f"{ready['control_url']}/tenants/{ready['tenant_id']}/users", timeout=10).json()
            process.send_signal(signal.SIGTERM)
            output, dummy = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 0
    assert len(users) == len(PEOPLE)
    assert ready["env"]["AZURE_SECRET"] == ready["secret"]
    assert [line for line in output.splitlines() if line.startswith("export ")] == [
        f"export {name}={shlex.quote(value)}" for name, value in ready["env"].items()
    ]
    assert not Path(ready["ca_dir"]).exists()

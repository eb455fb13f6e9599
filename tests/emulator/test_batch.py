"""Several requests in one."""

from __future__ import annotations

from tests.entra_emulator.tenant import Tenant

from .client import Client

BATCH = "/v1.0/$batch"


def test_each_part_is_a_request_of_its_own(tenant: Tenant, graph: Client) -> None:
    user, guest = tenant.add_user("a@contoso.example").id, tenant.add_user("g@contoso.example", user_type="Guest").id
    tenant.add_fault(path="select=id", status=503)
    parts = [
        {"id": "read", "method": "GET", "url": f"/users/{user}"},
        {"id": "guest", "method": "POST", "url": f"/users/{guest}/revokeSignInSessions"},
        {"id": "free", "method": "POST", "url": f"/users/{user}/revokeSignInSessions"},
        {"id": "broken", "method": "GET", "url": f"/users/{user}?$select=id"},
    ]  # fmt: skip
    answer = graph.send("POST", BATCH, json={"requests": parts}).json()["responses"]
    assert {each["id"]: each["status"] for each in answer} == {
        "read": 200, "guest": 403, "free": 200, "broken": 503,
    }  # fmt: skip
    assert len(tenant.journal.select(listener="batch")) == 4
    assert tenant.journal.summary()["written"] == [user]

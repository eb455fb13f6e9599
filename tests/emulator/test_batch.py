"""Several requests in one."""

from __future__ import annotations

from tests.entra_emulator.tenant import Tenant

from .client import UNKNOWN_ID, Client

BATCH = "/v1.0/$batch"


def test_each_part_is_a_request_of_its_own(tenant: Tenant, graph: Client) -> None:
    user, guest = tenant.add_user("a@contoso.example").id, tenant.add_user("g@contoso.example", user_type="Guest").id
    tenant.add_fault(path="select=id", status=503)
    parts = [
        {"id": "read", "method": "GET", "url": f"/users/{user}"},
        {"id": "guest", "method": "POST", "url": f"/users/{guest}/revokeSignInSessions"},
        {"id": "after", "method": "POST", "url": f"/users/{user}/revokeSignInSessions", "dependsOn": ["guest"]},
        {"id": "free", "method": "POST", "url": f"/users/{user}/revokeSignInSessions", "dependsOn": ["read"]},
        {"id": "ids", "method": "POST", "url": "/directoryObjects/getByIds",
         "headers": {"Content-Type": "application/json"}, "body": {"ids": [user, UNKNOWN_ID], "types": ["user"]}},
        {"id": "broken", "method": "GET", "url": f"/users/{user}?$select=id"},
    ]  # fmt: skip
    answer = graph.send("POST", BATCH, json={"requests": parts}).json()["responses"]
    assert {each["id"]: each["status"] for each in answer} == {
        "read": 200, "guest": 403, "after": 424, "free": 200, "ids": 200, "broken": 503,
    }  # fmt: skip
    assert [len(each["body"]["value"]) for each in answer if each["id"] == "ids"] == [1]
    assert len(tenant.journal.select(listener="batch")) == 6
    assert tenant.journal.summary()["written"] == [user]

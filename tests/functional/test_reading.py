"""The modules that read risky users and risky service principals."""

from __future__ import annotations

import re
import typing as t

import pytest

from ..entra_emulator.resources import ALL_ROLES
from ..entra_emulator.tenant import Tenant
from .people import BAD_SERVICES, EXPORT_APP_ID, ID, NAME, WORKLOAD, ids
from .running import Options, Run

USERS, WORKLOADS = "risky_user_info", "risky_service_principal_info"
ACTIVE = ["adele", "alex", "deleted", "megan"]
WORKING = ["backup", "export", "pipeline"]
WHO = {key: name for known in (ID, WORKLOAD) for name, key in known.items()}
# When the newest risk of a person changed, without the last digit, which is a 7.
NEWEST = "2026-01-30T22:41:07.123456"
badly = pytest.mark.parametrize("switches", BAD_SERVICES, ids=str)


@pytest.mark.parametrize("how", [{}, {"check": True, "diff": True}], ids=str)
def test_reads_every_active_user_by_name(people: Tenant, run: Run, how: dict[str, bool]) -> None:
    ended = run(USERS, users=None, filters=None, limit=None, include_history=None, **how)
    result = ended.result
    assert not ended.changed and "diff" not in result
    assert [entry["id"] for entry in ended.entries] == ids(*ACTIVE)
    assert ended.entries[0]["risk_last_updated_date_time"] == "2026-01-30T22:41:07.1234567Z"
    assert [entry["is_deleted"] for entry in ended.entries] == [False, False, True, False]
    assert "history" not in ended.entries[0]
    assert (result["count"], result["not_listed"], result["truncated"]) == (4, [], False)
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT[\d:]{8}Z", result["evaluated_at"])
    assert ended.msg == "Found 4 risky users."
    assert ended.graph == ["GET /v1.0/identityProtection/riskyUsers"]


READ: t.Sequence[tuple[str, Options, list[str]]] = (
    (USERS, {"filters": {}}, ACTIVE),
    (USERS, {"filters": {"risk_level": None}}, ACTIVE),
    (USERS, {"filters": {"risk_state": ["dismissed", "none"]}}, ["dismissed", "none"]),
    (USERS, {"filters": {"risk_level": ["high"]}}, ["deleted", "megan"]),
    (USERS, {"filters": {"risk_level": ["low", "medium"], "updated_before": f"{NEWEST}8Z"}}, ["adele", "alex"]),
    (USERS, {"filters": {"updated_after": f"{NEWEST}6Z"}}, ["adele"]),
    (USERS, {"filters": {"updated_before": "2026-01-29T09:00:00+01:00"}}, ["deleted", "megan"]),
    (USERS, {"filters": {"updated_before": "30m", "risk_level": ["low"]}}, ["alex"]),
    (USERS, {"filters": {"updated_after": "2026-01-31T00:00:00Z"}}, []),
    (WORKLOADS, {"filters": {"risk_level": ["low"]}}, ["pipeline"]),
    (WORKLOADS, {"filters": {"risk_state": ["dismissed", "confirmedCompromised"]}}, ["backup", "closed"]),
    (WORKLOADS, {"filters": {"updated_after": "2026-01-30T00:00:00Z"}}, ["export"]),
    (WORKLOADS, {"service_principals": [WORKLOAD["newstate"].upper(), WORKLOAD["backup"]]}, ["newstate", "backup"]),
)


@badly
@pytest.mark.parametrize(("module", "args", "names"), READ, ids=str)
@pytest.mark.usefixtures("people", "workloads")
def test_reads_some(tenant: Tenant, run: Run, module: str, args: Options, names: list[str], switches: Options) -> None:
    tenant.switches.update(switches)
    ended = run(module, **args)
    assert [WHO[entry["id"]] for entry in ended.entries] == names
    assert [ended.result[key] for key in ("count", "truncated", "not_listed")] == [len(names), False, []]
    assert switches or len(ended.graph) == 1


@pytest.mark.parametrize(
    ("module", "limit", "names"),
    [(USERS, 4, ACTIVE), (USERS, 1, ["adele"]), (WORKLOADS, 3, WORKING), (WORKLOADS, 2, ["backup", "export"])],
)
def test_a_limit_says_that_there_is_more(
    people: Tenant, workloads: Tenant, run: Run, module: str, limit: int, names: list[str]
) -> None:
    ended = run(module, filters={}, limit=limit)
    assert [WHO[entry["id"]] for entry in ended.entries] == names
    assert (ended.result["count"], ended.result["truncated"]) == (limit, limit < 3)


def test_reads_by_name_in_the_order_of_the_task(people: Tenant, run: Run) -> None:
    asked = ["newstate@contoso.example", "UNLISTED@contoso.example", ID["adele"].upper(), "ADELE.vance@Contoso.example"]
    asked += [ID["unknown"].upper(), NAME["safe"], "Unknown@contoso.example"]
    ended = run(USERS, users=asked)
    assert [entry["id"] for entry in ended.entries] == ids("newstate", "adele", "safe")
    assert [entry["risk_state"] for entry in ended.entries] == ["quarantined", "atRisk", "confirmedSafe"]
    assert ended.result["not_listed"] == [asked[1]]
    assert ended.result["unknown_users"] == [asked[4], asked[6]]
    assert (ended.result["count"], ended.result["truncated"]) == (3, False)


@badly
def test_reads_everybody_by_id(people: Tenant, run: Run, switches: Options) -> None:
    people.switches.update(switches)
    ended = run(USERS, users=[*ID.values(), NAME["alex"]])
    assert (ended.result["not_listed"], ended.result["unknown_users"]) == (ids("unlisted"), ids("unknown"))
    assert [entry["id"] for entry in ended.entries] == [i for i in ID.values() if i not in ids("unlisted", "unknown")]


HISTORY: t.Sequence[Options] = (
    {
        "risk_state": "atRisk",
        "risk_level": "low",
        "risk_last_updated": "2026-01-01T08:00:00.0000001Z",
        "risk_event_types": ["leakedCredentials"],
    },
    {"risk_state": "atRisk", "risk_level": "medium", "risk_last_updated": "2026-01-02T08:00:00Z"},
    {"risk_state": "confirmedCompromised", "risk_last_updated": "2026-01-03T08:00:00Z", "initiated_by": ID["megan"]},
)


def test_reads_the_history_newest_first(tenant: Tenant, run: Run) -> None:
    anna = tenant.add_user("anna@contoso.example", risk_state="confirmedCompromised", history=HISTORY).id
    otto = tenant.add_user("otto@contoso.example", risk_last_updated="2026-01-04T08:00:00Z").id
    ended = run(USERS, include_history=True)
    history = ended.entries[0]["history"]
    assert [item["risk_level"] for item in history] == ["high", "medium", "low"]
    assert [item["initiated_by"] for item in history] == [ID["megan"], None, None]
    assert history[2]["risk_last_updated_date_time"] == "2026-01-01T08:00:00.0000001Z"
    assert history[2]["activity"]["risk_event_types"] == ["leakedCredentials"]
    assert {item["user_id"] for item in history} == {anna}
    assert len(ended.entries[1]["history"]) == 1 and len(ended.graph) == 3
    # A record that is gone before its history is read has none.
    gone = {"error": {"code": "ResourceNotFound", "message": "Not found."}}
    tenant.add_fault(listener="graph", path=f"{otto}/history", status=404, body=gone)
    ended = run(USERS, include_history=True)
    assert [len(entry["history"]) for entry in ended.entries] == [3, 0] and not ended.result["truncated"]


@pytest.mark.parametrize("module", [USERS, WORKLOADS, "risk_detection_info"])
def test_says_that_there_may_be_more_where_a_list_breaks_off(
    people: Tenant, workloads: Tenant, run: Run, module: str
) -> None:
    people.add_detections(3, ID["adele"])
    people.switches.update({"page_size": 2, "break_last_page": True})
    ended = run(module)
    assert not ended.failed and ended.result["truncated"] is True and ended.result["count"] == 2
    assert len(ended.warnings) == 1 and "broke off the list" in ended.warnings[0]
    assert "there may be more" in ended.msg


def test_reads_every_active_service_principal_by_name(workloads: Tenant, run: Run) -> None:
    ended = run(WORKLOADS, include_history=True)
    assert [entry["display_name"] for entry in ended.entries] == WORKING
    export = ended.entries[1]
    assert (export["app_id"], export["risk_last_updated_date_time"]) == (EXPORT_APP_ID, "2026-01-30T22:41:07.1234567Z")
    assert [entry["is_enabled"] for entry in ended.entries] == [False, True, True]
    assert [len(entry["history"]) for entry in ended.entries] == [1, 1, 1]
    assert export["history"][0]["activity"]["risk_event_types"] == ["suspiciousSignins"]
    assert "account_enabled" not in export
    assert ended.graph[0] == "GET /v1.0/identityProtection/riskyServicePrincipals" and len(ended.graph) == 4


@pytest.mark.parametrize("forbidden", [False, True])
def test_tells_service_principals_that_do_not_exist_from_others(workloads: Tenant, run: Run, forbidden: bool) -> None:
    asked = [WORKLOAD["unlisted"].upper(), ID["unknown"]]
    roles = ["IdentityRiskyServicePrincipal.Read.All"] if forbidden else ALL_ROLES
    ended = run(WORKLOADS, service_principals=asked, access_token=workloads.mint_token(roles=roles))
    told = ended.result["not_listed"], ended.result["unknown_service_principals"]
    assert told == ((asked, []) if forbidden else (asked[:1], asked[1:]))
    assert ended.entries == [] and any("Application.Read.All" in text for text in ended.warnings) is forbidden


def test_the_beta_api_knows_more(workloads: Tenant, run: Run) -> None:
    ended = run(WORKLOADS, api_version="beta", service_principal=WORKLOAD["backup"])
    assert ended.entries[0]["account_enabled"] is False
    assert ended.graph == [f"GET /beta/identityProtection/riskyServicePrincipals/{WORKLOAD['backup']}"]

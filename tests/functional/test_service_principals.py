"""What service principals have in common with users, and what not."""

from __future__ import annotations

import typing as t

import pytest

from ..entra_emulator.tenant import Tenant
from .people import EXPORT_APP_ID, WORKLOAD
from .running import Ended, Run

BASE = "/v1.0/identityProtection/riskyServicePrincipals"
# For each state: whom it is asked for, in which spelling, and what becomes of them; the write.
LIFECYCLES: t.Mapping[str, tuple[t.Sequence[tuple[str, bool, str]], str, str, str]] = {
    "dismissed": ((("export", True, "changed"), ("closed", False, "unchanged"), ("backup", False, "changed"),
                   ("unknown", False, "unchanged not_listed")), "dismiss", "dismissed", "none"),
    "compromised": ((("export", False, "changed"), ("closed", True, "changed"), ("backup", False, "unchanged"),
                     ("unlisted", False, "changed")), "confirmCompromised", "confirmedCompromised", "high"),
}  # fmt: skip


def workload_ids(*names: str) -> list[str]:
    return [WORKLOAD[name] for name in names]


def states(tenant: Tenant) -> dict[str, str]:
    return {each.risk["displayName"]: each.risk["riskState"] for each in tenant.service_principals if each.risk}


@pytest.mark.parametrize("option", ["service_principals", "service_principal", "service_principal_ids"])
@pytest.mark.parametrize("state", LIFECYCLES)
def test_check_run_and_run_again(workloads: Tenant, run: Run, state: str, option: str) -> None:
    asked, action, risk_state, risk_level = LIFECYCLES[state]
    spelled = [WORKLOAD[name].upper() if upper else WORKLOAD[name] for name, upper, dummy in asked]
    changing = [name for name, dummy, outcome in asked if outcome == "changed"]
    untouched = states(workloads)

    def go(**how: bool) -> Ended:
        return run("risky_service_principal", state=state, **{option: [*spelled, WORKLOAD["export"]]}, diff=True, **how)

    looked = go(check=True)
    assert states(workloads) == untouched
    done = go()
    assert looked.changed and done.changed
    assert looked.entries == [{**entry, "written": False} for entry in done.entries]
    assert looked.result["diff"] == done.result["diff"]
    assert done.outcomes == [outcome for dummy, dummy2, outcome in asked]
    assert (done.entries[0]["display_name"], done.entries[0]["app_id"]) == ("export", EXPORT_APP_ID)
    assert done.entries[0]["before"]["risk_last_updated"] == "2026-01-30T22:41:07.1234567Z"
    assert done.result["diff"]["after"] == dict.fromkeys(changing, f"{risk_state} ({risk_level})")
    before = {"export": "atRisk (medium)", "backup": "confirmedCompromised (high)", "closed": "dismissed (none)"}
    assert done.result["diff"]["before"] == {name: before.get(name, "not listed") for name in changing}
    assert done.graph == [*looked.graph, f"POST {BASE}/{action}"]
    assert done.journal[-1]["body"] == {"servicePrincipalIds": workload_ids(*changing)}
    assert states(workloads) == {**untouched, **dict.fromkeys(changing, risk_state)}
    again = go()
    assert not again.changed and again.written == [] and again.result["diff"] == {"before": {}, "after": {}}
    assert [entry["after"] for entry in again.entries] == [entry["after"] for entry in done.entries]


def test_does_what_can_be_done_and_explains_the_rest(workloads: Tenant, run: Run) -> None:
    workloads.switches.reject_ids = workload_ids("pipeline")
    asked = workload_ids("unknown", "newstate", "pipeline", "closed", "export")
    options = {"service_principals": asked, "exclude_service_principals": [WORKLOAD["closed"].upper()]}
    ended = run("risky_service_principal", state="compromised", **options)
    assert ended.kind == "users" and ended.changed and "3 of 5 service principals failed" in ended.msg
    failed = ["failed unknown_service_principal", "failed unknown_state", "failed rejected"]
    assert ended.outcomes == [*failed, "skipped excluded", "changed"]
    assert all(entry["message"] for entry in ended.entries[:3])
    assert ended.result["summary"] == {"changed": 1, "unchanged": 0, "skipped": 1, "failed": 3}
    assert ended.written == workload_ids("export")


def test_the_brake_speaks_of_service_principals(workloads: Tenant, run: Run) -> None:
    ended = run("risky_service_principal", state="dismissed", filters={}, max_changes=1)
    assert ended.kind == "limit" and "2 service principals would change" in ended.msg and ended.written == []


@pytest.mark.parametrize(("exclude", "key"), [("exclude_service_principals", "id"), ("exclude_users", "appId")])
@pytest.mark.parametrize("restrict", ["return_service_principals", "return_users"])
def test_takes_the_words_of_users_too(workloads: Tenant, run: Run, exclude: str, key: str, restrict: str) -> None:
    excluded = workloads.live_records("riskyServicePrincipals")[WORKLOAD["pipeline"]][key].upper()
    options = {exclude: [excluded], restrict: "exceptions"}
    ended = run("risky_service_principal", state="dismissed", filters={}, max_changes=1, **options)
    assert [entry["display_name"] for entry in ended.entries] == ["pipeline"]
    assert ended.result["summary"] == {"changed": 1, "unchanged": 0, "skipped": 1, "failed": 0}
    assert ended.written == workload_ids("export")
    # The record shows who is excluded, by either id, so the directory is not asked.
    assert {sent.rpartition("/")[2] for sent in ended.graph} == {"riskyServicePrincipals", "dismiss"}


def test_leaves_alone_what_has_changed_since_the_decision(workloads: Tenant, run: Run) -> None:
    plan = run("risky_service_principal_info", filters={"risk_state": ["atRisk"]})
    workloads.change_service_principal(WORKLOAD["pipeline"], risk_level="high")
    whom, since = [entry["id"] for entry in plan.entries], plan.result["evaluated_at"]
    ended = run("risky_service_principal", state="dismissed", service_principals=whom, if_unmodified_since=since)
    assert [entry["display_name"] for entry in ended.entries] == ["export", "pipeline"]
    assert ended.outcomes == ["changed", "failed modified_since"]
    assert states(workloads)["pipeline"] == "atRisk"


def test_the_beta_api_has_paths_of_its_own(workloads: Tenant, run: Run) -> None:
    ids = workload_ids("export")
    ended = run("risky_service_principal", state="dismissed", service_principals=ids, api_version="beta")
    beta = BASE.replace("v1.0", "beta")
    assert ended.graph == [f"GET {beta}/{ids[0]}", f"POST {beta}/dismiss"]

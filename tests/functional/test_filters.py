"""Whom `filters` choose, also where the service filters badly, and the brake that belongs to it."""

from __future__ import annotations

import typing as t

import pytest

from ..entra_emulator import timestamps
from ..entra_emulator.tenant import Tenant
from .people import BAD_SERVICES
from .running import Options, Run

# Columns: name before the @, state, level, hours since the risk changed, deleted.
PEOPLE: t.Sequence[tuple[str, str, str, float, bool]] = (
    ("zoe", "atRisk", "low", 2400, False), ("Bob", "atRisk", "medium", 240, False),
    ("adam", "atRisk", "high", 2, False), ("carl", "confirmedCompromised", "high", 1200, False),
    ("dora", "dismissed", "none", 480, False), ("eve", "atRisk", "hidden", 720, False),
    ("finn", "atRisk", "low", 2400, True),
)  # fmt: skip
# Who is chosen, in the order in which they must come back.
CHOSEN: t.Sequence[tuple[Options, str]] = (
    ({}, "adam Bob eve finn zoe"),
    ({"risk_level": None}, "adam Bob eve finn zoe"),
    ({"risk_state": ["confirmedCompromised"]}, "carl"),
    ({"risk_state": ["dismissed", "atRisk"]}, "adam Bob dora eve finn zoe"),
    ({"risk_level": ["hidden", "low"]}, "eve finn zoe"),
    ({"risk_level": ["none"]}, ""),
    ({"updated_after": "12h"}, "adam"),
    ({"updated_before": "8w"}, "finn zoe"),
    ({"updated_after": "20d", "updated_before": "7200m"}, "Bob"),
    ({"updated_before": "2020-01-31T01:00:00+02:00"}, ""),
    ({"risk_state": ["atRisk", "confirmedCompromised"], "risk_level": ["high"],
      "updated_after": "2020-01-31T01:00:00Z"}, "adam carl"),
)  # fmt: skip


@pytest.fixture
def aged(tenant: Tenant) -> Tenant:
    for name, state, level, hours, deleted in PEOPLE:
        when = timestamps.ago(hours=hours)
        tenant.add_user(
            f"{name}@contoso.example", risk_state=state, risk_level=level, risk_last_updated=when, deleted=deleted
        )
    return tenant


def names(entries: t.Iterable[Options]) -> str:
    return " ".join(entry["user_principal_name"].partition("@")[0] for entry in entries)


@pytest.mark.parametrize("switches", BAD_SERVICES, ids=str)
@pytest.mark.parametrize(("filters", "chosen"), CHOSEN, ids=str)
def test_chooses_neither_more_nor_fewer(
    aged: Tenant, run: Run, filters: Options, chosen: str, switches: Options
) -> None:
    aged.switches.update(switches)
    ended = run("risky_user", state="dismissed", filters=filters, max_changes=100, check=True)
    assert names(ended.entries) == chosen
    expected = {"finn": "skipped deleted", "dora": "unchanged"}
    assert ended.outcomes == [expected.get(name, "changed") for name in chosen.split()]
    assert ended.warnings == []
    assert switches or len(ended.graph) == 1


@pytest.mark.parametrize("check", [True, False])
def test_changes_no_more_than_max_changes_allows(aged: Tenant, run: Run, check: bool) -> None:
    ended = run("risky_user", state="dismissed", filters={}, max_changes=3, check=check, diff=True)
    assert ended.kind == "limit" and "4 users would change, but max_changes is 3" in ended.msg
    assert not ended.changed and ended.written == []
    assert ended.outcomes == ["failed", "failed", "failed", "skipped deleted", "failed"]
    assert ended.entries[0]["message"] == "Not written: max_changes stopped the task (error kind limit)."
    assert ended.result["summary"] == {"changed": 0, "unchanged": 0, "skipped": 1, "failed": 4}
    assert ended.result["diff"] == {"before": {}, "after": {}}


def test_changes_as_many_as_max_changes_allows(aged: Tenant, run: Run) -> None:
    ended = run("risky_user", state="dismissed", filters={}, max_changes=4, return_users="exceptions", diff=True)
    assert ended.result["summary"] == {"changed": 4, "unchanged": 0, "skipped": 1, "failed": 0}
    assert names(ended.entries) == "finn"
    assert [name.partition("@")[0] for name in ended.result["diff"]["before"]] == ["adam", "Bob", "eve", "zoe"]
    assert set(ended.result["diff"]["after"].values()) == {"dismissed (none)"}
    assert len(ended.graph) == 2 and len(ended.written) == 4
    again = run("risky_user", state="dismissed", filters={}, max_changes=0)
    assert not again.changed and names(again.entries) == "finn"
    dismissed = {"risk_state": ["dismissed"], "updated_after": "1h"}
    undone = run("risky_user", state="compromised", filters=dismissed, max_changes=4)
    assert undone.changed and sorted(undone.written) == sorted(ended.written)


def test_warns_where_the_list_breaks_off(aged: Tenant, run: Run) -> None:
    aged.switches.update({"page_size": 3, "break_last_page": True})
    ended = run("risky_user", state="dismissed", filters={}, max_changes=100)
    assert ended.changed and names(ended.entries) == "adam Bob zoe"
    assert sorted(ended.written) == sorted(entry["id"] for entry in ended.entries)
    assert len(ended.warnings) == 1 and "Run the task again" in ended.warnings[0]
    assert (ended.result["truncated"], ended.result["verified"]) == (True, False)
    assert [entry["status"] for entry in ended.journal] == [200, 400, 204]

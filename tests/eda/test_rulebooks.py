"""The rulebooks: rule engine, event source, event filter, playbook and modules together, against the local tenant."""

from __future__ import annotations

import datetime
import json
import re
from pathlib import Path

import pytest
import yaml
from ansible_rulebook.exception import VarsKeyMissingException
from ansible_rulebook.json_generator import visit_condition
from ansible_rulebook.rules_parser import parse_rules
from ansible_rulebook.validators import Validate

from tests.commands import ROOT
from tests.entra_emulator.tenant import Tenant

from .conftest import Rulebook, Values

FOLDER = ROOT / "extensions" / "eda" / "rulebooks"
NOBODY = {"entra_risk_exclude_users": "none", "entra_risk_exclude_groups": "none"}
SHUTDOWN = {"shutdown": {"delay": 0, "message": "That was all."}}
DISMISS = {"state": "dismissed", "users": ["{{ event.risky_user.id }}"]}
# Rules behind the one that ships. They get what that one leaves.
MORE_RULES = [
    {
        "name": "Dismiss medium risk",
        "condition": 'event.risky_user.risk_state == "atRisk" and event.risky_user.risk_level == "medium"',
        "action": {"run_module": {"name": "identityops.entra_risk.risky_user", "module_args": DISMISS}},
    },
    {
        "name": "Tell what comes back",
        "condition": 'event.risky_user.risk_state == "confirmedCompromised"',
        "actions": [{"debug": {"msg": "SEEN {{ event.risky_user.id }} {{ event.risky_user.risk_detail }}"}}, SHUTDOWN],
    },
]
# Stands in for azure.azcollection: the file that is given as its namespace holds the messages.
EVENT_HUB = """\
import json, pathlib
async def main(queue, args):
    assert args["azure_client_secret"] and args["azure_tenant_id"] and args["azure_client_id"]
    for body in json.loads(pathlib.Path(args["azure_namespace"]).read_text()):
        await queue.put({"body": body, "meta": {}})
"""


def shipped(name: str) -> Values:
    """The rule set of a rulebook."""
    (ruleset,) = yaml.safe_load((FOLDER / f"{name}.yml").read_text(encoding="utf-8"))
    return dict(ruleset)


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.yml")))
def test_fits_the_schema_and_starts_only_with_exclusions(name: str) -> None:
    Validate.rulebook([shipped(name)])

    conditions = [rule.condition.value for rule in parse_rules(shipped(name)["rules"], {})]
    visit_condition(conditions, NOBODY)
    for missing in NOBODY if name != "notify" else ():
        with pytest.raises(VarsKeyMissingException, match=missing):
            visit_condition(conditions, {key: "none" for key in NOBODY if key != missing})


def test_contains_who_becomes_risky_and_leaves_alone_what_comes_back(tenant: Tenant, run: Rulebook) -> None:
    """With a source that reports every change."""
    names = ("emergency.access", "admin", "ada", "ben")
    people = [tenant.add_user(f"{name}@contoso.example", risk_state="none", risk_level="none").id for name in names]
    emergency, admin, ada, ben = people
    tenant.assign_role(admin)
    changes = {id_: {"risk_state": "atRisk", "risk_level": "medium" if id_ == ben else "high"} for id_ in people}
    tenant.add_fault(listener="graph", path="/riskyUsers", times=1, change=changes)
    ruleset = shipped("contain_users")
    del ruleset["sources"][0]["identityops.entra_risk.risky_users"]["filters"]
    ruleset["rules"] += MORE_RULES
    variables = {**NOBODY, "entra_risk_exclude_groups": tenant.add_group([emergency]).id, "entra_risk_interval": 5}

    output = run(ruleset, variables)

    found = [tenant.user(id_).risk_state for id_ in people]
    assert found == ["atRisk", "atRisk", "confirmedCompromised", "dismissed"], output
    assert f"SEEN {ada} adminConfirmedUserCompromised" in output
    assert output.count("PLAY [Contain users]") == 3
    assert tenant.journal.summary()["by_request"][f"graph POST /v1.0/users/{ada}/revokeSignInSessions"] == 1


def test_the_log_stream_needs_another_source_alone(tenant: Tenant, run: Rulebook, tmp_path: Path) -> None:
    """What is repeated, over, or no object ID but a template, starts nothing."""
    ada, ben = (tenant.add_user(f"{name}@contoso.example", risk_level="high").id for name in ("ada", "ben"))
    people = [
        {"id": "{{ lookup('pipe', 'touch trapped') }}"},
        {"id": ben, "riskState": "remediated"},
        {"id": ada, "riskLastUpdatedDateTime": "2026-11-09T9:05:02.114Z"},
        {"id": ada, "riskLastUpdatedDateTime": "2026-11-09T9:05:03.114Z"},
    ]
    records = [
        {"category": "RiskyUsers", "properties": {"riskState": "atRisk", "riskLevel": "high", **one}} for one in people
    ]
    messages = tmp_path / "messages.json"
    messages.write_text(json.dumps([{"records": [{"category": "SignInLogs"}, *records]}]), encoding="utf-8")
    (tmp_path / "azure.azcollection.azure_event_hub.py").write_text(EVENT_HUB, encoding="utf-8")
    variables = {**NOBODY, "entra_risk_event_hub_namespace": str(messages), "entra_risk_event_hub": "entra-risk"}
    words = ("--env-vars", "AZURE_TENANT,AZURE_CLIENT_ID,AZURE_SECRET", "--source-dir", tmp_path)

    output = run("identityops.entra_risk.contain_users_from_log_stream", variables, *words)

    assert [tenant.user(id_).risk_state for id_ in (ada, ben)] == ["confirmedCompromised", "atRisk"], output
    assert output.count("PLAY [Contain users]") == 1


def test_says_whose_risk_changed(tenant: Tenant, run: Rulebook) -> None:
    now = datetime.datetime.now(datetime.timezone.utc).isoformat()
    for name, state in {"ada": "atRisk", "ben": "confirmedCompromised", "eve": "remediated"}.items():
        tenant.add_user(f"{name}@contoso.example", risk_state=state, risk_last_updated=now, risk_detail="none")
    ruleset = shipped("notify")
    ruleset["rules"][-1]["actions"] = [ruleset["rules"][-1].pop("action"), SHUTDOWN]

    output = run(ruleset, {"entra_risk_since": "1h"})

    assert sorted(re.findall(r"(\w+)@contoso.example \(\S+\) (.*)", output)) == [
        ("ada", "is at risk: medium, none"),
        ("ben", "is confirmed as compromised: none"),
        ("eve", "has ended: remediated, none"),
    ]

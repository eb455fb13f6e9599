"""What the playbooks make of answers, of failures, and of what the service says.

Most cases need no module: one run of ansible-playbook evaluates the variables of the shipped playbooks for all of them.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import typing as t
from pathlib import Path

import pytest
import yaml

from ..commands import Ansible, Run
from ..entra_emulator import timestamps
from ..entra_emulator.emulator import Emulator
from ..entra_emulator.resources import ALL_ROLES
from ..entra_emulator.tenant import Tenant

_ROOT = Path(__file__).resolve().parents[2]
_PLAYBOOKS = _ROOT / "playbooks"
_GUARDS = ("GroupMember.Read.All", "RoleManagement.Read.Directory", "RoleEligibilitySchedule.Read.Directory")
_READER = ("IdentityRiskyUser.Read.All", "IdentityRiskEvent.Read.All")
_GENERATOR = '<meta name="generator" content="identityops.entra_risk.report_risk">'

_SUM_UP = "sum_up"

Answers = dict[str, t.Any]


@pytest.fixture
def ansible(emulator: Emulator, tmp_path: Path) -> Ansible:
    places = {"MSGRAPH_URL": emulator.graph_url, "REQUESTS_CA_BUNDLE": emulator.ca_path}
    return Ansible(tmp_path / "home", ANSIBLE_SHOW_CUSTOM_STATS="1", **places)


def _handed_on(run: Run) -> dict[str, t.Any]:
    """What `set_stats` left."""
    # Whatever else a text may hold, a line ends here.
    (line,) = [line for line in run.output.split("\n") if line.startswith("\tRUN: ")]
    return dict(json.loads(line.removeprefix("\tRUN: ")))


def _evaluate(ansible: Ansible, cases: t.Sequence[tuple[str, Answers, str]], directory: Path) -> list[t.Any]:
    """The values of expressions in the plays of the shipped playbooks, in one run.

    :param cases: a playbook, further variables, and an expression.
    """
    for name in ("tasks", "templates", "vars"):
        (directory / name).symlink_to(_PLAYBOOKS / name)
    texts = dict.fromkeys(expression for *dummy, expression in cases)
    files = {text: directory / f"expression_{number}.j2" for number, text in enumerate(texts)}
    for text, file in files.items():
        file.write_text(f"\n{{{{ ({text}) | to_json }}}}\n", encoding="utf-8")
    plays = []
    for playbook in dict.fromkeys(playbook for playbook, *dummy in cases):
        chosen = [{"file": str(files[text]), "answers": answers} for name, answers, text in cases if name == playbook]
        # One task for all, and no variable of the play is evaluated before the answers are there.
        lines = (
            "{% for case in cases %}"
            "{{ lookup('ansible.builtin.template', case.file, template_vars=case.answers) | trim }}\n"
            "{% endfor %}"
        )
        keep = {"dest": str(directory / f"{playbook}.txt"), "content": lines, "mode": "0600"}
        plays.append(_local({**_variables(playbook), "cases": chosen}, [{"ansible.builtin.copy": keep}]))
    _write_and_play(ansible, plays, directory)
    values = {
        playbook: iter((directory / f"{playbook}.txt").read_text(encoding="utf-8").splitlines())
        for playbook in dict.fromkeys(playbook for playbook, *dummy in cases)
    }
    return [json.loads(next(values[playbook])) for playbook, *dummy in cases]


def _variables(playbook: str) -> Answers:
    """Those of a shipped playbook, or of its task that says what happened."""
    if playbook == _SUM_UP:
        (task,) = yaml.safe_load((_PLAYBOOKS / "tasks" / "sum_up.yml").read_text(encoding="utf-8"))
        return {**task["vars"], **task["block"][0]["vars"], "answers_check": {"failed": False}}
    (play,) = yaml.safe_load((_PLAYBOOKS / f"{playbook}.yml").read_text(encoding="utf-8"))
    return {**play["vars"], "answers_data": play["vars"].get("answers_value"), "answers_readable": True}


def _local(variables: Answers, tasks: list[t.Any]) -> dict[str, t.Any]:
    here = {"hosts": "localhost", "connection": "local", "gather_facts": False}
    return {**here, "vars_files": "vars/answers.yml", "vars": variables, "tasks": tasks}


def _write_and_play(ansible: Ansible, plays: list[t.Any], directory: Path) -> None:
    playbook = directory / "plays.yml"
    playbook.write_text(json.dumps(plays), encoding="utf-8")
    ansible.run("ansible-playbook", playbook)


LISTS: tuple[tuple[t.Any, list[t.Any]], ...] = (
    (["a@x.example", "b@x.example"], ["a@x.example", "b@x.example"]),
    ([], []),
    ("a@x.example", ["a@x.example"]),
    (" a@x.example, b@x.example;c@x.example\td@x.example\r\ne@x.example\n", [f"{name}@x.example" for name in "abcde"]),
    ('["a@x.example", "b@x.example"]', ["a@x.example", "b@x.example"]),
    ("['a@x.example','b@x.example']", ["a@x.example", "b@x.example"]),
    ("[a@x.example, b@x.example]", ["a@x.example", "b@x.example"]),
    ('[\n  "a@x.example",\n  "b@x.example"\n]\n', ["a@x.example", "b@x.example"]),
    ("[]", []),
    ("- a@x.example\n- b@x.example", ["a@x.example", "b@x.example"]),
    ("---\n# who\n  - \"a@x.example\"  # her\n  - 'o''neill@x.example'\n", ["a@x.example", "o'neill@x.example"]),
    ('"a@x.example", "b@x.example"', ["a@x.example", "b@x.example"]),
    ("'a@x.example; b@x.example'", ["a@x.example", "b@x.example"]),
    ("o'neill@x.example, d'arcy@x.example", ["o'neill@x.example", "d'arcy@x.example"]),
    ('["stra\\u00dfe@x.example"]', ["straße@x.example"]),
    ("anna_x.example#EXT#@y.example #1@x.example", ["anna_x.example#EXT#@y.example", "#1@x.example"]),
    # What fits nothing stays whole, so that the module refuses it.
    ("<a@x.example>;", ["<a@x.example>"]),
    ('"a@x.example"b@x.example', ['"a@x.example"b@x.example']),
    ("[a@x.example", ["[a@x.example"]),
    ('["a@x.example b@x.example"]', ["a@x.example b@x.example"]),
    ("\u201ca@x.example\u201d", ["\u201ca@x.example\u201d"]),
    (4711, [4711]),
    ({"a@x.example": 1}, [{"a@x.example": 1}]),
    # And so do empty entries.
    (["a@x.example", None, " "], ["a@x.example", None, " "]),
    ('["a@x.example", null, ""]', ["a@x.example", "null", ""]),
    ("- a@x.example\n-\n- ~", ["a@x.example", "null", "~"]),
)

_NAMED: Answers = {"users": "a@x.example"}
_PLANNED = {"state": "dismissed", "users": ["1"], "count": 1, "evaluated_at": "2026-01-31T08:15:00Z"}
_STALE: Answers = {"exclude_users": "none"}
_BY_FILTERS: Answers = {"filters": "risk_level: [low]", "max_changes": "5"}

NO_COMPLAINT: tuple[tuple[str, Answers], ...] = (
    ("dismiss_risk", _NAMED),
    ("dismiss_risk", {**_NAMED, "filters": " \n", "exclude_users": "", "max_changes": " ", "wait": "None"}),
    ("dismiss_risk", {"users": []}),
    ("dismiss_risk", {"users": "[]", "exclude_users": "[]"}),
    ("dismiss_risk", {"users": None, **_BY_FILTERS}),
    ("dismiss_risk", {"filters": {}, "max_changes": 0, "exclude_users": "none"}),
    ("dismiss_risk", {**_NAMED, "if_unmodified_since": "2026-01-31T08:15:00Z"}),
    ("confirm_compromised", {**_NAMED, "exclude_users": "none"}),
    ("confirm_compromised", {**_NAMED, "exclude_users": ' ["none"] '}),
    ("dismiss_stale_risk", {**_STALE, "levels": "- low\n- none", "age": None}),
    ("dismiss_stale_risk", {**_STALE, "levels": "None"}),
    ("act_on_plan", {"plan": _PLANNED}),
    ("act_on_plan", {"plan": json.dumps({**_PLANNED, "exclude_users": [], "error": None})}),
    ("act_on_plan", {"plan": {**_PLANNED, "users": [], "count": 0, "evaluated_at": None}}),
    ("confirm_compromised", {**_NAMED, "exclude_users": " ", "exclude_groups": "a group"}),
    ("contain_users", {**_NAMED, "exclude_groups": ["g"], "exclude_role_holders": "", "revoked_since": "12h"}),
    ("dismiss_secured", {"exclude_users": "none", "exclude_groups": " \n", "levels": "high"}),
    ("report_risk", {"report_days": " ", "report_limit": None, "report_path": "None"}),
)

_CHOICE = "exactly one of entra_risk_users and entra_risk_filters"
_PLAN = "entra_risk_plan is not a whole plan"
_UNANSWERED = "entra_risk_exclude_users is not answered"

# By the playbook and the complaint.
COMPLAINTS: t.Mapping[tuple[str, str], t.Sequence[Answers]] = {
    ("dismiss_risk", _CHOICE): [{}, {"users": " ", "filters": None}, {**_NAMED, **_BY_FILTERS}],
    ("dismiss_risk", "entra_risk_users holds no name"): [{"users": " ,;\n"}],
    ("dismiss_risk", "entra_risk_users has an empty entry"): [
        {"users": users} for users in (["a@x.example", None], "- a@x.example\n-")
    ],
    ("check_access", "entry that is not the name of a check"): [
        {"required_checks": value} for value in ("Groups", [None])
    ],
    ("dismiss_risk", "entra_risk_filters is not a dictionary"): [{"filters": "low", "max_changes": 5}],
    ("dismiss_risk", "entra_risk_filters has a key without a value"): [
        {"filters": filters, "max_changes": 5} for filters in ('updated_before: " "', {"risk_level": None})
    ],
    ("plan_dismissal", "entra_risk_filters has a key without a value"): [{**_STALE, "filters": "updated_after: None"}],
    ("dismiss_risk", "entra_risk_max_changes is required with entra_risk_filters"): [
        {"filters": {}, "max_changes": " "}, {"filters": {}},
    ],
    ("dismiss_risk", "entra_risk_max_changes has no value"): [{**_NAMED, "max_changes": None}],
    ("dismiss_risk", "entra_risk_exclude_users has no value"): [
        {**_NAMED, "exclude_users": value} for value in (None, " None ", ", ;")
    ],
    ("dismiss_risk", "entra_risk_exclude_users has an empty entry"): [
        {**_NAMED, "exclude_users": value} for value in ([None], ["a@x.example", " "])
    ],
    ("dismiss_risk", "entra_risk_if_unmodified_since is blank"): [
        {**_NAMED, "if_unmodified_since": value} for value in (" ", None, "None")
    ],
    ("confirm_compromised", "entra_risk_users is not answered"): [{"exclude_users": "none"}],
    ("confirm_compromised", _UNANSWERED): [
        _NAMED, *({**_NAMED, "exclude_users": value} for value in (None, "None", [None], "[null]", [], " ;\n")),
    ],
    ("confirm_compromised", "entra_risk_exclude_users has an empty entry"): [
        {**_NAMED, "exclude_users": ["none", None]}
    ],
    ("dismiss_stale_risk", _UNANSWERED): [{}, {"exclude_groups": None}, {"exclude_groups": ["", None]}],
    ("contain_users", _UNANSWERED): [{**_NAMED, "exclude_role_holders": True}],
    ("contain_users", "entra_risk_exclude_groups has an empty entry"): [{**_NAMED, "exclude_groups": ["g", " "]}],
    ("dismiss_risk", "entra_risk_exclude_groups has no value"): [
        {**_NAMED, "exclude_groups": " None "}, {**_NAMED, "exclude_groups": ";"},
    ],
    ("contain_users", "entra_risk_revoked_since is blank"): [
        {**_NAMED, "exclude_users": "none", "revoked_since": since} for since in (" ", None, "None")
    ],
    # Before anybody is confirmed as compromised.
    ("contain_users", "entra_risk_revoked_since is neither a time"): [
        {**_NAMED, "exclude_users": "none", "revoked_since": since} for since in ("yesterday", "2026-01-31T08:15", 12)
    ],
    ("dismiss_secured", "at most one of entra_risk_users and entra_risk_levels"): [{**_NAMED, "levels": "low"}],
    ("dismiss_secured", "entra_risk_levels takes low, medium, high and none"): [
        {"exclude_users": "none", "levels": "hidden"},
    ],
    ("dismiss_stale_risk", "entra_risk_levels takes low, medium and none"): [
        {**_STALE, "levels": levels} for levels in (", ", ["low", None], '["low", "high"]')
    ],
    ("plan_dismissal", _UNANSWERED): [{**_NAMED}],
    ("plan_dismissal", _CHOICE): [{"exclude_users": "none"}],
    ("act_on_plan", _PLAN): [
        {}, {"plan": " "}, {"plan": "None"}, {"plan": [_PLANNED]}, {"plan": {**_PLANNED, "count": 2}},
        {"plan": {**_PLANNED, "users": "1"}}, {"plan": {**_PLANNED, "users": None, "count": None}},
        {"plan": {**_PLANNED, "state": " "}}, {"plan": {**_PLANNED, "evaluated_at": " "}},
        {"plan": {**_PLANNED, "evaluated_at": "None"}}, {"plan": {**_PLANNED, "exclude_users": None}},
        {"plan": {**_PLANNED, "exclude_users": [""]}},
    ],
    ("act_on_plan", "The plan failed, so there is nothing to act on: No."): [
        {"plan": {**_PLANNED, "msg": "No.", "error": {"kind": "login"}}}
    ],
    ("act_on_plan", "entra_risk_exclude_users has no value"): [{"plan": _PLANNED, "exclude_users": None}],
    ("report_risk", "entra_risk_report_days is a number from 1 to 366"): [
        {"report_days": days} for days in ("0", "1_0", True)
    ],
    ("report_risk", "entra_risk_report_limit is a number of at least 1"): [{"report_limit": 0}],
    ("report_risk", "entra_risk_report_path names a folder"): [{"report_path": "/tmp/"}],
}  # fmt: skip

VALUES: tuple[tuple[str, Answers, str, t.Any], ...] = (
    *(("dismiss_stale_risk", {"age": age}, "dismiss_stale_age", "90d") for age in (" ", None, "None")),
    ("dismiss_stale_risk", {"age": " 12h\n"}, "dismiss_stale_age", "12h"),
    # For the module to refuse.
    ("dismiss_stale_risk", {"age": 0}, "dismiss_stale_age ~ ''", "0"),
    ("dismiss_stale_risk", {"levels": " "}, "dismiss_stale_levels", ["low", "medium"]),
    ("dismiss_stale_risk", {"max_changes": " "}, "answered_max_changes | string", "50"),
    ("dismiss_stale_risk", {"max_changes": 0}, "answered_max_changes | string", "0"),
    ("confirm_compromised", {"max_changes": "None"}, "answered_max_changes | int", 20),
    ("confirm_compromised", {"wait": "\t"}, "answered_wait | bool", True),
    ("confirm_compromised", {"wait": False}, "answered_wait | bool", False),
    ("plan_dismissal", {"state": " "}, "plan_dismissal_state", "dismissed"),
    ("plan_dismissal", {"state": " safe\n"}, "plan_dismissal_state", "safe"),
    ("dismiss_risk", {"exclude_users": "none; a@x.example"}, "answered_exclude_users", ["a@x.example"]),
    # A time that YAML does not take for text.
    ("dismiss_risk", {"filters": "updated_before: 2026-01-27T00:00:00Z"}, "answered_filters",
     {"updated_before": "2026-01-27T00:00:00+00:00"}),
    ("dismiss_risk", {"filters": "risk_level: [low]"}, "answered_filters", {"risk_level": ["low"]}),
    ("dismiss_risk", {"access_token": " ", "auth_source": None}, "answered_connection.values() | list", ["", ""]),
    ("dismiss_risk", {"ticket": " CHG-1 "}, "answered_ticket", "CHG-1"),
    ("check_access", {"required_checks": " "}, "check_access_required", ["read_risky_users", "write_risky_users"]),
    ("check_access", {"required_checks": "read_groups, write_risky_users"}, "check_access_required",
     ["read_risky_users", "write_risky_users", "read_groups"]),
    ("report_risk", {"report_days": " "}, "report_risk_days", "30"),
    ("report_risk", {"report_path": "\n"}, "report_risk_path", ""),
    ("report_risk", {"tenant_name": None}, "report_risk_tenant", ""),
)  # fmt: skip


_NOTHING = {"changed": 0, "unchanged": 0, "skipped": 0, "failed": 0}
_LOST = "It is not known what was done: the module ended without a result"
_BROKEN_OFF = "The list of users broke off, so there may be more to act on"

SUMS: tuple[tuple[Answers, list[str]], ...] = (
    (
        {"failed": True, "msg": "No secret.", "summary": _NOTHING, "error": {"kind": "login"}},
        ["No secret.", "job", "Nothing was decided", "request", "False"],
    ),
    ({"failed": True, "msg": "MODULE FAILURE", "rc": 137}, ["MODULE FAILURE", "job", _LOST, "internal", "False"]),
    (
        {"summary": {**_NOTHING, "changed": 3}, "users": [], "truncated": True},
        ["job", "3 changed, 0 unchanged, 0 skipped, 0 failed", _BROKEN_OFF, "request", "True"],
    ),
)


def test_reads_answers_and_sums_up(ansible: Ansible, tmp_path: Path) -> None:
    complained = [(*key, answers) for key, several in COMPLAINTS.items() for answers in several]
    complaints = "answers_complaints | select | list"
    sums = "sum_up_lines | select | list + [sum_up_error.kind, sum_up_truncated | string]"

    def named(answers: Answers) -> Answers:
        return {f"entra_risk_{name}": value for name, value in answers.items()}

    cases = [
        *[("dismiss_risk", named({"users": answer}), "answered_users_list") for answer, dummy in LISTS],
        *[(playbook, named(answers), expression) for playbook, answers, expression, dummy in VALUES],
        *[(playbook, named(answers), complaints) for playbook, answers in NO_COMPLAINT],
        *[(playbook, named(answers), complaints) for playbook, dummy, answers in complained],
        *[(_SUM_UP, {"sum_up_job": "job", "sum_up_result": result}, sums) for result, dummy in SUMS],
    ]
    values = iter(_evaluate(ansible, cases, tmp_path))
    assert [(answer, next(values)) for answer, dummy in LISTS] == list(LISTS)
    assert [(*case[:3], next(values)) for case in VALUES] == list(VALUES)
    assert [(*case, next(values)) for case in NO_COMPLAINT] == [(*case, []) for case in NO_COMPLAINT]
    found = [(*case, " ".join(next(values))) for case in complained]
    assert [case for case in found if case[1] not in case[3]] == []
    assert [(result, next(values)) for result, dummy in SUMS] == list(SUMS)


def test_replaces_nothing_but_pages(ansible: Ansible, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(f"<!DOCTYPE html>\n{_GENERATOR}\n", encoding="utf-8")
    foreign = tmp_path / "foreign (1).html"
    foreign.write_text(f"<!DOCTYPE html>\n<p>{_GENERATOR}</p>\n", encoding="utf-8")
    (tmp_path / "link").symlink_to(page)
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "vars").symlink_to(_PLAYBOOKS / "vars")
    no_page = "is not a page of this playbook"
    names = {"page.html": None, foreign.name: no_page, "link": "is a symbolic link", "fifo": no_page}
    tasks = yaml.safe_load((_PLAYBOOKS / "tasks" / "write_page.yml").read_text(encoding="utf-8"))
    check = [{**tasks[2], "ignore_errors": True}]
    plays = [_local({"report_risk_path": f"{tmp_path}/{name}"}, [*tasks[:2], *check, _collect()]) for name in names]
    keep = {"dest": str(tmp_path / "collected"), "content": "[{{ collected | join(',') }}]", "mode": "0600"}
    _write_and_play(ansible, [*plays, _local({}, [{"ansible.builtin.copy": keep}])], tmp_path)
    said = json.loads((tmp_path / "collected").read_text(encoding="utf-8"))
    for message, expected in zip(said, names.values()):
        assert (expected or "All assertions passed") in message
    assert len(said) == len(names)


def _collect() -> dict[str, t.Any]:
    text = "{{ collected | default([]) + [write_page_check.msg | to_json] }}"
    return {"ansible.builtin.set_fact": {"collected": text}}


def _play(ansible: Ansible, tenant: Tenant, playbook: str, status: int, answers: Answers) -> Run:
    given = {"entra_risk_access_token": tenant.mint_token(roles=_READER), **answers}
    return ansible.run("ansible-playbook", f"identityops.entra_risk.{playbook}", "-e", json.dumps(given), status=status)


def test_report_hands_on_numbers_without_a_page_and_takes_no_text_for_numbers(
    ansible: Ansible, tenant: Tenant, tmp_path: Path
) -> None:
    day = timestamps.ago(hours=0)[:10]
    forged = f'oddity\n{day}|high|leakedCredentials\r\n]|[\u2028\x85,"x"],{{{{ 6 * 7 }}}}'
    tenant.add_user("anna@contoso.example", risk_level="low|high", display_name=forged)
    for kind in (forged, "leakedCredentials", "LEAKEDCREDENTIALS", "a|b"):
        tenant.add_detections(1, "anna@contoso.example", risk_event_type=kind, risk_level="low")
    path = tmp_path / "missing" / "page.html"
    played = _play(ansible, tenant, "report_risk", 2, {"entra_risk_report_path": str(path)})
    report = _handed_on(played)["entra_risk_report"]
    assert report["detections"]["by_type"] == {forged: 1, "leakedCredentials": 1, "LEAKEDCREDENTIALS": 1, "a|b": 1}
    assert report["detections"]["by_level"]["low"] == 4
    assert sum(report["detections"]["per_day"].values()) == 4
    assert report["users"]["by_level"] == {"high": 0, "medium": 0, "low": 0, "hidden": 0, "none": 0, "other": 1}
    assert report["users"]["by_state"] == {"atRisk": 1, "confirmedCompromised": 0, "other": 0}
    assert report["error"]["kind"] == "request"
    assert f"The page was not written: Destination directory {path.parent} does not exist" in played.output


def test_report_about_nobody_without_a_date(ansible: Ansible, tenant: Tenant, tmp_path: Path) -> None:
    tenant.add_fault(listener="graph", headers={"Date": None})
    path = tmp_path / "page.html"
    path.write_text(f"<!DOCTYPE html>\n{_GENERATOR}\nold\n", encoding="utf-8")
    answers = {"entra_risk_report_path": f" {path}\n", "entra_risk_tenant_name": "<script>alert(1)</script>"}
    played = _play(ansible, tenant, "report_risk", 0, answers)
    report = _handed_on(played)["entra_risk_report"]
    assert (report["evaluated_at"], report["users"]["count"], report["error"]) == (None, 0, None)
    assert "by the clock of this machine" in played.output
    page = path.read_text(encoding="utf-8")
    assert _GENERATOR in page.splitlines()
    assert "old" not in page.splitlines()
    assert path.stat().st_mode & 0o777 == 0o600
    # Nothing is fetched, and what runs is what the policy of the page names.
    assert "<script>alert" not in page and not re.search(r"\s(?:src|href|on\w+)=|@import|url\(", page)
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="(.*?)"', page)
    parts = [re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL) for tag in ("style", "script")]
    style, script = (base64.b64encode(hashlib.sha256(part.encode()).digest()).decode() for (part,) in parts)
    sources = f"style-src 'sha256-{style}'; script-src 'sha256-{script}'"
    assert policy == f"default-src 'none'; {sources}; base-uri 'none'; form-action 'none'"


def test_report_marks_role_holders_and_members(ansible: Ansible, tenant: Tenant, tmp_path: Path) -> None:
    anna, otto = (tenant.add_user(f"{name}@contoso.example").id for name in ("anna", "otto"))
    tenant.add_user("eva@contoso.example")
    tenant.assign_role(anna, eligible=True)
    group = tenant.add_group([anna, otto]).id
    path = tmp_path / "page.html"
    token = tenant.mint_token(roles=[*_READER, *_GUARDS])
    answers = {"entra_risk_report_path": str(path), "entra_risk_report_groups": group, "entra_risk_access_token": token}
    users = _handed_on(_play(ansible, tenant, "report_risk", 0, answers))["entra_risk_report"]["users"]
    assert (users["count"], users["role_holders"], users["guarded"]) == (3, 1, 2)
    page = path.read_text(encoding="utf-8")
    assert (page.count(">holds a role<"), page.count(">guarded<"), page.count("-unreadable")) == (1, 2, 0)
    assert all(request["method"] == "GET" for request in tenant.journal.select(listener="graph"))


def test_check_plan_and_report_hand_on_why_they_failed(ansible: Ansible, tenant: Tenant) -> None:
    tenant.add_fault(listener="graph", status=403, code="Forbidden", message="No. {{ 6 * 7 }} {% raw %} {# all #}")
    answers = {
        "entra_risk_exclude_users": "none",
        "entra_risk_users": '["anna@contoso.example"]',
        # Of an earlier node.
        "entra_risk_plan": _PLANNED,
    }
    handed_on = _handed_on(_play(ansible, tenant, "plan_dismissal", 2, answers))["entra_risk_plan"]
    assert (handed_on["users"], handed_on["count"], handed_on["error"]["kind"]) == (None, None, "permission")
    # It is made for a file of variables, where braces would be a template.
    assert "No. { { 6 * 7 }} { % raw %} { # all #}" in handed_on["msg"]
    access = _play(ansible, tenant, "check_access", 2, {"entra_risk_required_checks": "nonsense"})
    assert "There is no check nonsense" in access.output
    assert re.search("read_risky_users +NO +IdentityRiskyUser.Read.All", access.output)
    handed_on = _handed_on(access)["entra_risk_access"]
    assert (handed_on["ok"], handed_on["missing"]) == (False, ["read_risky_users", "write_risky_users", "nonsense"])
    assert "No. { { 6 * 7 }} { % raw %} { # all #}" in handed_on["checks"][0]["message"]
    handed_on = _handed_on(_play(ansible, tenant, "report_risk", 2, answers))["entra_risk_report"]
    assert (handed_on["users"], handed_on["error"]["kind"]) == (None, "permission")
    assert "No. {{ 6 * 7 }}" in handed_on["msg"]


def test_contains_those_who_can_be_contained(ansible: Ansible, tenant: Tenant) -> None:
    anna, boss, otto = (tenant.add_user(f"{name}@contoso.example").id for name in ("anna", "boss", "otto"))
    tenant.assign_role(boss)
    answers = {
        "entra_risk_exclude_groups": tenant.add_group([otto]).id,
        "entra_risk_exclude_role_holders": "yes",
        "entra_risk_revoked_since": "12h",
        "entra_risk_access_token": tenant.mint_token(roles=ALL_ROLES),
    }
    for changed, nobody in ((1, "nobody@contoso.example"), (0, "")):
        users = f"anna@contoso.example, boss@contoso.example, otto@contoso.example, {nobody}"
        run = _play(ansible, tenant, "contain_users", 2 if nobody else 0, {**answers, "entra_risk_users": users})
        assert "Not done: boss@contoso.example (privileged), otto@contoso.example (excluded)" in run.output
        handed_on = _handed_on(run)["entra_risk_result"]
        assert handed_on["users"] == [anna]
        if nobody:
            assert handed_on["error"]["kind"] == "users" and "nobody@contoso.example (unknown_user" in handed_on["msg"]
        else:
            assert handed_on["error"] is None
        sessions = handed_on["sessions"]
        assert sessions["summary"] == {"changed": changed, "failed": 0, "skipped": 0, "unchanged": 1 - changed}
    assert [key for entry in tenant.journal.entries for key in entry["written"]] == [anna, anna]


def test_dismisses_those_with_a_new_password(ansible: Ansible, tenant: Tenant) -> None:
    soon = "2099-01-01T00:00:00Z"
    anna = tenant.add_user("anna@contoso.example", password_changed=soon, risk_level="high").id
    tenant.add_user("bob@contoso.example", risk_level="high")
    tenant.add_user("zoe@contoso.example", password_changed=soon, risk_state="confirmedCompromised")
    answers = {"entra_risk_exclude_users": "none", "entra_risk_access_token": tenant.mint_token(roles=ALL_ROLES)}
    run = _play(ansible, tenant, "dismiss_secured", 0, answers)
    assert "Not done: bob@contoso.example (password_unchanged)" in run.output
    assert _handed_on(run)["entra_risk_result"]["summary"] == {"changed": 1, "failed": 0, "skipped": 1, "unchanged": 0}
    assert [key for entry in tenant.journal.entries for key in entry["written"]] == [anna]

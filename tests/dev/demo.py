"""`dev.py demo`: the main job, shown from the outside and checked against what the service saw."""

from __future__ import annotations

import re
import shlex
import subprocess
import textwrap
import typing as t
from pathlib import Path

from . import tenant
from .console import StopError
from .workspace import Workspace

ADELE = "adele.vance@contoso.example"
ALEX = "alex.wilber@contoso.example"
LEE = "lee.gu@contoso.example"
BREAK_GLASS = "emergency.access@contoso.example"
REVIEWED = f"""\
entra_risk_users:
  - {ADELE}
  - {{alex_id}}  # Alex
  - {LEE}  # somebody else confirmed Lee as safe in the meantime
  - {BREAK_GLASS}  # got onto the list by mistake
entra_risk_exclude_users:
  - {BREAK_GLASS}
"""
PLAYBOOK = "identityops.entra_risk.dismiss_risk"
# Noise of ansible-playbook that has nothing to do with the collection.
_QUIET = {
    "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
    "ANSIBLE_LOCALHOST_WARNING": "false",
    "ANSIBLE_NOCOWS": "true",
}


def demo(space: Workspace, say: t.Callable[[str], None]) -> int:
    """Show the main job against a local tenant. Gives the number of claims that were checked.

    :raises StopError: a claim is not true.
    """
    venv = space.development()
    env = space.environment(venv)
    with tenant.running(venv.python, space.tree, env, space.cache / "logs" / "demo-tenant.log") as facts:
        show = _Show(space, facts, {**env, **_QUIET, **_credential(facts)}, venv.path / "bin" / "ansible-playbook", say)
        show.play()
        show.how_to_go_on()
        return show.checked


def _credential(facts: t.Mapping[str, t.Any]) -> dict[str, str]:
    """What AWX sets for its credential type Microsoft Azure Resource Manager, and the way to the local tenant."""
    return {
        "AZURE_SUBSCRIPTION_ID": "not-needed",
        "AZURE_TENANT": facts["tenant_id"],
        "AZURE_CLIENT_ID": facts["client_id"],
        "AZURE_SECRET": facts["secret"],
        "AZURE_CLOUD_ENVIRONMENT": "",
        "AZURE_AUTHORITY_HOST": facts["login_url"],
        "MSGRAPH_URL": facts["graph_url"],
        "REQUESTS_CA_BUNDLE": facts["ca_path"],
    }


class _Show:
    def __init__(
        self,
        space: Workspace,
        facts: dict[str, t.Any],
        env: dict[str, str],
        command: Path,
        say: t.Callable[[str], None],
    ) -> None:
        self.checked = 0
        self._space = space
        self._facts = facts
        self._env = env
        self._command = command
        self._say = say
        self._variables = space.cache / "reviewed.yml"

    def play(self) -> None:
        """All scenes. Each one is checked at the service, not only by what Ansible says."""
        users = self._users()
        named = {ADELE, ALEX, LEE, BREAK_GLASS}

        self._heading("Who is risky now, says the service")
        self._table(users, named)

        self._heading("What somebody reviewed: reviewed.yml")
        self._variables.write_text(REVIEWED.format(alex_id=users[ALEX]["id"]), encoding="utf-8")
        self._say(textwrap.indent(self._variables.read_text(encoding="utf-8").rstrip(), "   "))

        self._heading("Check mode with diff: what would happen")
        before = self._state()
        self._run("--check", "--diff", changed=1)
        self._expect(self._state() == before and not self._journal()["written"], "Nothing was written.")

        self._heading("The run")
        self._run(changed=1)
        after = self._state()
        different = {name for name, state in after.items() if state != before[name]}
        self._expect(different == {ADELE, ALEX}, "At the service, Adele and Alex changed, and nobody else.")
        self._expect(after[ADELE] == after[ALEX] == "dismissed", "Both are dismissed.")

        self._heading("The same run again")
        self._run(changed=0)
        self._expect(self._state() == after, "Nothing changed.")

        self._heading("What the service saw in all three runs")
        journal = self._journal()
        for request, count in sorted(journal["by_request"].items()):
            self._say(f"   {count} x {request}")
        self._expect(
            sorted(journal["written"]) == sorted(users[name]["id"] for name in different), "2 users written to."
        )
        self._expect(sum(" POST " in name and "dismiss" in name for name in journal["by_request"]) == 1, "1 write.")
        self._expect(not journal["violations"], "Every request was one that the published API allows.")

        self._heading("Who is risky now")
        self._table(self._users(), named)

    def how_to_go_on(self) -> None:
        """The exact command for a real tenant."""
        tree = shlex.quote(str(self._space.collections))
        self._heading("Your own tenant")
        self._say(
            "   The README says which permissions the app registration needs. With --check, this only looks.\n\n"
            "   export AZURE_TENANT=... AZURE_CLIENT_ID=...\n"
            "   read -rs AZURE_SECRET; export AZURE_SECRET\n"
            f"   ANSIBLE_COLLECTIONS_PATH={tree} \\\n"
            f"   {shlex.quote(str(self._command))} {PLAYBOOK} \\\n"
            "   --check --diff -e entra_risk_users=name@your.domain"
        )

    def _heading(self, text: str) -> None:
        self._say(f"\n== {text}")

    def _run(self, *options: str, changed: int) -> None:
        self._say("   $ " + " ".join(["ansible-playbook", PLAYBOOK, "-e @reviewed.yml", *options]))
        answer = subprocess.run(
            [self._command, PLAYBOOK, "-e", f"@{self._variables}", *options],
            cwd=self._space.tree,
            env=self._env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        for line in re.sub(r"\n{2,}", "\n", answer.stdout).strip().splitlines():
            self._say(f"   | {line.rstrip('* ')}")
        self._expect(answer.returncode == 0, "Ansible succeeded.")
        self._expect(f" changed={changed} " in answer.stdout, f"It says changed={changed}.")

    def _expect(self, good: bool, claim: str) -> None:
        if not good:
            raise StopError(f"   NOT TRUE: {claim}")
        self.checked += 1
        self._say(f"   ok: {claim}")

    def _users(self) -> dict[str, dict[str, t.Any]]:
        """The risk records of the tenant, by user principal name."""
        users = tenant.ask(self._facts, f"/tenants/{self._facts['tenant_id']}/users")
        return {user["risk"]["userPrincipalName"]: user["risk"] for user in users if user["risk"]}

    def _state(self) -> dict[str, str]:
        return {name: user["riskState"] for name, user in self._users().items()}

    def _journal(self) -> dict[str, t.Any]:
        journal = tenant.ask(self._facts, f"/tenants/{self._facts['tenant_id']}/journal")
        return dict(journal["summary"])

    def _table(self, users: t.Mapping[str, t.Mapping[str, t.Any]], named: t.Collection[str]) -> None:
        for name, user in users.items():
            if name in named or user["riskState"] in ("atRisk", "confirmedCompromised"):
                mark = ">" if name in named else " "
                self._say(f"   {mark} {name:36} {user['riskState']:22} {user['riskLevel']}")

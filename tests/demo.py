"""`dev.py demo`: the main job, shown from the outside and checked against what the service saw."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
import textwrap
import typing as t
from pathlib import Path

from .local_tenant import ask, running

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
OWN_TENANT = """\
   The README says which permissions the app registration needs. With --check, this only looks.

   export AZURE_TENANT=... AZURE_CLIENT_ID=...
   read -rs AZURE_SECRET; export AZURE_SECRET
   ANSIBLE_COLLECTIONS_PATH={collections} \\
   {command} {playbook} \\
   --check --diff -e entra_risk_users=name@your.domain"""
ROOT = Path(__file__).resolve().parents[1]
COMMAND = str(Path(sys.executable).with_name("ansible-playbook"))


class Demo:
    """All scenes. Each one is checked at the service, not only by what Ansible says."""

    def __init__(self, facts: dict[str, t.Any], scratch: Path) -> None:
        self.facts = facts
        self.variables = scratch / "reviewed.yml"
        self.env = {
            **os.environ,
            # What AWX sets for its credential type Microsoft Azure Resource Manager, and the way to the local tenant.
            "AZURE_SUBSCRIPTION_ID": "not-needed",
            "AZURE_TENANT": facts["tenant_id"],
            "AZURE_CLIENT_ID": facts["client_id"],
            "AZURE_SECRET": facts["secret"],
            "AZURE_CLOUD_ENVIRONMENT": "",
            "AZURE_AUTHORITY_HOST": facts["login_url"],
            "MSGRAPH_URL": facts["graph_url"],
            "REQUESTS_CA_BUNDLE": facts["ca_path"],
            # Noise of ansible-playbook that has nothing to do with the collection.
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_NOCOWS": "true",
        }

    def play(self) -> None:
        """Show everything.

        :raises SystemExit: a claim is not true.
        """
        users = self.users()
        named = {ADELE, ALEX, LEE, BREAK_GLASS}
        self.table("Who is risky now, says the service", named)

        say("\n== What somebody reviewed: reviewed.yml")
        self.variables.write_text(REVIEWED.format(alex_id=users[ALEX]["id"]), encoding="utf-8")
        say(textwrap.indent(self.variables.read_text(encoding="utf-8").rstrip(), "   "))

        say("\n== Check mode with diff: what would happen")
        before = self.states()
        self.run("--check", "--diff", changed=1)
        expect(self.states() == before and not self.journal()["written"], "Nothing was written.")

        say("\n== The run")
        self.run(changed=1)
        after = self.states()
        different = {name for name, state in after.items() if state != before[name]}
        expect(different == {ADELE, ALEX}, "At the service, Adele and Alex changed, and nobody else.")
        expect(after[ADELE] == after[ALEX] == "dismissed", "Both are dismissed.")

        say("\n== The same run again")
        self.run(changed=0)
        expect(self.states() == after, "Nothing changed.")

        say("\n== What the service saw in all three runs")
        journal = self.journal()
        for request, count in sorted(journal["by_request"].items()):
            say(f"   {count} x {request}")
        expect(sorted(journal["written"]) == sorted(users[name]["id"] for name in different), "2 users written to.")
        expect(sum(" POST " in name and "dismiss" in name for name in journal["by_request"]) == 1, "1 write.")
        expect(not journal["violations"], "Every request was one that the published API allows.")

        self.table("Who is risky now", named)
        say("\n== Your own tenant")
        places = {"collections": shlex.quote(str(ROOT.parents[2])), "command": shlex.quote(COMMAND)}
        say(OWN_TENANT.format(playbook=PLAYBOOK, **places))

    def run(self, *options: str, changed: int) -> None:
        """Run the playbook, and check what Ansible says about it."""
        say("   $ " + " ".join(["ansible-playbook", PLAYBOOK, "-e @reviewed.yml", *options]))
        command = [COMMAND, PLAYBOOK, "-e", f"@{self.variables}", *options]
        answer = subprocess.run(command, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        text = answer.stdout.decode()
        for line in re.sub(r"\n{2,}", "\n", text).strip().splitlines():
            say(f"   | {line.rstrip('* ')}")
        expect(answer.returncode == 0, "Ansible succeeded.")
        expect(f" changed={changed} " in text, f"It says changed={changed}.")

    def users(self) -> dict[str, dict[str, t.Any]]:
        """The risk records of the tenant, by user principal name."""
        users = ask(self.facts, f"/tenants/{self.facts['tenant_id']}/users")
        return {user["risk"]["userPrincipalName"]: user["risk"] for user in users if user["risk"]}

    def states(self) -> dict[str, str]:
        return {name: user["riskState"] for name, user in self.users().items()}

    def journal(self) -> dict[str, t.Any]:
        return dict(ask(self.facts, f"/tenants/{self.facts['tenant_id']}/journal")["summary"])

    def table(self, title: str, named: t.Collection[str]) -> None:
        say(f"\n== {title}")
        for name, user in self.users().items():
            if name in named or user["riskState"] in ("atRisk", "confirmedCompromised"):
                mark = ">" if name in named else " "
                say(f"   {mark} {name:36} {user['riskState']:22} {user['riskLevel']}")


def say(text: str) -> None:
    print(text, flush=True)


def expect(good: bool, claim: str) -> None:
    """Check a claim, and say so."""
    if not good:
        sys.exit(f"   NOT TRUE: {claim}")
    say(f"   ok: {claim}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory:
        scratch = Path(directory)
        with running(sys.executable, ROOT, os.environ, scratch / "tenant.log") as facts:
            Demo(facts, scratch).play()

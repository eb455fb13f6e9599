"""`dev.py demo`: the main job, shown from the outside and checked against what the service saw."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import typing as t
from pathlib import Path

from .entra_emulator.emulator import Emulator
from .entra_emulator.seed import seed

ADELE, ALEX, LEE, BREAK_GLASS = NAMED = [
    f"{name}@contoso.example" for name in ("adele.vance", "alex.wilber", "lee.gu", "emergency.access")
]
ACTIVE = ("atRisk", "confirmedCompromised")
COMMAND = str(Path(sys.executable).with_name("ansible-playbook"))
PLAYBOOK = "identityops.entra_risk.dismiss_risk"
REVIEWED = f"""\
entra_risk_users:
  - {ADELE}
  - {{alex_id}}  # Alex
  - {LEE}  # somebody else confirmed Lee as safe in the meantime
  - {BREAK_GLASS}  # got onto the list by mistake
entra_risk_exclude_users:
  - {BREAK_GLASS}
"""
OWN_TENANT = f"""\
The README says which permissions the app registration needs. With --check, this only looks.

export AZURE_TENANT=... AZURE_CLIENT_ID=...
read -rs AZURE_SECRET; export AZURE_SECRET
ANSIBLE_COLLECTIONS_PATH={os.environ["ANSIBLE_COLLECTIONS_PATH"]} \\
{COMMAND} {PLAYBOOK} \\
--check --diff -e entra_risk_users=name@your.domain"""


def say(title: str, text: str = "") -> None:
    print(f"\n== {title}\n{re.sub('^', '   ', text, flags=re.MULTILINE)}", flush=True)


def expect(good: bool, claim: str) -> None:
    if not good:
        sys.exit(f"   NOT TRUE: {claim}")
    print(f"   ok: {claim}", flush=True)


with Emulator(validate=True) as emulator:
    tenant, app = seed(emulator)
    os.environ |= {
        # What AWX sets for its credential type Microsoft Azure Resource Manager, and the way to the local tenant.
        "AZURE_SUBSCRIPTION_ID": "not-needed",
        "AZURE_TENANT": tenant.id,
        "AZURE_CLIENT_ID": app.client_id,
        "AZURE_SECRET": app.secret or "",
        "AZURE_CLOUD_ENVIRONMENT": "",
        "AZURE_AUTHORITY_HOST": emulator.login_url,
        "MSGRAPH_URL": emulator.graph_url,
        "REQUESTS_CA_BUNDLE": emulator.ca_path,
        # Noise of ansible-playbook that has nothing to do with the collection.
        **{f"ANSIBLE_{name}_WARNING": "false" for name in ("INVENTORY_UNPARSED", "LOCALHOST")},
    }

    def users() -> dict[str, dict[str, t.Any]]:
        """The risk records, by user principal name."""
        return {user.risk["userPrincipalName"]: user.risk for user in tenant.users if user.risk}

    def states() -> dict[str, str]:
        return {name: user["riskState"] for name, user in users().items()}

    def show_risky(title: str) -> None:
        found = {name: user for name, user in users().items() if name in NAMED or user["riskState"] in ACTIVE}
        say(title, "\n".join(f"{name:36} {user['riskState']:22} {user['riskLevel']}" for name, user in found.items()))

    def play(title: str, *options: str, changed: int) -> None:
        """Run the playbook, and check what Ansible says about it."""
        words = [PLAYBOOK, "-e", "@reviewed.yml", *options]
        done = subprocess.run([COMMAND, *words], capture_output=True, text=True, check=False)
        output = re.sub(r"[ *]*\n+", "\n| ", (done.stdout + done.stderr).strip())
        say(title, f"$ ansible-playbook {' '.join(words)}\n| {output}")
        expect(done.returncode == 0, "Ansible succeeded.")
        expect(f" changed={changed} " in done.stdout, f"It says changed={changed}.")

    show_risky("Who is risky now, says the service")
    reviewed = REVIEWED.format(alex_id=tenant.user(ALEX).id)
    Path("reviewed.yml").write_text(reviewed, encoding="utf-8")
    say("What somebody reviewed: reviewed.yml", reviewed.rstrip())
    before = states()
    play("Check mode with diff: what would happen", "--check", "--diff", changed=1)
    expect(states() == before and not tenant.journal.summary()["written"], "Nothing was written.")
    play("The run", changed=1)
    after = states()
    different = {name for name, state in after.items() if state != before[name]}
    expect(different == {ADELE, ALEX}, "At the service, Adele and Alex changed, and nobody else.")
    expect(after[ADELE] == after[ALEX] == "dismissed", "Both are dismissed.")
    play("The same run again", changed=0)
    expect(states() == after, "Nothing changed.")
    journal = tenant.journal.summary()
    requests = journal["by_request"]
    say("What the service saw in all three runs", "\n".join(f"{requests[name]} x {name}" for name in sorted(requests)))
    expect(sorted(journal["written"]) == sorted(users()[name]["id"] for name in different), "2 users written to.")
    expect(sum(" POST " in name and "dismiss" in name for name in requests) == 1, "1 write.")
    expect(not journal["violations"], "Every request was one that the published API allows.")
    show_risky("Who is risky now")
    say("Your own tenant", OWN_TENANT)

"""Runs the cases: each method on a fresh tenant, twice."""

from __future__ import annotations

import dataclasses
import json
import re
import sys
import typing as t
from pathlib import Path

from . import measure
from .cases import METHODS, Case
from .measure import Command, Measured
from .service import Tenant

_HERE = Path(__file__).resolve().parent
_QUIET = {
    "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
    "ANSIBLE_LOCALHOST_WARNING": "false",
    "ANSIBLE_NOCOWS": "true",
    "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
}
Variables = t.Mapping[str, t.Any]


@dataclasses.dataclass(frozen=True)
class Run:
    """One run of a method. The counts are the service's, not the method's.

    :param said_changed: what Ansible's recap says; None for a script, which says nothing.
    :param users_written: users in accepted writes, once for each write.
    :param users_changed: users whose risk state is another one now.
    """

    seconds: float
    code: int
    graph: int
    throttled: int
    login: int
    writes: int
    users_written: int
    users_changed: int
    said_changed: bool | None
    tree_memory: float | None
    module_memory: float | None

    @property
    def useful(self) -> int:
        """Requests to Graph that were not throttled."""
        return self.graph - self.throttled

    @property
    def truthful(self) -> bool | None:
        """Whether "changed" was said exactly when users were written to."""
        return None if self.said_changed is None else self.said_changed == bool(self.users_written)


@dataclasses.dataclass(frozen=True)
class Result:
    """A case, and its two runs."""

    case: Case
    first: Run
    second: Run


class Bench:
    """Where and with what everything runs.

    :param facts: what the stand-in says about itself.
    :param env: the environment of all commands, without credentials.
    :param scratch: an existing directory for files that the commands read.
    """

    def __init__(self, facts: t.Mapping[str, t.Any], env: t.Mapping[str, str], scratch: Path) -> None:
        self.facts = facts
        self._env = {**env, **_QUIET}
        self._scratch = scratch

    def measure(self, case: Case) -> Result:
        """Both runs of a case."""
        with Tenant(self.facts, case.users, limited=case.limited) as tenant:
            first, second = self._run(case, tenant), self._run(case, tenant)
        return Result(case, first, second)

    def _run(self, case: Case, tenant: Tenant) -> Run:
        method = METHODS[case.method]
        before = tenant.states()
        variables: dict[str, t.Any] = {"bench_users": tenant.users}
        if method.by_filters:
            variables = {"bench_filters": {}, "bench_max_changes": case.users}
        if method.is_script:
            words: Command = [sys.executable, _HERE / "sdk_script.py", method.command, self._keep(variables)]
            measured = measure.run(words, cwd=self._scratch, env={**self._env, **tenant.env})
        else:
            measured = self.play(method.command, variables, tenant)
        if measured.code != 0:
            raise RuntimeError(f"{method.label}, {case.users} users:\n{measured.output[-3000:]}")
        traffic = tenant.take_traffic()
        after = tenant.states()
        return Run(
            seconds=measured.seconds,
            code=measured.code,
            graph=traffic.graph,
            throttled=traffic.throttled,
            login=traffic.login,
            writes=traffic.writes,
            users_written=sum(traffic.written.values()),
            users_changed=sum(after[user] != state for user, state in before.items()),
            said_changed=None if method.is_script else said_changed(measured),
            tree_memory=measured.tree_memory,
            module_memory=None if method.is_script else measured.module_memory,
        )

    def play(
        self, playbook: str, variables: Variables, tenant: Tenant, *words: str, watch_memory: bool = True
    ) -> Measured:
        """Run a playbook of ours to its end, failed or not."""
        command: Command = [
            Path(sys.executable).with_name("ansible-playbook"),
            _HERE / "playbooks" / f"{playbook}.yml",
            "--extra-vars",
            f"@{self._keep(variables)}",
            *words,
        ]
        env = {**self._env, **tenant.env}
        return measure.run(command, cwd=self._scratch, env=env, watch_memory=watch_memory)

    def _keep(self, variables: Variables) -> Path:
        """A file with these variables; its name depends on them, so that several processes can run at once."""
        text = json.dumps(variables)
        path = self._scratch / f"variables-{abs(hash(text))}.json"
        path.write_text(text, encoding="utf-8")
        return path


def said_changed(measured: Measured) -> bool:
    """What the recap says.

    :raises RuntimeError: there is no recap.
    """
    match = re.search(r"^localhost\s+:.*\bchanged=(\d+)", measured.output, re.MULTILINE)
    if match is None:
        raise RuntimeError(f"ansible-playbook says nothing:\n{measured.output[-3000:]}")
    return match[1] != "0"

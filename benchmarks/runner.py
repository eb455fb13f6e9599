"""Runs the commands, with their time and memory. The memory comes from /proc, so only on Linux."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import typing as t
from pathlib import Path

from .cases import METHODS, Case
from .service import Tenant

_HERE = Path(__file__).resolve().parent
_QUIET = {
    "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
    "ANSIBLE_LOCALHOST_WARNING": "false",
    "ANSIBLE_NOCOWS": "true",
    "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
}
_TIME_LIMIT = 30 * 60
_PAUSE = 0.02
# The whole tree costs more to look at than the one process.
_TREE_EVERY = 5
# What ansible-core calls the file that holds a module.
_MODULE = b"AnsiballZ_"


@dataclasses.dataclass(frozen=True)
class Measured:
    """What a command did. The memory is in MiB, and 0 where there was nothing to see.

    :param tree_memory: the peak of the process and all its children together (proportional set size).
    :param module_memory: the peak of the process of an Ansible module (resident set size).
    """

    code: int
    output: str
    seconds: float
    tree_memory: float
    module_memory: float


@dataclasses.dataclass(frozen=True)
class Run:
    """One run of a method. The counts are the service's, not the method's.

    :param graph: all requests to Graph, throttled ones included.
    :param writes: requests that change risk, accepted or rejected for their content.
    :param said_changed: what Ansible's recap says; None for a script, which says nothing.
    :param users_written: users in accepted writes, once for each write.
    :param users_changed: users whose risk state is another one now.
    """

    seconds: float
    tree_memory: float
    module_memory: float
    graph: int
    throttled: int
    login: int
    writes: int
    users_written: int
    users_changed: int
    said_changed: bool | None


@dataclasses.dataclass(frozen=True)
class Result:
    """A case, and its two runs."""

    case: Case
    first: Run
    second: Run


class Bench:
    """Where everything runs.

    :param control_url: the control plane of the local tenant.
    :param scratch: an existing directory for files that the commands read.
    """

    def __init__(self, control_url: str, scratch: Path) -> None:
        self.control_url = control_url
        self._scratch = scratch

    def measure(self, case: Case) -> Result:
        with Tenant(self.control_url, case.users, limited=case.limited) as tenant:
            return Result(case, self._run(case, tenant), self._run(case, tenant))

    def _run(self, case: Case, tenant: Tenant) -> Run:
        method = METHODS[case.method]
        before = tenant.states()
        variables: dict[str, t.Any] = {"bench_users": tenant.users}
        if method.by_filters:
            variables = {"bench_filters": {}, "bench_max_changes": case.users}
        if method.is_script:
            script = [sys.executable, str(_HERE / "sdk_script.py"), method.command, self._keep(variables)]
            measured = self._execute(script, tenant)
        else:
            measured = self.play(method.command, variables, tenant)
        if measured.code != 0:
            raise RuntimeError(f"{method.label}, {case.users} users:\n{measured.output[-3000:]}")
        counts, written = tenant.take_traffic()
        after = tenant.states()
        recap = re.search(r"^localhost\s+:.*\bchanged=(\d+)", measured.output, re.MULTILINE)
        return Run(
            measured.seconds,
            measured.tree_memory,
            measured.module_memory,
            **counts,
            users_written=sum(written.values()),
            users_changed=sum(after[user] != state for user, state in before.items()),
            said_changed=recap[1] != "0" if recap else None,
        )

    def play(
        self, playbook: str, variables: t.Mapping[str, t.Any], tenant: Tenant, *, watch_memory: bool = True
    ) -> Measured:
        """Run a playbook of ours to its end, failed or not.

        :param watch_memory: off where the watching could be felt, since it takes a little of the machine.
        """
        program = Path(sys.executable).with_name("ansible-playbook")
        path = _HERE / "playbooks" / f"{playbook}.yml"
        command = [str(program), str(path), "--extra-vars", f"@{self._keep(variables)}"]
        return self._execute(command, tenant, watch_memory=watch_memory)

    def _keep(self, variables: t.Mapping[str, t.Any]) -> str:
        number, path = tempfile.mkstemp(".json", "variables-", self._scratch)
        with open(number, "w", encoding="utf-8") as stream:
            json.dump(variables, stream)
        return path

    def _execute(self, command: list[str], tenant: Tenant, *, watch_memory: bool = True) -> Measured:
        env = {**os.environ, **_QUIET, **tenant.env}
        tree = module = looks = 0
        with tempfile.TemporaryFile() as stream:
            start = time.monotonic()
            process = subprocess.Popen(
                command, cwd=self._scratch, env=env, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream
            )
            try:
                while watch_memory and process.poll() is None and time.monotonic() < start + _TIME_LIMIT:
                    family = list(_family(process.pid))
                    # The kernel keeps this peak, so only what comes after the last look is missed.
                    modules = [pid for pid in family if _MODULE in _read(pid, "cmdline")]
                    module = max(module, *(_kilobytes(pid, "status", b"VmHWM") for pid in modules), 0)
                    if looks % _TREE_EVERY == 0:
                        tree = max(tree, sum(_kilobytes(pid, "smaps_rollup", b"Pss") for pid in family))
                    looks += 1
                    time.sleep(_PAUSE)
                code = process.wait(start + _TIME_LIMIT - time.monotonic())
            finally:
                process.kill()
            seconds = time.monotonic() - start
            stream.seek(0)
            return Measured(code, stream.read().decode("utf-8", "replace"), seconds, tree / 1024, module / 1024)


def _family(pid: int) -> t.Iterator[int]:
    """The process and all that it started."""
    yield pid
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return
    for task in tasks:
        for child in _read(pid, f"task/{task}/children").split():
            yield from _family(int(child))


def _read(pid: int, name: str) -> bytes:
    """Nothing for a process that has ended meanwhile."""
    try:
        return Path("/proc", str(pid), name).read_bytes()
    except OSError:
        return b""


def _kilobytes(pid: int, name: str, key: bytes) -> int:
    match = re.search(rb"^%s:\s+(\d+) kB" % key, _read(pid, name), re.MULTILINE)
    return int(match[1]) if match else 0

"""Runs playbooks the way AWX runs a job: through ansible-runner, with the files, arguments and variables of AWX."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shlex
import signal
import subprocess
import sys
import time
import typing as t
from pathlib import Path

from .credentials import Credential, unsafe_yaml

DISMISS_RISK = "identityops.entra_risk.dismiss_risk"
MODULE = "identityops.entra_risk.risky_user"
# The limit of AWX: a longer result is an empty one in the job's events.
MAX_EVENT_RES = 700_000
# Seconds. No job of the tests takes so long.
LONGEST = 300

Event = dict[str, t.Any]


@dataclasses.dataclass(frozen=True, repr=False)
class Job:
    """A finished job.

    :param status: `successful`, `failed` or `canceled`.
    :param directory: what ansible-runner left behind.
    """

    status: str
    events: list[Event]
    directory: Path

    def __repr__(self) -> str:
        """What somebody wants to see whose test has failed."""
        return f"<{self.status} job>\n{self.output}"

    @property
    def output(self) -> str:
        return "".join(f"{event['stdout']}\n" for event in self.events if event["stdout"])

    @property
    def artifacts(self) -> dict[str, t.Any]:
        """What `set_stats` left for the next node of a workflow; nothing when the job was canceled."""
        return {name: value for end in self.select("playbook_on_stats") for name, value in end["artifact_data"].items()}

    @property
    def changed(self) -> int:
        return sum(sum(end["changed"].values()) for end in self.select("playbook_on_stats"))

    @property
    def result(self) -> dict[str, t.Any]:
        """What the one task with our module returned."""
        ends = self.select("runner_on_ok", "runner_on_failed")
        (result,) = [end["res"] for end in ends if end["resolved_action"] == MODULE]
        return dict(result)

    def select(self, *kinds: str) -> list[Event]:
        return [event["event_data"] for event in self.events if event["event"] in kinds]

    @property
    def traces(self) -> list[str]:
        """The texts of everything that stays when the job is over.

        One file is left out: `command`, where ansible-runner keeps the whole environment. AWX removes the folder.
        """
        files = [
            path for path in (self.directory / "artifacts").rglob("*") if path.is_file() and path.name != "command"
        ]
        return [path.read_text(encoding="utf-8") for path in (*files, self.directory / "log")]


class Controller:
    """Launches jobs.

    :param surroundings: the variables of the execution environment itself, the same for every job.
    :param directory: where the jobs keep their files.
    """

    def __init__(self, surroundings: t.Mapping[str, str], directory: Path) -> None:
        self._surroundings = dict(surroundings)
        self._directory = directory
        self.jobs: list[Job] = []
        self.secrets: set[str] = set()

    def launch(
        self,
        playbook: str,
        *credentials: Credential,
        survey: t.Mapping[str, t.Any] | None = None,
        options: str = "",
        cancel: t.Callable[[], bool] = lambda: False,
    ) -> Job:
        """Run a playbook of the collection by its name, or a play of the project by its text.

        :param survey: the answers, and for a node of a workflow the artifacts of those before.
        :param cancel: asked several times a second; the job is canceled when it says yes.
        """
        directory = self._directory / f"job{len(self.jobs) + 1}"
        (directory / "env").mkdir(parents=True)
        words = [*shlex.split(options), "-u", "root"]
        env = self._surroundings | {"AWX_PRIVATE_DATA_DIR": str(directory), "MAX_EVENT_RES": str(MAX_EVENT_RES)}
        env |= {"ANSIBLE_FORCE_COLOR": "True", "JOB_ID": "1", "INVENTORY_ID": "1", "PROJECT_REVISION": "0" * 40}
        for credential in credentials:
            # Several credentials become one environment, and the later one wins.
            more, arguments = credential.inject(directory / "env")
            env |= more
            words += arguments
            self.secrets.update(credential.secrets)
        files = {
            "project/play.yml": f"- import_playbook: {playbook}\n" if "\n" not in playbook else playbook,
            "env/cmdline": shlex.join(words),
            "env/extravars": unsafe_yaml({"awx_job_id": 1, **(survey or {})}),
            "env/settings": json.dumps(_SETTINGS),
            "inventory/hosts": _INVENTORY.format(python=sys.executable, hosts=json.dumps(_HOSTS)),
        }
        for name, text in files.items():
            (directory / name).parent.mkdir(exist_ok=True)
            (directory / name).write_text(text, encoding="utf-8")
        (directory / "inventory" / "hosts").chmod(0o700)
        _run(directory, env, cancel)
        artifacts = directory / "artifacts" / "1"
        # A canceled job may leave events that are not complete, under another name.
        found = [path for path in (artifacts / "job_events").glob("*.json") if not path.stem.endswith("-partial")]
        events = [json.loads(path.read_text(encoding="utf-8")) for path in found]
        status = (artifacts / "status").read_text(encoding="utf-8")
        self.jobs.append(Job(status, sorted(events, key=lambda event: event["counter"]), directory))
        return self.jobs[-1]


def _run(directory: Path, env: dict[str, str], cancel: t.Callable[[], bool]) -> None:
    """ansible-runner, in a process of its own as in an execution environment. AWX cancels with SIGTERM."""
    command = [sys.executable, "-m", "ansible_runner", "run", str(directory), "--ident", "1", "--omit-env-files"]
    command += ["--playbook", "play.yml", "--inventory", str(directory / "inventory" / "hosts")]
    deadline = time.monotonic() + LONGEST
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
    while process.poll() is None:
        if cancel() or time.monotonic() > deadline:
            process.terminate()
            process.wait()
            _remove_container(directory)
        time.sleep(0.1)


def _remove_container(directory: Path) -> None:
    """End what a canceled job has left running, as AWX does by removing its container.

    ansible-runner ends ansible-playbook only. From ansible-core 2.19 on, a module has a session of its own.
    """
    wanted = f"AWX_PRIVATE_DATA_DIR={directory}".encode()
    for path in Path("/proc").glob("[0-9]*/environ"):
        # Processes end while we look, and those of other people cannot be read.
        with contextlib.suppress(OSError):
            if wanted in path.read_bytes().split(b"\0"):
                os.kill(int(path.parent.name), signal.SIGKILL)


# Those of AWX, but for the seconds until ansible-runner sees that a silent job is canceled: 5 there.
_SETTINGS = {"suppress_ansible_output": True, "suppress_output_file": True, "pexpect_timeout": 1}
# AWX's inventory is a program that prints what is in its database; this is the host that a new AWX comes with.
_INVENTORY = "#!{python}\nprint('{hosts}')\n"
_PYTHON = "{{ ansible_playbook_python }}"
_HOSTS = {
    "all": {"hosts": ["localhost"]},
    "_meta": {"hostvars": {"localhost": {"ansible_connection": "local", "ansible_python_interpreter": _PYTHON}}},
}

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

Event = dict[str, t.Any]

# AWX names the folder of the job in this variable.
_DIRECTORY = "AWX_PRIVATE_DATA_DIR"
# Those of AWX, but for the seconds until ansible-runner sees that a silent job is cancelled: 5 there.
_SETTINGS = {"suppress_ansible_output": True, "suppress_output_file": True, "pexpect_timeout": 1}
_LOG = "ansible-runner.log"
# Seconds. No job of the tests takes so long.
_LONGEST = 300


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
        """What AWX shows."""
        return "".join(f"{event['stdout']}\n" for event in self.events if event["stdout"])

    @property
    def artifacts(self) -> dict[str, t.Any]:
        """What `set_stats` left for the next node of a workflow."""
        (stats,) = self.select("playbook_on_stats")
        return dict(stats["event_data"].get("artifact_data", {}))

    @property
    def changed(self) -> int:
        """How many tasks changed something."""
        (stats,) = self.select("playbook_on_stats")
        return sum(stats["event_data"]["changed"].values())

    @property
    def result(self) -> dict[str, t.Any]:
        """What the one task with our module returned."""
        ends = self.select("runner_on_ok", "runner_on_failed")
        (end,) = [event for event in ends if event["event_data"]["resolved_action"] == MODULE]
        return dict(end["event_data"]["res"])

    def select(self, *kinds: str) -> list[Event]:
        """The events of these kinds."""
        return [event for event in self.events if event["event"] in kinds]

    @property
    def traces(self) -> list[str]:
        """The texts of everything that stays when the job is over.

        One file is left out: `command`, where ansible-runner keeps the whole environment. AWX removes the folder.
        """
        files = [path for path in (self.directory / "artifacts").rglob("*") if path.is_file()]
        return [path.read_text(encoding="utf-8") for path in (*files, self.directory / _LOG) if path.name != "command"]


class Controller:
    """Launches jobs.

    :param surroundings: the variables of the execution environment itself, the same for every job.
    :param directory: where the jobs keep their files.
    """

    def __init__(self, surroundings: t.Mapping[str, str], collections: Path, directory: Path) -> None:
        self._surroundings = dict(surroundings)
        self._collections = collections
        self._directory = directory
        self.jobs: list[Job] = []
        self.secrets: set[str] = set()

    def launch(
        self,
        playbook: str,
        *credentials: Credential,
        survey: t.Mapping[str, t.Any] | None = None,
        check: bool = False,
        diff: bool = False,
        cancel: t.Callable[[], bool] = lambda: False,
    ) -> Job:
        """Run a playbook of the collection by its name, or a play of the project by its text.

        :param survey: the answers, and for a node of a workflow the artifacts of those before.
        :param cancel: asked several times a second; the job is cancelled when it says yes.
        """
        number = len(self.jobs) + 1
        directory = self._prepare(number, playbook, survey or {})
        injected = [credential.inject(directory / "env") for credential in credentials]
        self.secrets.update(secret for credential in credentials for secret in credential.secrets)
        environment = self._environment(number, directory)
        for item in injected:
            # Several credentials become one environment, and the later one wins.
            environment.update(item.env)
        words = [*(["--check"] if check else []), "-u", "root", *(["--diff"] if diff else [])]
        words += [word for item in injected for word in item.arguments]
        (directory / "env" / "cmdline").write_text(shlex.join(words), encoding="utf-8")
        self._run(number, directory, environment, cancel)
        artifacts = directory / "artifacts" / str(number)
        # A cancelled job may leave events that are not complete, under another name.
        files = [path for path in (artifacts / "job_events").glob("*.json") if not path.stem.endswith("-partial")]
        events = [json.loads(path.read_text(encoding="utf-8")) for path in files]
        job = Job(
            (artifacts / "status").read_text(encoding="utf-8"),
            sorted(events, key=lambda event: event["counter"]),
            directory,
        )
        self.jobs.append(job)
        return job

    def _run(self, number: int, directory: Path, environment: dict[str, str], cancel: t.Callable[[], bool]) -> None:
        """ansible-runner, in a process of its own as in an execution environment. AWX cancels with SIGTERM."""
        command = [sys.executable, "-m", "ansible_runner", "run", str(directory), "--ident", str(number)]
        command += ["--playbook", "play.yml", "--inventory", str(directory / "inventory" / "hosts"), "--omit-env-files"]
        deadline = time.monotonic() + _LONGEST
        with (directory / _LOG).open("wb") as log:
            process = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
        while process.poll() is None:
            if cancel() or time.monotonic() > deadline:
                process.terminate()
                process.wait()
                _remove_container(directory)
            time.sleep(0.1)

    def _prepare(self, number: int, playbook: str, survey: t.Mapping[str, t.Any]) -> Path:
        directory = self._directory / f"job{number}"
        files = {
            "project/play.yml": f"- import_playbook: {playbook}\n" if "\n" not in playbook else playbook,
            "env/extravars": unsafe_yaml({"awx_job_id": number, **survey}),
            "env/settings": json.dumps(_SETTINGS),
            "inventory/hosts": _INVENTORY.format(python=sys.executable, hosts=json.dumps(_HOSTS)),
        }
        for name, text in files.items():
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        (directory / "inventory" / "hosts").chmod(0o700)
        return directory

    def _environment(self, number: int, directory: Path) -> dict[str, str]:
        return {
            **self._surroundings,
            "ANSIBLE_COLLECTIONS_PATH": str(self._collections),
            "ANSIBLE_FORCE_COLOR": "True",
            "ANSIBLE_RETRY_FILES_ENABLED": "False",
            _DIRECTORY: str(directory),
            "INVENTORY_ID": "1",
            "JOB_ID": str(number),
            "MAX_EVENT_RES": str(MAX_EVENT_RES),
            "PROJECT_REVISION": "0" * 40,
        }


def _remove_container(directory: Path) -> None:
    """End what a cancelled job has left running, as AWX does by removing its container.

    ansible-runner ends ansible-playbook only. From ansible-core 2.19 on, a module has a session of its own and would
    finish its work.
    """
    wanted = f"{_DIRECTORY}={directory}".encode()
    for path in Path("/proc").glob("[0-9]*/environ"):
        # Processes end while we look, and those of other people cannot be read.
        with contextlib.suppress(OSError):
            if wanted in path.read_bytes().split(b"\0"):
                os.kill(int(path.parent.name), signal.SIGKILL)


# AWX's inventory is a program that prints what is in its database; this is the host that a new AWX comes with.
_INVENTORY = """\
#!{python}
print('{hosts}')
"""
_HOSTS = {
    "all": {"hosts": ["localhost"]},
    "_meta": {
        "hostvars": {
            "localhost": {
                "ansible_connection": "local",
                "ansible_python_interpreter": "{{ ansible_playbook_python }}",
            }
        }
    },
}

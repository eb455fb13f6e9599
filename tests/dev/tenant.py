"""Starts and stops the local tenant, the stand-in for Entra and Graph."""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
import typing as t
import urllib.request
from pathlib import Path

from .console import Command, StopError, end

START_LIMIT = 60


@contextlib.contextmanager
def running(python: Path, tree: Path, env: t.Mapping[str, str], log: Path, *words: str) -> t.Iterator[dict[str, t.Any]]:
    """A local tenant for as long as the block lasts. Gives what it says about itself: addresses and the path of its CA.

    :param words: further arguments of `python -m tests.entra_emulator`.
    :raises StopError: it did not start.
    """
    ready = log.with_suffix(".json")
    ready.unlink(missing_ok=True)
    log.parent.mkdir(parents=True, exist_ok=True)
    command: Command = [python, "-m", "tests.entra_emulator", "--ready-file", ready, *words]
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command,
            cwd=tree,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield _facts(process, ready, log)
        finally:
            end(process)


def ask(facts: t.Mapping[str, t.Any], path: str) -> t.Any:
    """What the control plane of a running tenant answers to a GET of this path."""
    # Without the proxies of the environment: the tenant is on this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(facts["control_url"] + path, timeout=30) as answer:
        return json.load(answer)


def _facts(process: subprocess.Popen[bytes], ready: Path, log: Path) -> dict[str, t.Any]:
    deadline = time.monotonic() + START_LIMIT
    while time.monotonic() < deadline and process.poll() is None:
        # Half a file is no JSON yet.
        with contextlib.suppress(FileNotFoundError, ValueError):
            return dict(json.loads(ready.read_text(encoding="utf-8")))
        time.sleep(0.05)
    raise StopError(f"The local tenant did not start:\n{log.read_text(encoding='utf-8', errors='replace')}")

"""Starts and stops the local tenant, in a process of its own."""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
import typing as t
import urllib.request
from pathlib import Path


@contextlib.contextmanager
def running(
    python: str | Path, tree: str | Path, env: t.Mapping[str, str], log: Path, *words: str
) -> t.Iterator[dict[str, t.Any]]:
    """A local tenant for as long as the block lasts. Gives what it says about itself: addresses and the path of its CA.

    :param words: further arguments of `python -m tests.entra_emulator`.
    :raises RuntimeError: it did not start within a minute.
    """
    ready = log.with_suffix(".json")
    ready.unlink(missing_ok=True)
    command = [str(python), "-m", "tests.entra_emulator", "--ready-file", str(ready), *words]
    with log.open("wb") as stream:
        process = subprocess.Popen(command, cwd=tree, env=dict(env), stdin=subprocess.DEVNULL, stdout=stream, stderr=2)
    try:
        deadline = time.monotonic() + 60
        while not ready.exists():
            if time.monotonic() > deadline or process.poll() is not None:
                raise RuntimeError(f"The local tenant did not start:\n{log.read_text(encoding='utf-8')}")
            time.sleep(0.05)
        yield json.loads(ready.read_text(encoding="utf-8"))
    finally:
        process.terminate()
        process.wait(timeout=30)


def ask(facts: t.Mapping[str, t.Any], path: str) -> t.Any:
    """What the control plane of a running tenant answers to a GET of this path."""
    # Without the proxies of the environment: the tenant is on this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(facts["control_url"] + path, timeout=30) as answer:
        return json.load(answer)

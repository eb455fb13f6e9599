"""Starts the emulator by hand: `python3 -m tests.entra_emulator`, from the root of the checkout."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
import subprocess
import sys
import typing as t
from pathlib import Path

from .control import describe
from .emulator import Emulator
from .seed import seed


def main() -> int:
    """Run until SIGTERM or Ctrl-C, or until the given command ends. Gives the exit code."""
    options = _arguments()
    ends = {signal.SIGTERM, signal.SIGINT}
    if options.run:
        # The command inherits what is blocked, so nothing is.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    else:
        # Blocked and waited for, not handled: a handler that sets an event can meet the lock of that event held.
        # It comes before the first thread, since threads inherit it.
        signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    with Emulator(validate=False if options.no_validation else None) as emulator:
        summary = _summary(emulator, options)
        if options.ready_file:
            _write_whole(options.ready_file, json.dumps(summary, indent=2))
        _print(summary)
        if not options.run:
            signal.sigwait(ends)
            return 0
        code = subprocess.run(options.run, check=False).returncode
        for entry in emulator.violations:
            print(f"This request breaks the published API: {json.dumps(entry)}")
        return code or int(bool(emulator.violations))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python3 -m tests.entra_emulator", description=__doc__)
    parser.add_argument("--ready-file", type=Path, metavar="PATH", help="write the addresses as JSON when ready")
    parser.add_argument("--no-seed", action="store_true", help="start without a tenant")
    parser.add_argument("--no-validation", action="store_true", help="do not check the traffic")
    parser.add_argument("--run", nargs=argparse.REMAINDER, metavar="COMMAND", help="run this, and end with it")
    return parser.parse_args()


def _summary(emulator: Emulator, options: argparse.Namespace) -> dict[str, t.Any]:
    summary: dict[str, t.Any] = describe(emulator)
    environment = {
        "AZURE_AUTHORITY_HOST": emulator.login_url,
        "MSGRAPH_URL": emulator.graph_url,
        "REQUESTS_CA_BUNDLE": emulator.ca_path,
    }
    if not options.no_seed:
        tenant, app = seed(emulator)
        summary.update(tenant_id=tenant.id, client_id=app.client_id, secret=app.secret)
        environment.update(AZURE_TENANT=tenant.id, AZURE_CLIENT_ID=app.client_id, AZURE_SECRET=app.secret or "")
    return {**summary, "env": environment}


def _write_whole(path: Path, text: str) -> None:
    """Whoever waits for the file must never see half of it. It holds a secret, though a worthless one."""
    part = path.with_name(f"{path.name}.part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)


def _print(summary: t.Mapping[str, t.Any]) -> None:
    for name, value in summary["env"].items():
        print(f"export {name}={shlex.quote(value)}")
    print(f"# control plane: {summary['control_url']}/")
    print("# Ctrl-C ends it", flush=True)


if __name__ == "__main__":
    sys.exit(main())

"""The command line of dev.py."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys

from . import bench as _bench
from . import demo as _demo
from . import machine
from .console import Console, Count, StopError
from .machine import ROOT
from .parts import ON_REQUEST, PARTS
from .workspace import Workspace

_FIXES = (("check", "--fix", "--no-cache"), ("format", "--no-cache"))


def main() -> int:
    """Do what the command line asks for. Gives the exit code."""
    arguments = _parser().parse_args()
    # Leave in an orderly way: what was started is ended too.
    signal.signal(signal.SIGTERM, lambda *dummy: sys.exit(143))
    try:
        machine.check_needs()
        cache, remark = machine.cache_directory()
    except StopError as exc:
        print(exc)
        return 2
    console = Console(cache / "logs", verbose=arguments.verbose)
    if remark:
        console.say(remark)
    with machine.only_one(cache, console.say):
        space = Workspace(cache, console)
        try:
            space.prepare()
            code: int = arguments.run(space, arguments)
        except StopError as exc:
            console.say(str(exc))
            return 2
        except KeyboardInterrupt:
            console.say("Stopped.")
            return 130
        return code


def demo(space: Workspace, arguments: argparse.Namespace) -> int:
    """Show the main job against a local tenant, under a minute after the first set-up."""
    return 0 if _demo.demo(space, space.console.say) else 1


def test(space: Workspace, arguments: argparse.Namespace) -> int:
    """Run the parts that were named, in their own order, or all that are not left for later."""
    for name, part in PARTS.items():
        if name not in (arguments.parts or set(PARTS) - set(ON_REQUEST)):
            continue
        space.console.heading(name)
        try:
            part(space)
        except StopError as exc:
            space.console.say(str(exc))
            space.console.count("set-up", Count(0, 1))
    return space.console.summary()


def bench(space: Workspace, arguments: argparse.Namespace) -> int:
    """Measure risky_user against other ways, and write docs/benchmark.md and its plot."""
    if arguments.quick:
        return _bench.bench(space, "--quick", report=space.cache / "bench")
    return _bench.bench(space, *(f"--{name}" for name in ("startup", "render") if getattr(arguments, name)))


def fix(space: Workspace, arguments: argparse.Namespace) -> int:
    """Format the Python files of the checkout, and repair what the linter can repair."""
    ruff = space.development().tool("ruff")
    codes = [subprocess.run([*ruff, *words], cwd=ROOT, check=False).returncode for words in _FIXES]
    return max(codes)


def shell(space: Workspace, arguments: argparse.Namespace) -> int:
    """A shell where all tools are at hand, in the copy of the collection."""
    venv = space.development()
    space.console.say(f"This is a copy of the checkout: edit there, not here. Leave with exit.\n{space.tree}")
    command = os.environ.get("SHELL") or "/bin/sh"
    return subprocess.run([command], cwd=space.tree, env=space.environment(venv), check=False).returncode


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="dev.py", description="Works on the collection identityops.entra_risk.")
    parser.add_argument("--verbose", action="store_true", help="show the output of every command while it runs")
    commands = parser.add_subparsers(required=True, metavar="command")
    for run, text in (
        (demo, "show the main job against a local tenant"),
        (test, "check the collection"),
        (bench, "measure risky_user against other ways"),
        (fix, "format the Python files of the checkout"),
        (shell, "open a shell with all tools, in a copy of the collection"),
    ):
        command = commands.add_parser(run.__name__, help=text, description=run.__doc__)
        command.set_defaults(run=run)
        command.add_argument("--verbose", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
        if run is test:
            command.add_argument("parts", nargs="*", choices=[*PARTS, []], metavar="part", help=", ".join(PARTS))
        if run is bench:
            which = command.add_mutually_exclusive_group()
            which.add_argument("--quick", action="store_true", help="small numbers; leaves docs alone")
            which.add_argument("--startup", action="store_true", help="measure only the start-up again")
            which.add_argument("--render", action="store_true", help="write docs anew from the last measurements")
    return parser

"""Measures, checks the counts, and writes the report. `python3 dev.py bench` calls it with all that it needs."""

from __future__ import annotations

import argparse
import concurrent.futures
import contextlib
import dataclasses
import os
import signal
import sys
import tempfile
import time
import typing as t
from pathlib import Path

from tests.dev import tenant

from . import plot, refusal, report, startup, storage, surroundings, together
from .cases import FULL, LANES, METHODS, QUICK, Case
from .runner import Bench, Result
from .targets import Measurements, targets

_ROOT = Path(__file__).resolve().parents[1]
# Rounds of the start-up: its differences are tenths of a second, which anything else on the machine disturbs.
_ROUNDS = 9


def main() -> int:
    """Do what the command line asks for. The exit code tells whether all counts are right."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small numbers, in a minute or two")
    parser.add_argument("--render", action="store_true", help="make the report again from the last measurements")
    parser.add_argument("--startup", action="store_true", help="measure only the start-up again, and report anew")
    parser.add_argument("--scratch", type=Path, required=True, help="directory for measurements and logs")
    parser.add_argument("--report", type=Path, required=True, help="directory for benchmark.md and benchmark.svg")
    arguments = parser.parse_args()
    # Leave in an orderly way: the local tenant is ended too.
    signal.signal(signal.SIGTERM, lambda *dummy: sys.exit(143))
    for directory in (arguments.scratch, arguments.report):
        directory.mkdir(parents=True, exist_ok=True)
    # The quick ones must not take the place of those that the report shows.
    kept = arguments.scratch / ("quick.json" if arguments.quick else "measurements.json")
    if arguments.startup:
        storage.save(_measure_startup(arguments.scratch, storage.load(kept)), kept)
    elif not arguments.render:
        storage.save(_measure(arguments.scratch, quick=arguments.quick), kept)
    measurements = storage.load(kept)
    (arguments.report / "benchmark.md").write_text(report.render(measurements), encoding="utf-8")
    plot.draw(measurements.results, arguments.report / "benchmark.svg")
    return _check(measurements)


@contextlib.contextmanager
def _bench(scratch: Path) -> t.Iterator[Bench]:
    env = dict(os.environ)
    log = scratch / "tenant.log"
    words = ("--no-seed", "--no-validation")
    with tenant.running(Path(sys.executable), _ROOT, env, log, *words) as facts, tempfile.TemporaryDirectory() as files:
        yield Bench(facts, env, Path(files))


def _measure_startup(scratch: Path, last: Measurements) -> Measurements:
    with _bench(scratch) as bench:
        return dataclasses.replace(last, startup=startup.measure(bench, _ROUNDS, _say))


def _measure(scratch: Path, *, quick: bool) -> Measurements:
    with _bench(scratch) as bench:
        # Start-up first, while the machine is as cool as it will be for the others.
        starts = startup.measure(bench, 1 if quick else _ROUNDS, _say)
        _say(f"{refusal.USERS} users, one refused")
        refused = refusal.measure(bench)
        results = _run_cases(bench, QUICK if quick else FULL)
        _say(f"{together.PROCESSES} processes at one limit")
        many = together.measure(bench, 60 if quick else 600)
        return Measurements(surroundings.describe(), results, refused, many, starts)


def _run_cases(bench: Bench, cases: t.Sequence[Case]) -> list[Result]:
    """One after the other without the limit, then in lanes with it."""
    results: list[Result] = []

    def work(some: t.Iterable[Case]) -> None:
        for case in some:
            result = bench.measure(case)
            results.append(result)
            _say(
                f"{len(results)} of {len(cases)}: {METHODS[case.method].label}, {case.users:,} users, "
                f"limit {'on' if case.limited else 'off'}: "
                f"{result.first.seconds:.1f} s, then {result.second.seconds:.1f} s"
            )

    work(case for case in cases if not case.limited)
    lanes = [[case for case in cases if case.limited and case.method in lane] for lane in LANES]
    with concurrent.futures.ThreadPoolExecutor(len(lanes)) as pool:
        for dummy in pool.map(work, lanes):
            pass
    return results


def _check(measurements: Measurements) -> int:
    """Say which targets are missed. Fails for wrong counts only: seconds depend on the machine."""
    wrong = [
        f"{METHODS[result.case.method].label}, {result.case.users} users: {result.first.users_changed} changed"
        for result in measurements.results
        if result.first.users_changed != result.case.users
    ]
    good = len(measurements.results) - len(wrong)
    for target in targets(measurements):
        if target.reached:
            good += 1
            continue
        text = f"{target.case}: {target.measured}, wanted: {target.wanted}"
        if target.counted:
            wrong.append(text)
        else:
            _say(f"missed: {text}")
    for text in wrong:
        _say(f"WRONG: {text}")
    _say(f"{good} right, {len(wrong)} wrong")
    return int(bool(wrong))


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())

"""Measures, checks the counts, and writes the report. `python3 dev.py bench` calls it with all that it needs."""

from __future__ import annotations

import argparse
import concurrent.futures
import dataclasses
import json
import sys
import tempfile
import time
import typing as t
from pathlib import Path

from . import plot, report, startup
from .cases import FULL, LANES, METHODS, QUICK, Case
from .report import Measurements
from .runner import Bench, Result

# Rounds of the start-up: its differences are tenths of a second, which anything else on the machine disturbs.
_ROUNDS = 9


def main() -> int:
    """Do what the command line says. The exit code tells whether all counts are right."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small numbers, in a minute or two")
    parser.add_argument("--render", action="store_true", help="write the report again from the last measurements")
    parser.add_argument("--startup", action="store_true", help="measure only the start-up again, and write the report")
    parser.add_argument("--tenant", type=Path, required=True, help="what the local tenant says about itself, as JSON")
    parser.add_argument("--scratch", type=Path, required=True, help="directory for measurements and logs")
    parser.add_argument("--report", type=Path, required=True, help="directory for benchmark.md and benchmark.svg")
    arguments = parser.parse_args()
    for directory in (arguments.scratch, arguments.report):
        directory.mkdir(parents=True, exist_ok=True)
    # The quick ones must not take the place of those that the report shows.
    kept = arguments.scratch / ("quick.json" if arguments.quick else "measurements.json")
    if not arguments.render:
        control_url = json.loads(arguments.tenant.read_text(encoding="utf-8"))["control_url"]
        with tempfile.TemporaryDirectory() as files:
            bench = Bench(control_url, Path(files))
            if arguments.startup:
                again = startup.measure(bench, _ROUNDS, _say)
                dataclasses.replace(Measurements.load(kept), startup=again).save(kept)
            else:
                _measure(bench, quick=arguments.quick).save(kept)
    measurements = Measurements.load(kept)
    (arguments.report / "benchmark.md").write_text(report.render(measurements), encoding="utf-8")
    plot.draw(measurements.results, arguments.report / "benchmark.svg")
    return _check(measurements)


def _measure(bench: Bench, *, quick: bool) -> Measurements:
    # Start-up first, while the machine is as cool as it will be for the others.
    costs = startup.measure(bench, 1 if quick else _ROUNDS, _say)
    return Measurements(report.machine(), _run_cases(bench, QUICK if quick else FULL), costs)


def _run_cases(bench: Bench, cases: t.Sequence[Case]) -> list[Result]:
    """One after the other without the limit, then in lanes with it."""
    results: list[Result] = []

    def work(some: t.Iterable[Case]) -> None:
        for case in some:
            result = bench.measure(case)
            results.append(result)
            seconds = f"{result.first.seconds:.1f} s, then {result.second.seconds:.1f} s"
            _say(f"{len(results)} of {len(cases)}: {_label(case)}: {seconds}")

    work(case for case in cases if not case.limited)
    lanes = [[case for case in cases if case.limited and case.method in lane] for lane in LANES]
    with concurrent.futures.ThreadPoolExecutor(len(lanes)) as pool:
        list(pool.map(work, lanes))
    return results


def _check(measurements: Measurements) -> int:
    """Say which targets are missed. Fails for wrong counts only: seconds depend on the machine."""
    wrong = [
        f"{_label(result.case)}: {result.first.users_changed} changed"
        for result in measurements.results
        if result.first.users_changed != result.case.users
    ]
    good = len(measurements.results) - len(wrong)
    for target in measurements.targets:
        text = f"{target.case}: {target.measured}, wanted: {target.wanted}"
        if target.met:
            good += 1
        elif target.counted:
            wrong.append(text)
        else:
            _say(f"missed: {text}")
    for text in wrong:
        _say(f"WRONG: {text}")
    print(f"{good} passed, {len(wrong)} failed")
    return int(bool(wrong))


def _label(case: Case) -> str:
    return f"{METHODS[case.method].label}, {case.users:,} users, limit {'on' if case.limited else 'off'}"


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())

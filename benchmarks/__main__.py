# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measures, checks the counts, and writes the report. `python3 dev.py bench` calls it with all that it needs."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from tests.dev import tenant

from . import plot, refusal, report, startup, storage, surroundings, together
from .cases import FULL, METHODS, QUICK
from .runner import Bench, Result
from .targets import Measurements, targets

_ROOT = Path(__file__).resolve().parents[1]
_MEASUREMENTS = "measurements.json"


def main() -> int:
    """Do what the command line asks for. The exit code tells whether all counts are right."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small numbers, in a minute or two")
    parser.add_argument("--render", action="store_true", help="make the report again from the last measurements")
    parser.add_argument("--scratch", type=Path, required=True, help="directory for measurements and logs")
    parser.add_argument("--report", type=Path, required=True, help="directory for benchmark.md and benchmark.svg")
    arguments = parser.parse_args()
    for directory in (arguments.scratch, arguments.report):
        directory.mkdir(parents=True, exist_ok=True)
    kept = arguments.scratch / _MEASUREMENTS
    if not arguments.render:
        storage.save(_measure(arguments.scratch, quick=arguments.quick), kept)
    measurements = storage.load(kept)
    (arguments.report / "benchmark.md").write_text(report.render(measurements), encoding="utf-8")
    plot.draw(measurements.results, arguments.report / "benchmark.svg")
    return _check(measurements)


def _measure(scratch: Path, *, quick: bool) -> Measurements:
    env = dict(os.environ)
    results: list[Result] = []
    log = scratch / "tenant.log"
    words = ("--no-seed", "--no-validation")
    with tenant.running(Path(sys.executable), _ROOT, env, log, *words) as facts, tempfile.TemporaryDirectory() as files:
        bench = Bench(facts, env, Path(files))
        # Start-up first, while the machine is as cool as it will be for the others.
        starts = startup.measure(bench, 1 if quick else 7, _say)
        _say(f"{refusal.USERS} users, one refused")
        refused = refusal.measure(bench)
        cases = QUICK if quick else FULL
        for number, case in enumerate(cases, 1):
            result = bench.measure(case)
            results.append(result)
            limit = "limit on" if case.limited else "limit off"
            _say(
                f"{number} of {len(cases)}: {METHODS[case.method].label}, {case.users:,} users, {limit}: "
                f"{result.first.seconds:.1f} s, then {result.second.seconds:.1f} s"
            )
        _say(f"{together.PROCESSES} processes at one limit")
        return Measurements(
            surroundings.describe(), results, refused, together.measure(bench, 60 if quick else 600), starts
        )


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

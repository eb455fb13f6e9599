"""How many checks a tool made, read from what it wrote. A tool that skipped its work made none."""

from __future__ import annotations

import dataclasses
import re
import typing as t
import xml.etree.ElementTree
from pathlib import Path

from .console import Count, Counter

BRANCHES_WANTED = 95.0
# What ansible-test says, and then ends as if all were well.
_LEFT_OUT = re.compile(
    r"All targets skipped|Skipping sanity test .* (?:due to missing .*|because it could not be found)"
)


def junit(*directories: Path) -> Counter:
    """Counts the test cases in the JUnit files that lie in these directories."""

    def counter(code: int, output: str) -> Count:
        cases = [case for path in _reports(directories) for case in _parse(path).iter("testcase")]
        failed = sum(1 for case in cases if case.find("failure") is not None or case.find("error") is not None)
        skipped = sum(1 for case in cases if case.find("skipped") is not None)
        return Count(len(cases) - failed - skipped, failed, f"{skipped} skipped" if skipped else "")

    return counter


def targets(reports: Path) -> Counter:
    """Counts the tasks of `ansible-test integration`.

    Its report calls some tasks failed that were meant to fail and were ignored, on ansible-core 2.16 at least. The exit
    code knows better.
    """
    count_cases = junit(reports)

    def counter(code: int, output: str) -> Count:
        count = count_cases(code, output)
        if code == 0:
            return dataclasses.replace(count, passed=count.passed + count.failed, failed=0)
        return count

    return counter


def sanity(reports: Path) -> Counter:
    """Counts the tests of `ansible-test sanity --junit`, and fails when one was left out because something is missing.

    Tests that have no file to look at (there is no PowerShell here) are skipped rightly.
    """
    count_cases = junit(reports)

    def counter(code: int, output: str) -> Count:
        count = count_cases(code, output)
        missing = _LEFT_OUT.findall(output)
        if missing:
            return dataclasses.replace(count, failed=count.failed + len(missing), note="; ".join(missing))
        return dataclasses.replace(count, note="")

    return counter


def importer(code: int, output: str) -> Count:
    """One check: galaxy-importer took the archive and found nothing to say about it."""
    remarks = re.findall(r"^(?:ERROR|WARNING):? (.*)$", output, re.MULTILINE)
    good = code == 0 and "Importer processing completed successfully" in output and not remarks
    return Count(int(good), int(not good), "; ".join(remarks))


def branch_coverage(report: Path, plugins: Path) -> tuple[Count, str]:
    """One check: enough branches of the plugins are covered, and no plugin was left out of the report.

    Beside it, the least covered files as text. Documentation fragments have no code, and so are left out.
    """
    covered = total = 0
    lines = []
    seen = set()
    for entry in _parse(report).iter("class"):
        name = (entry.get("filename") or "").partition("plugins/")[2]
        path = plugins / name
        if not name or not path.is_file():
            continue
        seen.add(path)
        conditions = [line.get("condition-coverage", "") for line in entry.iter("line")]
        pairs = [
            (int(match[1]), int(match[2])) for text in conditions if (match := re.search(r"\((\d+)/(\d+)\)", text))
        ]
        missed = sum(1 for line in entry.iter("line") if line.get("hits") == "0")
        here, of = sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)
        covered, total = covered + here, total + of
        if here < of or missed:
            lines.append(f"      plugins/{name}: {here} of {of} branches, {missed} lines never run")
    unseen = [path for path in plugins.rglob("*.py") if path not in seen and path.parent.name != "doc_fragments"]
    lines += [f"      plugins/{path.relative_to(plugins)}: never imported" for path in unseen if path.stat().st_size]
    percent = 100.0 * covered / total if total else 0.0
    enough = percent >= BRANCHES_WANTED and not any("never imported" in line for line in lines)
    note = f"{percent:.1f} % of {total} branches, {BRANCHES_WANTED:.0f} % wanted"
    return Count(int(enough), int(not enough), note), "\n".join(sorted(lines))


def _reports(directories: t.Iterable[Path]) -> t.Iterator[Path]:
    for directory in directories:
        yield from sorted(directory.glob("*.xml"))


def _parse(path: Path) -> xml.etree.ElementTree.Element:
    return xml.etree.ElementTree.parse(path).getroot()

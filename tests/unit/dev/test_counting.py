"""A tool that skipped its work must not pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.identityops.entra_risk.tests.dev import counting
from ansible_collections.identityops.entra_risk.tests.dev.console import Console, Count

CASES = """\
<testsuites><testsuite>
  <testcase name="good"/>
  <testcase name="bad"><failure message="no"/></testcase>
  <testcase name="broken"><error message="no"/></testcase>
  <testcase name="left out"><skipped/></testcase>
</testsuite></testsuites>
"""
COVERAGE = """\
<coverage><packages><package><classes>
  <class filename="plugins/module_utils/_one.py"><lines>
    <line number="1" hits="1"/>
    <line number="2" hits="1" branch="true" condition-coverage="{percent}% ({covered}/20)"/>
  </lines></class>
  <class filename="tests/unit/test_one.py"><lines>
    <line number="1" hits="0" branch="true" condition-coverage="0% (0/100)"/>
  </lines></class>
</classes></package></packages></coverage>
"""


@pytest.fixture
def console(tmp_path: Path) -> Console:
    return Console(tmp_path, verbose=False)


def test_junit_counts_each_kind_of_result(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(CASES, encoding="utf-8")
    (tmp_path / "b.xml").write_text(CASES, encoding="utf-8")

    assert counting.junit(tmp_path)(1, "") == Count(2, 4, "2 skipped")


def test_a_task_that_was_meant_to_fail_is_no_failure_of_a_target(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(CASES, encoding="utf-8")

    assert counting.targets(tmp_path)(0, "") == Count(3, 0, "1 skipped")
    assert counting.targets(tmp_path)(1, "") == Count(1, 2, "1 skipped")


def test_junit_without_a_report_counts_nothing(tmp_path: Path) -> None:
    assert counting.junit(tmp_path)(0, "") == Count(0)


@pytest.mark.parametrize(
    "output",
    [
        "WARNING: All targets skipped.",
        'WARNING: Skipping sanity test "pylint" on Python 3.13 due to missing virtual environment support.',
        'WARNING: Skipping sanity test "import" on Python 3.9 because it could not be found.',
    ],
)
def test_sanity_fails_when_something_was_left_out(tmp_path: Path, output: str) -> None:
    (tmp_path / "a.xml").write_text('<testsuite><testcase name="good"/></testsuite>', encoding="utf-8")

    count = counting.sanity(tmp_path)(0, f"Running sanity test\n{output}\n")

    assert (count.passed, count.failed) == (1, 1)


def test_sanity_passes_over_tests_without_files(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(
        '<testsuite><testcase name="good"/><testcase name="shellcheck"><skipped/></testcase></testsuite>',
        encoding="utf-8",
    )

    assert counting.sanity(tmp_path)(0, 'Running sanity test "shellcheck"') == Count(1)


@pytest.mark.parametrize(("covered", "passed"), [(19, 1), (18, 0)])
def test_coverage_needs_95_percent_of_the_branches_in_plugins(tmp_path: Path, covered: int, passed: int) -> None:
    plugins = _plugins(tmp_path, "_one.py")
    report = tmp_path / "coverage.xml"
    report.write_text(COVERAGE.format(covered=covered, percent=covered * 5), encoding="utf-8")

    count, details = counting.branch_coverage(report, plugins)

    assert (count.passed, count.failed) == (passed, 1 - passed)
    assert f"plugins/module_utils/_one.py: {covered} of 20 branches" in details


def test_coverage_fails_when_a_plugin_was_never_imported(tmp_path: Path) -> None:
    plugins = _plugins(tmp_path, "_one.py", "_two.py")
    report = tmp_path / "coverage.xml"
    report.write_text(COVERAGE.format(covered=20, percent=100), encoding="utf-8")

    count, details = counting.branch_coverage(report, plugins)

    assert count.failed == 1
    assert "plugins/module_utils/_two.py: never imported" in details


@pytest.mark.parametrize(
    ("output", "passed"),
    [
        ("Importer processing completed successfully\n", 1),
        ("WARNING: something\nImporter processing completed successfully\n", 0),
        ("", 0),
    ],
)
def test_importer_must_end_without_a_remark(output: str, passed: int) -> None:
    count = counting.importer(0, output)

    assert (count.passed, count.failed) == (passed, 1 - passed)


def test_a_check_that_checked_nothing_has_failed(console: Console, capsys: pytest.CaptureFixture[str]) -> None:
    assert not console.count("nothing", Count(0))

    assert console.summary() == 1
    assert capsys.readouterr().out.splitlines()[-1] == "0 passed, 1 failed"


def test_the_last_line_is_the_score(console: Console, capsys: pytest.CaptureFixture[str]) -> None:
    console.heading("part")
    console.leave_out("something")
    console.count("good", Count(3))

    assert console.summary() == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2:] == ["left out: part: something", "3 passed, 0 failed"]


def test_a_run_without_any_check_has_failed(console: Console) -> None:
    assert console.summary() == 1


@pytest.mark.parametrize(("command", "passed"), [("exit 0", True), ("echo why; exit 3", False)])
def test_a_step_shows_the_output_of_a_failure(
    console: Console, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, passed: bool
) -> None:
    assert console.step("command", ["/bin/sh", "-c", command], cwd=tmp_path, env={}) is passed

    assert ("why" in capsys.readouterr().out) is not passed


def _plugins(base: Path, *names: str) -> Path:
    directory = base / "plugins" / "module_utils"
    directory.mkdir(parents=True)
    for name in names:
        (directory / name).write_text("pass\n", encoding="utf-8")
    fragments = base / "plugins" / "doc_fragments"
    fragments.mkdir()
    (fragments / "words.py").write_text("pass\n", encoding="utf-8")
    return base / "plugins"

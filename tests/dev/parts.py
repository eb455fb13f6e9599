"""The parts of `dev.py test`."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import shutil
import tarfile
import time
import typing as t
from pathlib import Path

from . import bench, counting, demo, machine, tenant
from .console import Command, Count, Counter, StopError, one_check
from .workspace import Venv, Workspace

AWX = ("-r", "tests/awx/requirements.txt")
BROWSER = ("-r", "tests/browser/requirements.txt")
EXAMPLES = ("-r", "tests/examples/requirements.txt")
SDK = ("-r", "tests/sdk/requirements.txt")
IMPORTER = ("galaxy-importer",)


@dataclasses.dataclass(frozen=True)
class Core:
    """A version of ansible-core for the matrix.

    :param series: what its releases begin with; empty for the newest of all.
    :param pythons: the Pythons that it runs on, best first.
    """

    name: str
    series: str
    pythons: tuple[str, ...]


CORES = (
    Core("oldest", "2.16.", ("3.10", "3.11", "3.12")),
    Core("middle", "2.19.", ("3.11", "3.12", "3.13")),
    Core("newest", "", ("3.14", "3.13", "3.12")),
)


def units(space: Workspace) -> None:
    """The unit tests, and how much of the plugins they run."""
    venv = space.development()
    if not ansible_test(space, venv, "unit tests", "units", "--python", venv.version, "--coverage"):
        return
    # One file for each test. `ansible-test coverage` takes four minutes for them, which coverage itself does in one.
    output = space.tree / "tests" / "output"
    data = f"--data-file={output / 'coverage.all'}"
    files = sorted((output / "coverage").glob("units=*"))
    tool(space, venv, "combine coverage", *venv.tool("coverage", "combine", "--quiet", data), *files, counter=None)
    report = output / "coverage.xml"
    words = ("--quiet", data, "--include=plugins/*", "-o", str(report))
    tool(space, venv, "report coverage", *venv.tool("coverage", "xml", *words), counter=None)
    count, details = counting.branch_coverage(report, space.tree / "plugins")
    if details:
        space.console.say(details)
    space.console.count("branch coverage", count)


def sanity(space: Workspace) -> None:
    """The sanity tests of ansible-core, with the Python that runs this."""
    venv = space.development()
    ansible_test(space, venv, "sanity", "sanity", "--python", venv.version, "--junit")


def lint(space: Workspace) -> None:
    """Style, types, YAML, changelog, licenses."""
    venv = space.development()
    checks: dict[str, tuple[str, ...]] = {
        "ruff check": ("ruff", "check"),
        "ruff format": ("ruff", "format", "--diff"),
        "mypy tests": ("mypy", "dev.py", "tests/dev", "tests/entra_emulator", "benchmarks"),
        "yamllint": ("yamllint", "--strict", "."),
        "ansible-lint": ("ansible-lint", "--offline", "--profile", "production", "--strict"),
        "antsibull-changelog": ("antsibull-changelog", "lint"),
        "reuse": ("reuse", "lint", "--lines"),
    }
    for name, command in checks.items():
        tool(space, venv, name, *venv.tool(*command))
    # From above, where the imports of the modules can be followed.
    plugins = venv.tool("mypy", "--config-file", str(space.tree / ".mypy.ini"), str(space.tree / "plugins"))
    space.console.step("mypy plugins", plugins, cwd=space.collections, env=space.environment(venv))


def docs(space: Workspace) -> None:
    """What people read, and the archive that they install."""
    venv = space.development()
    lint = ("--plugin-docs", "--validate-collection-refs", "self", "--disallow-unknown-collection-refs", ".")
    tool(space, venv, "antsibull-docs", *venv.tool("antsibull-docs", "lint-collection-docs", *lint))
    for module in sorted((space.tree / "plugins" / "modules").glob("*.py")):
        name = f"identityops.entra_risk.{module.stem}"
        tool(space, venv, f"ansible-doc {module.stem}", *venv.tool("ansible-doc", "--type", "module", name))
    archive = _build(space, venv)
    if archive is None:
        return
    importer = space.venv("importer", IMPORTER)
    command: Command = [importer.python, "-m", "galaxy_importer.main", archive]
    space.console.step(
        "galaxy-importer", command, cwd=archive.parent, env=space.environment(importer), counter=counting.importer
    )


def _build(space: Workspace, venv: Venv) -> Path | None:
    """Build the archive, and look for what does not belong into it."""
    target = space.cache / "build"
    shutil.rmtree(target, ignore_errors=True)
    command = venv.tool("ansible-galaxy", "collection", "build", "--output-path", str(target))
    if not tool(space, venv, "build", *command):
        return None
    (archive,) = target.glob("*.tar.gz")
    with tarfile.open(archive) as content:
        names = content.getnames()
    foreign = [name for name in names if name.startswith((".", "dev.py", "tests/dev", "tests/entra_emulator"))]
    missing = [name for name in ("MANIFEST.json", "README.md", "meta/runtime.yml") if name not in names]
    complaints = [f"{name} does not belong" for name in foreign] + [f"{name} is missing" for name in missing]
    note = ", ".join([f"{len(names)} entries", *complaints])
    space.console.count("content of the archive", Count(int(not complaints), int(bool(complaints)), note))
    return archive


def emulator(space: Workspace) -> None:
    """The local tenant's own tests."""
    _pytest(space, space.development(), "tests/emulator")


def awx(space: Workspace) -> None:
    """The playbooks and the credentials as AWX uses them, and many tenants at once."""
    _pytest(space, space.venv("awx", AWX), "tests/awx", "tests/tenants")


def browser(space: Workspace) -> None:
    """The page that the playbook report_risk writes, in a real browser."""
    missing = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    if missing:
        space.console.leave_out(f"the report in a browser: {' and '.join(missing)} cannot be found")
        return
    _pytest(space, space.venv("browser", BROWSER), "tests/browser")


def examples(space: Workspace) -> None:
    """The files in docs/examples, against the collections that they use."""
    _pytest(space, space.venv("examples", EXAMPLES), "tests/examples")


def sdk(space: Workspace) -> None:
    """The local tenant, driven by Microsoft's own client."""
    _pytest(space, space.venv("sdk", SDK), "tests/sdk")


def _pytest(space: Workspace, venv: Venv, *directories: str) -> None:
    report = space.tree / "tests" / "output" / "pytest" / "report.xml"
    report.unlink(missing_ok=True)
    command: Command = [venv.python, "-m", "pytest", "-p", "no:cacheprovider", f"--junitxml={report}", *directories]
    tool(space, venv, "pytest", *command, counter=counting.junit(report.parent))


def integration(space: Workspace) -> None:
    """The integration targets, against a local tenant."""
    venv = space.development()
    with _tenant(space) as settle:
        ansible_test(space, venv, "integration targets", "integration", "--python", venv.version)
        settle()
    _demo(space)


def _demo(space: Workspace) -> None:
    """What the demo claims is true."""
    start = time.monotonic()
    text: list[str] = []
    try:
        count = Count(demo.demo(space, text.append))
    except StopError as exc:
        space.console.say("\n".join([*text, str(exc)]))
        count = Count(0, 1)
    space.console.count("claims of the demo", count, time.monotonic() - start)


@contextlib.contextmanager
def _tenant(space: Workspace) -> t.Iterator[t.Callable[[], None]]:
    """A local tenant whose addresses the integration targets find in their variables.

    Gives a function that counts one more check: every request was one that the published API allows.
    """
    venv = space.development()
    log = space.cache / "logs" / "tenant.log"
    with tenant.running(venv.python, space.tree, space.environment(venv), log, "--no-seed") as facts:
        # JSON is YAML.
        settings = space.tree / "tests" / "integration" / "integration_config.yml"
        settings.write_text(json.dumps(facts, indent=2), encoding="utf-8")

        def settle() -> None:
            violations = tenant.ask(facts, "/violations")
            for violation in violations:
                space.console.say(f"      {violation}")
            space.console.count("requests as the API wants them", Count(int(not violations), len(violations)))

        yield settle


def matrix(space: Workspace) -> None:
    """Sanity, units and integration on other versions of ansible-core. Then compile and import on all other Pythons."""
    there = machine.interpreters()
    development = space.development()
    last = development
    with _tenant(space) as settle:
        for core in CORES:
            versions = [version for version in core.pythons if version in there]
            if not versions:
                space.console.leave_out(f"the {core.name} ansible-core: it needs Python {' or '.join(core.pythons)}")
                continue
            release = development.release("ansible-core")
            if release.startswith(core.series) if core.series else development.version == versions[0]:
                space.console.say(f"   ansible-core {release}: nothing to do, the other parts run on it")
                continue
            requirement = f"ansible-core=={core.series}*" if core.series else "ansible-core"
            venv = space.venv(core.name, (requirement, "-r", "tests/unit/requirements.txt"), version=versions[0])
            last = venv
            title = f"ansible-core {venv.release('ansible-core')}, Python {venv.version}:"
            ansible_test(space, venv, f"{title} sanity", "sanity", "--python", venv.version, "--junit")
            ansible_test(space, venv, f"{title} units", "units", "--python", venv.version)
            ansible_test(space, venv, f"{title} integration", "integration", "--python", venv.version)
        settle()
    for version in machine.WANTED:
        if version not in there:
            space.console.leave_out(f"Python {version}: not on this machine")
        elif version != last.version:
            words = ("--test", "compile", "--test", "import", "--python", version, "--junit")
            ansible_test(space, last, f"compile and import, Python {version}", "sanity", *words)


PARTS: dict[str, t.Callable[[Workspace], None]] = {
    "lint": lint,
    "units": units,
    "sanity": sanity,
    "docs": docs,
    "emulator": emulator,
    "integration": integration,
    "browser": browser,
    "awx": awx,
    "examples": examples,
    "sdk": sdk,
    "bench": bench.smoke,
    "matrix": matrix,
}
# Left out unless they are asked for: they take longer and install more.
ON_REQUEST = ("examples", "sdk", "bench", "matrix")


def ansible_test(space: Workspace, venv: Venv, name: str, *words: str) -> bool:
    """Run `ansible-test` in the copy of the collection, and count its reports."""
    reports = space.tree / "tests" / "output" / "junit"
    for old in reports.glob("*.xml"):
        old.unlink()
    counters: dict[str, t.Callable[[Path], Counter]] = {
        "sanity": counting.sanity,
        "integration": counting.targets,
        "units": counting.junit,
    }
    counter = counters[words[0]](reports)
    return tool(space, venv, name, *venv.tool("ansible-test", *words, "--color", "no"), counter=counter)


def tool(space: Workspace, venv: Venv, name: str, *command: str | Path, counter: Counter | None = one_check) -> bool:
    """Run a tool in the copy of the collection."""
    return space.console.step(name, command, cwd=space.tree, env=space.environment(venv), counter=counter)

"""What `python3 dev.py test` runs. Each session has an environment, a home and a copy of the collection of its own.

Two lanes take the sessions in the order of this file, so what takes longest comes first.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import time
import typing as t
import xml.etree.ElementTree
from pathlib import Path

import nox
from nox.command import CommandFailed

ROOT = Path(__file__).resolve().parent
CACHE = Path(os.environ.get("ENTRA_RISK_CACHE", ROOT / ".cache"))
nox.needs_version = ">=2026.10"
nox.options.allow_parallel = True
nox.options.default_venv_backend = "uv|venv"
nox.options.envdir = CACHE / "envs"
nox.options.parallel = 2
nox.options.reuse_venv = "yes"

BRANCHES_WANTED = 97.0
PYTHONS = [f"3.{minor}" for minor in range(9, 15)]
EMULATOR = ("-r", "tests/entra_emulator/requirements.txt")
RUNTIME = ("ansible-core", "-r", "meta/ee-requirements.txt")
UNITS = ("-r", "tests/unit/requirements.txt", *EMULATOR, "pytest-cov", "pytest-xdist")
FUNCTIONAL = ("-r", "tests/functional/requirements.txt")
COVER = ("-n", "2", "--cov", "--cov-config=tests/coverage.ini", "--cov-report=")
# What tools see of the person's environment, and what pip sees. Everything else (credentials, proxies, settings of
# Ansible) stays out, so that a result here is the same result everywhere.
TOOLS_SEE = re.compile(r"(CI|LD_LIBRARY_PATH|TERM|TMPDIR)$")
PIP_SEES = re.compile(r"(PIP|UV)_|HOME$|PATH$|\w+_PROXY$|\w+_CA_BUNDLE$|SSL_CERT", re.I)
# What ansible-test says when it leaves something out, and then ends as if all were well.
SKIPS = r"All targets skipped|Skipping sanity test .* (?:due to missing .*|because it could not be found)"
# ansible-test fetches get-pip.py from a server of its own whenever it makes an environment. Found in its cache, this
# makes a pip that hands over to the installer of this run. It only installs; what else is asked of it is not needed.
GET_PIP = """\
import pathlib, sysconfig
target = pathlib.Path(sysconfig.get_path("purelib"), "pip")
target.mkdir()
target.joinpath("__main__.py").write_text('''\
import os, sys
words = [word for word in sys.argv[1:] if word != "--disable-pip-version-check"]
command = [word.format(sys.executable) for word in {command!r}]
if words.pop(0) == "install":
    os.execve(command[0], command + words, {env!r})
''')
"""


def find_interpreters() -> list[str]:
    """The versions of Python that work here, oldest first; tools find them too. Some builds lack what is needed."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")).glob("versions/3.*/bin")
    # Before the shims of pyenv, which are there for every version and fail for most.
    places = [str(Path(sys.executable).parent), f"{sys.base_prefix}/bin", *map(str, pyenv), os.environ["PATH"]]
    os.environ["PATH"] = os.pathsep.join(places)
    probe = '"python$0" -c "import ensurepip, ssl, venv"'
    results = [subprocess.run(["sh", "-c", probe, name], capture_output=True, check=False) for name in PYTHONS]
    return [version for version, result in zip(PYTHONS, results) if result.returncode == 0]


INTERPRETERS = find_interpreters()


class Workplace:
    """Where a session works, and the score of its checks."""

    def __init__(self, session: nox.Session) -> None:
        self.session = session
        self.score = [0, 0, 0]
        self.collections = CACHE / "trees" / session.env_dir.name
        self.tree = self.collections / "ansible_collections" / "identityops" / "entra_risk"
        self.reports = self.tree / "tests" / "output" / "junit"
        self.logs = CACHE / "logs" / session.env_dir.name
        self.env = {name: value for name, value in os.environ.items() if TOOLS_SEE.match(name)}
        self.env |= {
            "ANSIBLE_COLLECTIONS_PATH": str(self.collections),
            "COVERAGE_FILE": str(CACHE / "coverage" / session.env_dir.name),
            # ansible-lint runs there too, with more rules.
            "GALAXY_IMPORTER_RUN_ANSIBLE_LINT": "false",
            "HOME": str(CACHE / "homes" / session.env_dir.name),
            "LC_ALL": "C.UTF-8",
            "MYPY_CACHE_DIR": str(CACHE / "mypy"),
            "NO_COLOR": "1",
            "PATH": os.pathsep.join([session.bin, os.environ["PATH"]]),
            "PYTHONPATH": str(self.collections),
            "RUFF_CACHE_DIR": str(CACHE / "ruff"),
        }

    def prepare(self) -> None:
        """Copy what git knows or would add, into a fresh repository; make the home.

        ansible-test asks git for the files. Without a repository of its own, the copy would be files of the checkout
        that git ignores, and every test would be skipped.
        """
        seeds = Path(self.env["HOME"], ".ansible", "test", "cache")
        for directory in (seeds, self.logs, CACHE / "coverage", CACHE / "scores"):
            directory.mkdir(parents=True, exist_ok=True)
        # The settings of pip may hold the password of an index.
        Path(self.env["HOME"]).chmod(0o700)
        # The files may belong to somebody else, for example in a container.
        settings = "[safe]\n\tdirectory = *\n[init]\n\tdefaultBranch = main\n"
        Path(self.env["HOME"], ".gitconfig").write_text(settings, encoding="utf-8")
        words = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(words, env=self.env, check=True, stdout=subprocess.PIPE).stdout.decode().split("\0")
        shutil.rmtree(self.tree, ignore_errors=True)
        # A file may be deleted and not committed yet.
        for name in (name for name in names if (ROOT / name).is_file()):
            (self.tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, self.tree / name)
        subprocess.run(["git", "init", "--quiet", self.tree], env=self.env, check=True)
        # Compiled at once: a warning of the compiler during a test would fail the test.
        uv = (shutil.which("uv"), "pip", "install", "-q", "--compile-bytecode", "--python", "{}")
        pip = (sys.executable, "-m", "pip", "--python", "{}", "install", "-q")
        visible = {name: value for name, value in os.environ.items() if PIP_SEES.match(name)}
        script = GET_PIP.format(command=uv if self.session.venv_backend == "uv" else pip, env=visible)
        for source in self.session.env_dir.glob("lib/*/site-packages/ansible_test/_internal/python_requirements.py"):
            for version in re.findall(r"pip='([\d.]+)'", source.read_text(encoding="utf-8")):
                (seeds / f"get_pip_{version.replace('.', '_')}.py").write_text(script, encoding="utf-8")

    def run(self, *command: str | Path, stdout: t.IO[str] | None = None) -> None:
        """Run a tool in the copy.

        :raises CommandFailed: its exit code is not zero.
        """
        os.chdir(self.tree)
        self.session.run(*command, env=self.env, include_outer_env=False, external=True, log=False, stdout=stdout)

    def check(self, title: str, *command: str | Path, cases: bool = False, bad: str = SKIPS) -> None:
        """Run a tool and count; show its output when it failed.

        :param cases: count the cases in its JUnit reports; otherwise the tool as a whole is one check.
        :param bad: what its output must not hold.
        """
        shutil.rmtree(self.reports, ignore_errors=True)
        log, start, code = self.logs / f"{title}.log", time.monotonic(), 1
        with log.open("w", encoding="utf-8") as stream, contextlib.suppress(CommandFailed):
            self.run(*command, stdout=stream)
            code = 0
        output = log.read_text(encoding="utf-8", errors="replace")
        remarks = re.findall(bad, output, re.MULTILINE)
        trees = [xml.etree.ElementTree.parse(path) for path in self.reports.glob("*.xml")]
        found = [{part.tag for part in case} for tree in trees for case in tree.iter("testcase")]
        skipped = sum("skipped" in tags for tags in found)
        # A good exit code knows better: ansible-core 2.16 reports tasks as failed that were meant to fail.
        failed = sum(bool(tags & {"failure", "error"}) for tags in found) or 1 if code else len(remarks)
        passed = len(found) - skipped - failed * code if cases else 1 - code
        self.record(title, max(passed, 0), failed, skipped, "; ".join([f"{time.monotonic() - start:.0f} s", *remarks]))
        if failed:
            print(f"--- output of {title} ({log})\n{output.rstrip()}\n---", flush=True)

    def record(self, title: str, passed: int, failed: int, skipped: int = 0, note: str = "") -> None:
        """Add to the score, and say so. A check that checked nothing has failed."""
        if not passed + failed + skipped:
            failed, note = 1, f"nothing was checked; {note}"
        self.score = [old + new for old, new in zip(self.score, (passed, failed, skipped))]
        text = f"{passed} passed" + f", {failed} FAILED" * bool(failed) + f", {skipped} skipped" * bool(skipped)
        print(f"   {title}: {text} ({note})", flush=True)

    def pytest(self, *words: str) -> None:
        """Run pytest, with what the person gives on the command line."""
        report = f"--junitxml={self.reports / 'pytest.xml'}"
        self.check("pytest", "python", "-m", "pytest", report, *words, *self.session.posargs, cases=True)

    def ansible_test(self, *words: str, python: str = "", before: t.Sequence[str] = ()) -> None:
        """Run `ansible-test` for a version of Python: that of the session, if none is given."""
        python = python or str(self.session.python or "{}.{}".format(*sys.version_info))
        command = (*before, "ansible-test", *words, "--python", python, "--color", "no")
        self.check(f"ansible-test {words[0]} {python}", *command, cases=True)

    def integration(self, *targets: str) -> None:
        """The integration targets, against a local tenant; they find its addresses in their variables."""
        tenant = ("--no-seed", "--ready-file", "tests/integration/integration_config.yml", "--run")
        self.ansible_test("integration", *targets, before=("python", "-m", "tests.entra_emulator", *tenant))


@contextlib.contextmanager
def workplace(session: nox.Session, *requirements: str) -> t.Iterator[Workplace]:
    """Install, copy, check. At the end the score goes to dev.py, and the session fails when a check has failed."""
    place = Workplace(session)
    try:
        session.install(*requirements)
        place.prepare()
        yield place
    except (CommandFailed, OSError, subprocess.CalledProcessError) as exc:
        place.record("set-up", 0, 1, note=str(exc))
    (CACHE / "scores" / session.env_dir.name).write_text(json.dumps(place.score), encoding="utf-8")
    if place.score[1]:
        session.error(f"{place.score[1]} failed")


@nox.session
def integration(session: nox.Session) -> None:
    """Slim targets through ansible-playbook, against the local tenant; and what the demo claims."""
    with workplace(session, *RUNTIME, *EMULATOR) as place:
        place.integration(*session.posargs)
        place.check("claims of the demo", "python", "-m", "tests.demo")


def pytest_session(name: str, *requirements: str, run: t.Sequence[str], default: bool = True) -> None:
    """A session that is one run of pytest."""

    @nox.session(name=name, default=default)
    def session(session: nox.Session) -> None:
        with workplace(session, *requirements) as place:
            place.pytest(*run)


# The playbooks and the credentials as AWX uses them, and many tenants at once.
pytest_session("awx", "-r", "tests/awx/requirements.txt", run=["tests/awx", "tests/tenants"])
pytest_session("units", "ansible-core", *UNITS, run=[*COVER, "tests/unit"])
# Every module in-process, against the local tenant.
pytest_session("functional", "ansible-core", *UNITS, *FUNCTIONAL, run=[*COVER, "tests/functional"])


@nox.session
def lint(session: nox.Session) -> None:
    """Style, types, YAML, changelog, licenses, workflows."""
    with workplace(session, "-r", "requirements-dev.txt") as place:
        place.check("ruff check", "ruff", "check")
        place.check("ruff format", "ruff", "format", "--diff")
        ours = ("dev.py", "noxfile.py", "tests/demo.py", "tests/entra_emulator", "benchmarks", "docs/site")
        place.check("mypy tests", "mypy", *ours)
        # From above, where the imports of the modules can be followed.
        parts = " ".join(f'"$OLDPWD/{part}"' for part in ("plugins", "extensions", "tests/functional"))
        above = f'cd ../../.. && mypy --config-file "$OLDPWD/.mypy.ini" {parts}'
        place.check("mypy plugins", "sh", "-c", above)
        place.check("yamllint", "yamllint", "--strict", ".")
        place.check("ansible-lint", "ansible-lint", "--offline", "--profile", "production", "--strict")
        place.check("antsibull-changelog", "antsibull-changelog", "lint")
        place.check("reuse", "reuse", "lint", "--lines")
        workflows = sorted(place.tree.glob(".github/workflows/*.yml"))
        place.check("workflows", "check-jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows)


@nox.session
def sanity(session: nox.Session) -> None:
    """`ansible-test sanity`, without any ignored entry."""
    with workplace(session, "ansible-core") as place:
        place.ansible_test("sanity", "--junit")


# The local tenant: its own tests; and through the unmodified msgraph-sdk.
pytest_session("emulator", "-r", "tests/emulator/requirements.txt", run=["tests/emulator"])
pytest_session("sdk", "-r", "tests/sdk/requirements.txt", run=["tests/sdk"], default=False)
# Every file in docs/examples, against the collections that it uses.
pytest_session("examples", "-r", "tests/examples/requirements.txt", run=["tests/examples"], default=False)


@nox.session
def docs(session: nox.Session) -> None:
    """What people read, and the archive that they install."""
    with workplace(session, *RUNTIME, "antsibull-docs", "galaxy-importer", "sphinx-ansible-theme") as place:
        place.check("site", "python", "docs/site/build.py", CACHE / "site")
        print(f"   {CACHE / 'site' / 'build' / 'html' / 'index.html'}", flush=True)
        words = ("--plugin-docs", "--validate-collection-refs", "self", "--disallow-unknown-collection-refs", ".")
        place.check("antsibull-docs", "antsibull-docs", "lint-collection-docs", *words)
        modules = [f"identityops.entra_risk.{path.stem}" for path in sorted(place.tree.glob("plugins/modules/*.py"))]
        place.check("ansible-doc", "ansible-doc", "--type", "module", *modules)
        target = place.collections / "build"
        place.check("build", "ansible-galaxy", "collection", "build", "--force", "--output-path", target)
        (archive,) = target.glob("*.tar.gz")
        with tarfile.open(archive) as content:
            names = content.getnames()
        wrong = [name for name in names if re.match(r"\.|dev|noxfile|benchmarks|tests/(demo|entra_emulator)", name)]
        wrong += {"MANIFEST.json", "README.md", "meta/runtime.yml"} - set(names)
        place.record("content of the archive", int(not wrong), len(wrong), note=f"{len(names)} entries; wrong: {wrong}")
        place.check("galaxy-importer", "python", "-m", "galaxy_importer.main", archive, bad="^(?:ERROR|WARNING).*")


@nox.session
def browser(session: nox.Session) -> None:
    """The page of the playbook report_risk in Chromium."""
    with workplace(session, "-r", "tests/browser/requirements.txt") as place:
        if missing := [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]:
            place.record("pytest", 0, 0, 1, f"{' and '.join(missing)} cannot be found")
        else:
            place.pytest("tests/browser")


@nox.session(default=False)
def eda(session: nox.Session) -> None:
    """The rulebooks with ansible-rulebook, against the local tenant."""
    with workplace(session, "-r", "tests/eda/requirements.txt") as place:
        if shutil.which("java") is None:
            place.record("pytest", 0, 0, 1, "java cannot be found; ansible-rulebook needs version 17 or newer")
        else:
            place.pytest("tests/eda")


@nox.session(requires=["units", "functional"])
def coverage(session: nox.Session) -> None:
    """How much of the plugins the unit and functional tests run."""
    with workplace(session, "coverage") as place:
        data = [CACHE / "coverage" / name for name in ("units", "functional")]
        place.check("coverage combine", "coverage", "combine", "--keep", "--rcfile=tests/coverage.ini", *data)
        place.run("coverage", "report", "--rcfile=tests/coverage.ini", "--skip-covered", "--show-missing")
        place.run("coverage", "json", "--rcfile=tests/coverage.ini", "-o", "coverage.json", "-q")
        totals = json.loads(Path("coverage.json").read_text(encoding="utf-8"))["totals"]
        percent = 100 * totals["covered_branches"] / totals["num_branches"]
        note = f"{percent:.1f} % of {totals['num_branches']}, {BRANCHES_WANTED:.0f} % wanted"
        place.record("branches", int(percent >= BRANCHES_WANTED), int(percent < BRANCHES_WANTED), note=note)


@nox.session(default=False)
def ansible_units(session: nox.Session) -> None:
    """`ansible-test units`, the entry that contributors of collections know, for a few files or those that are named.

    It forks for each test, so all files would take ten times as long as by pytest.
    """
    with workplace(session, "ansible-core", *UNITS) as place:
        (wanted,) = session.env_dir.glob("lib/*/site-packages/ansible_test/_data/requirements/units.txt")
        session.install("-r", str(wanted))
        files = [str(path.relative_to(place.tree)) for path in place.tree.glob("tests/unit/**/test_[gh]*.py")]
        place.ansible_test("units", *(session.posargs or files))


def versions() -> t.Iterator[t.Any]:
    """Other versions of ansible-core, each with the best of the Pythons here; then all other Pythons."""
    cores = {"newest": ("ansible-core", "3.14 3.13 3.12"), "oldest": ("ansible-core~=2.16.0", "3.10 3.11 3.12")}
    for name, (core, pythons) in cores.items():
        for python in [python for python in pythons.split() if python in INTERPRETERS][:1]:
            yield nox.param(python, core, id=name)
    yield nox.param(INTERPRETERS[-1], "", id="pythons")
    if "ENTRA_RISK_ANSIBLE_CORE" in os.environ:
        yield nox.param(None, os.environ["ENTRA_RISK_ANSIBLE_CORE"], id="chosen")


@nox.session(default=False)
@nox.parametrize("python,core", list(versions()))
def matrix(session: nox.Session, core: str) -> None:
    """Sanity, units, functional and integration on other versions of ansible-core; compile and import everywhere."""
    with workplace(session, core or "ansible-core", *UNITS, *FUNCTIONAL) as place:
        if core:
            # Apart: what belongs to the controller changes how modules in the same process end.
            place.pytest("-n", "2", "--hypothesis-profile=large", "tests/unit")
            place.pytest("-n", "2", "tests/functional")
            place.ansible_test("sanity", "--junit")
            place.integration()
        for python in [] if core else PYTHONS:
            if python in INTERPRETERS:
                place.ansible_test("sanity", "--junit", "--test", "compile", "--test", "import", python=python)
            else:
                place.record(f"Python {python}", 0, 0, 1, "not on this machine")


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """The benchmark: all of it into docs by `dev.py bench`, the counts of small numbers by `dev.py test bench`."""
    with workplace(session, "-r", "benchmarks/requirements.txt") as place:
        words = [word for word in session.posargs or ["--quick"] if word != "--full"]
        report = CACHE / "bench" if "--quick" in words else ROOT / "docs"
        tenant = ("python", "-m", "tests.entra_emulator", "--no-seed", "--no-validation", "--ready-file", "tenant.json")
        places = ("--tenant", "tenant.json", "--scratch", str(CACHE / "bench"), "--report", str(report))
        command = (*tenant, "--run", "python", "-m", "benchmarks", *places, *words)
        if session.posargs:
            place.run(*command)
        else:
            place.check("counts", *command)


@nox.session(default=False)
def mutation(session: nox.Session) -> None:
    """How many small changes of the code that decides and writes the tests notice. It takes half an hour."""
    with workplace(session, "ansible-core", *UNITS, *FUNCTIONAL, "mutmut>=3.8") as place:
        place.check("score", "python", "tests/mutation.py", *session.posargs)
        print(*(place.logs / "score.log").read_text(encoding="utf-8").splitlines()[-5:], sep="\n", flush=True)


@nox.session(default=False)
def demo(session: nox.Session) -> None:
    """The main job, shown against the local tenant."""
    with workplace(session, *RUNTIME, *EMULATOR) as place:
        place.run("python", "-m", "tests.demo")


@nox.session(default=False)
def fix(session: nox.Session) -> None:
    """Format the Python files of the checkout, and repair what the linter can repair."""
    session.install("-r", "requirements-dev.txt")
    session.run("ruff", "check", "--fix", "--no-cache")
    session.run("ruff", "format", "--no-cache")


@nox.session(default=False)
def shell(session: nox.Session) -> None:
    """A shell with all tools, in a copy of the collection."""
    with workplace(session, "-r", "requirements-dev.txt", *UNITS) as place:
        print(f"This is a copy of the checkout: edit there, not here. Leave with exit.\n{place.tree}")
        place.run(os.environ.get("SHELL", "/bin/sh"))

"""The cache: virtual environments, a home for the tools, and a copy of the collection where Ansible looks for it."""

from __future__ import annotations

import ast
import configparser
import dataclasses
import hashlib
import os
import re
import shutil
import subprocess
import sys
import typing as t
from pathlib import Path

from . import machine
from .console import Command, Console, StopError
from .machine import ROOT

UNIT_REQUIREMENTS = ROOT / "tests" / "unit" / "requirements.txt"
# What the tools may see of the person's environment. Everything else (credentials, proxies, CA bundles, Ansible's own
# settings) stays out, so that a result here is the same result everywhere.
_SEEN_BY_TOOLS = ("CI", "LD_LIBRARY_PATH", "TERM", "TMPDIR")
# What would lead pip to another environment than the one that calls it.
_HIDDEN_FROM_PIP = ("PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__")
# ansible-test fetches get-pip.py from a server of its own whenever it makes an environment. Found in its cache, this
# takes the pip that every Python carries instead, and leaves out the one that is asked for.
_GET_PIP = """\
import subprocess
import sys

# In a process of its own: it switches the settings of pip off for its caller.
subprocess.check_call([sys.executable, "-m", "ensurepip"])
packages = [word for word in sys.argv[1:] if not word.startswith(("-", "pip=="))]
if packages:
    subprocess.check_call([sys.executable, "-m", "pip", "install", *packages])
"""


@dataclasses.dataclass(frozen=True)
class Venv:
    """A finished virtual environment."""

    path: Path
    version: str

    @property
    def python(self) -> Path:
        return self.path / "bin" / "python"

    def tool(self, name: str, *words: str) -> Command:
        """A command of this environment."""
        return [self.path / "bin" / name, *words]

    def release(self, package: str) -> str:
        """The version of an installed package."""
        words: Command = [
            self.python,
            "-c",
            "import importlib.metadata, sys; print(importlib.metadata.version(sys.argv[1]))",
        ]
        return subprocess.run([*words, package], capture_output=True, text=True, check=True).stdout.strip()


class Workspace:
    """All places and environments that the parts work in."""

    def __init__(self, cache: Path, console: Console) -> None:
        self.cache = cache
        self.console = console
        self.home = cache / "home"
        self.collections = cache / "tree"
        self.tree = self.collections / "ansible_collections" / "identityops" / "entra_risk"
        self._interpreters = cache / "interpreters"
        self._venvs: dict[tuple[str, str], Venv] = {}

    def prepare(self) -> None:
        """Copy the collection and set up the home. Quick, so done anew each time."""
        self.home.mkdir(parents=True, exist_ok=True)
        # The files may belong to somebody else, for example in a container.
        (self.home / ".gitconfig").write_text(
            "[safe]\n\tdirectory = *\n[init]\n\tdefaultBranch = main\n", encoding="utf-8"
        )
        shutil.rmtree(self._interpreters, ignore_errors=True)
        self._interpreters.mkdir()
        for version, path in machine.interpreters().items():
            (self._interpreters / f"python{version}").symlink_to(path)
        self._copy_collection()

    def environment(self, venv: Venv) -> dict[str, str]:
        """The environment of every tool: this one and nothing of the person's."""
        path = [str(venv.path / "bin"), str(self._interpreters), os.environ.get("PATH", os.defpath)]
        return {
            **{name: os.environ[name] for name in _SEEN_BY_TOOLS if name in os.environ},
            "ANSIBLE_COLLECTIONS_PATH": str(self.collections),
            "HOME": str(self.home),
            "LC_ALL": "C.UTF-8",
            "MYPY_CACHE_DIR": str(self.cache / "mypy"),
            "NO_COLOR": "1",
            "PATH": os.pathsep.join(path),
            "RUFF_CACHE_DIR": str(self.cache / "ruff"),
        }

    def venv(self, name: str, requirements: t.Sequence[str], *, version: str = machine.OWN) -> Venv:
        """The environment with these requirements (arguments of `pip install`, paths relative to the checkout).

        It is built when it does not exist yet for this Python and these requirements.
        """
        # Once a run: the files may be edited while it goes on.
        if (name, version) not in self._venvs:
            self._venvs[name, version] = self._find_or_build(name, requirements, version)
        return self._venvs[name, version]

    def development(self) -> Venv:
        """The environment with all tools, and the Python that runs this."""
        return self.venv("main", ("-r", "requirements-dev.txt"))

    def _find_or_build(self, name: str, requirements: t.Sequence[str], version: str) -> Venv:
        interpreter = machine.interpreters()[version]
        key = hashlib.sha256()
        for text in (str(self.cache), str(interpreter), sys.version if version == machine.OWN else "", *requirements):
            key.update(text.encode() + b"\0")
        for path in _included(requirements):
            key.update(path.read_bytes() + b"\0")
        directory = self.cache / "venvs" / f"{name}-py{version}-{key.hexdigest()[:10]}"
        venv = Venv(directory, version)
        if not (directory / ".complete").exists():
            for old in directory.parent.glob(f"{name}-py{version}-*"):
                shutil.rmtree(old)
            self._build(venv, interpreter, requirements)
            (directory / ".complete").touch()
        self._seed_bootstrap(venv)
        self._seed_pip_settings(venv)
        return venv

    def _build(self, venv: Venv, interpreter: Path, requirements: t.Sequence[str]) -> None:
        env = {name: value for name, value in os.environ.items() if name not in _HIDDEN_FROM_PIP}
        name = venv.path.name
        venv.path.parent.mkdir(parents=True, exist_ok=True)
        self._must(f"create {name}", [interpreter, "-m", "venv", venv.path], env)
        # Compiled on first use: most of the larger packages is never imported.
        options = ["--quiet", "--disable-pip-version-check", "--no-compile"]
        install: Command = [venv.python, "-m", "pip", "install", *options]
        self._must(f"install {name}", [*install, *requirements], env)
        # For the unit tests, ansible-test wants its own choice of packages, and exactly its version of coverage.
        if UNIT_REQUIREMENTS in _included(requirements):
            (data,) = venv.path.glob("lib/python*/site-packages/ansible_test/_data/requirements")
            wanted: Command = ["-r", data / "ansible-test.txt", "-r", data / "units.txt"]
            self._must(f"install {name}, for ansible-test", [*install, *wanted], env)

    def _must(self, name: str, command: t.Sequence[str | Path], env: t.Mapping[str, str]) -> None:
        if not self.console.step(name, command, cwd=ROOT, env=env, counter=None):
            raise StopError(f"Set-up failed: {name}.")

    def _seed_bootstrap(self, venv: Venv) -> None:
        """Put our get-pip.py where this version of ansible-test looks for it."""
        seeds = self.home / ".ansible" / "test" / "cache"
        seeds.mkdir(parents=True, exist_ok=True)
        for source in venv.path.glob("lib/python*/site-packages/ansible_test/_internal/python_requirements.py"):
            for version in re.findall(r"pip='([\d.]+)'", source.read_text(encoding="utf-8")):
                (seeds / f"get_pip_{version.replace('.', '_')}.py").write_text(_GET_PIP, encoding="utf-8")

    def _seed_pip_settings(self, venv: Venv) -> None:
        """Write the person's settings of pip (index, CA bundle, proxy) into the home of the tools.

        ansible-test calls pip with almost no environment, so a file is the only way.
        """
        listing: Command = [venv.python, "-m", "pip", "config", "list"]
        answer = subprocess.run(listing, capture_output=True, text=True, check=False)
        settings: dict[str, str] = {}
        for line in answer.stdout.splitlines():
            name, equals, value = line.partition("=")
            section, dot, option = name.rpartition(".")
            # Later lines are stronger. Options of single commands matter for `install` only.
            if equals and dot and section in ("global", "install", ":env:"):
                settings[option] = str(ast.literal_eval(value))
        for option, variables in _PIP_VARIABLES.items():
            for variable in variables:
                if os.environ.get(variable):
                    settings.setdefault(option, os.environ[variable])
        config = configparser.RawConfigParser()
        config["global"] = {"quiet": "2", **settings}
        path = self.home / ".config" / "pip" / "pip.conf"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        with path.open("w", encoding="utf-8") as stream:
            config.write(stream)

    def _copy_collection(self) -> None:
        """Copy what git knows or would add, into a fresh repository.

        ansible-test asks git for the files. Without a repository of its own, the copy would be files of the checkout
        that git ignores, and every test would be skipped.
        """
        env = {**os.environ, "HOME": str(self.home)}
        git = ["git", "-C", str(ROOT)]
        listing = subprocess.run(
            [*git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            capture_output=True,
            env=env,
            check=False,
        )
        if listing.returncode != 0:
            raise StopError(f"git cannot list the files of {ROOT}: {listing.stderr.decode().strip()}")
        shutil.rmtree(self.tree, ignore_errors=True)
        for name in sorted({os.fsdecode(name) for name in listing.stdout.split(b"\0") if name}):
            source, target = ROOT / name, self.tree / name
            # A file may be deleted and not committed yet.
            if source.is_file() or source.is_symlink():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target, follow_symlinks=False)
        subprocess.run(["git", "init", "--quiet", str(self.tree)], env=env, check=True)


# Settings of pip that other variables of the environment stand for.
_PIP_VARIABLES = {
    "cert": ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
    "proxy": ("HTTPS_PROXY", "https_proxy"),
}


def _included(requirements: t.Sequence[str]) -> list[Path]:
    """The requirements files that these arguments of pip name, and those that they include."""
    pending = [ROOT / requirements[index + 1] for index, word in enumerate(requirements) if word == "-r"]
    found: list[Path] = []
    while pending:
        path = pending.pop().resolve()
        found.append(path)
        names = re.findall(r"^-r\s+(\S+)", path.read_text(encoding="utf-8"), re.MULTILINE)
        pending.extend(path.parent / name for name in names)
    return found

"""What this machine has: its Python interpreters, and the place for the cache."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import glob
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import typing as t
from pathlib import Path

from .console import StopError

ROOT = Path(__file__).resolve().parents[2]
# The versions that any supported ansible-core or any supported target could want.
WANTED = [f"3.{minor}" for minor in range(9, 15)]
OWN = "{}.{}".format(*sys.version_info[:2])
# ssl and ensurepip are missing from some builds; such an interpreter cannot make an environment.
_PROBE = "import sys, ssl, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"


def check_needs() -> None:
    """Stop with a clear word when something is missing that cannot be installed from here."""
    if sys.version_info < (3, 10):
        newer = [path for version, path in interpreters().items() if version not in ("3.9", OWN)]
        raise StopError(
            f"ansible-core needs Python 3.10 or newer; this is {OWN}. "
            + (f"Start it with {newer[-1]}." if newer else "Install one and start dev.py with it.")
        )
    if shutil.which("git") is None:
        raise StopError("git is missing: install it (Debian: apt-get install git).")
    if OWN not in interpreters():
        raise StopError(
            f"{sys.executable} cannot make virtual environments: its module venv, ensurepip or ssl is missing "
            "(Debian: apt-get install python3-venv)."
        )


@functools.cache
def interpreters() -> dict[str, Path]:
    """The interpreters that work here, by version, oldest first. The running one stands for its own version.

    Each one is really run: the shims of pyenv are there for every version, and fail for most.
    """
    found: dict[str, Path] = {}
    for version in WANTED:
        for path in _candidates(version):
            if _works(path, version):
                found[version] = path
                break
    return found


def _candidates(version: str) -> t.Iterator[Path]:
    if version == OWN:
        yield Path(sys.executable)
    name = f"python{version}"
    roots = {os.environ.get("PYENV_ROOT", ""), os.path.expanduser("~/.pyenv")} - {""}
    for root in sorted(roots):
        # The newest patch release first.
        found = glob.glob(f"{glob.escape(root)}/versions/*/bin/{name}")
        yield from sorted(map(Path, found), key=_numbers, reverse=True)
    for directory in [*os.environ.get("PATH", os.defpath).split(os.pathsep), "/usr/local/bin", "/usr/bin"]:
        if directory and (path := Path(directory, name)).is_file():
            yield path


def _numbers(path: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", path.parent.parent.name)]


def _works(path: Path, version: str) -> bool:
    try:
        answer = subprocess.run([path, "-c", _PROBE], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0 and answer.stdout.strip() == version


def cache_directory() -> tuple[Path, str]:
    """The directory for all that is built, and a remark when it is not the usual one.

    Ansible puts the path of its interpreter into shell commands unquoted. So a checkout whose path holds blanks or the
    like gets its cache elsewhere.
    """
    chosen = os.environ.get("ENTRA_RISK_CACHE")
    cache = Path(chosen).expanduser().absolute() if chosen else ROOT / ".cache"
    if re.fullmatch(r"[\w./+@-]+", str(cache), re.ASCII):
        return cache, ""
    if chosen:
        raise StopError(f"ENTRA_RISK_CACHE must be a path of letters, digits and ._+@-, not {chosen!r}.")
    name = "entra_risk-" + hashlib.sha256(str(cache).encode()).hexdigest()[:8]
    for base in (os.path.expanduser("~/.cache"), tempfile.gettempdir()):
        if re.fullmatch(r"/[\w./+@-]+", base, re.ASCII) and _writable(Path(base)):
            return Path(base, name), f"The path of this checkout holds special characters; the cache is {base}/{name}."
    raise StopError("The path of this checkout holds special characters: set ENTRA_RISK_CACHE to a plain path.")


def _writable(path: Path) -> bool:
    with contextlib.suppress(OSError):
        path.mkdir(parents=True, exist_ok=True)
    return os.access(path, os.W_OK)


@contextlib.contextmanager
def only_one(cache: Path, say: t.Callable[[str], None]) -> t.Iterator[None]:
    """Keep a second run out of the same cache until the first one is through."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another run uses this cache; waiting for it. (ENTRA_RISK_CACHE=<directory> gives a run its own.)")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield

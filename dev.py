#!/usr/bin/env python
"""The one entry for people who work on the collection. It needs git, and Python 3.10 or newer with venv.

dev.py demo                                     show the main job against a local stand-in for Entra and Graph
dev.py test [SESSION ...] [-- PYTEST ARGUMENTS] check the collection
dev.py bench [--quick | --startup | --render]   measure risky_user against other ways
dev.py docs                                     check the documentation, build its site below .cache
dev.py fix                                      format the Python files, repair what the linter can repair
dev.py shell                                    open a shell with all tools, in a copy of the collection
"""

# Python 3.6 must be able to parse this file, or it could not say that it is too old.
import contextlib
import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

if sys.version_info < (3, 10):
    sys.exit("dev.py needs Python 3.10 or newer; this is {}.{}.".format(*sys.version_info))

ROOT = Path(__file__).resolve().parent
COMMANDS = ("demo", "test", "bench", "docs", "fix", "shell")
# The first release that runs sessions side by side.
NOX = "nox>=2026.10"
NEEDED_MB = 1000
# Settings that would lead pip to another environment, or nox to other sessions.
HIDDEN = re.compile(r"NOX|PYTHON(HOME|PATH)$|VIRTUAL_ENV$|__PYVENV_LAUNCHER__$")
# uv does not read the settings of pip.
UV_SETTINGS = {"index-url": "UV_DEFAULT_INDEX", "cert": "SSL_CERT_FILE", "proxy": "ALL_PROXY"}


def main(command: str = "--help", *words: str) -> int:
    """Do what the command line asks for. Gives the exit code."""
    if {"-h", "--help"} & {command, *words}:
        print(__doc__.strip())
        return 0
    if command not in COMMANDS:
        sys.exit(f"There is no command {command!r}, only {', '.join(COMMANDS)}.")
    names = words[: words.index("--")] if "--" in words else words
    noxfile = (ROOT / "noxfile.py").read_text(encoding="utf-8")
    sessions = re.findall(r'^(?:def |pytest_session\(")(\w+)(?:\(session.* -> None:|")', noxfile, re.MULTILINE)
    for name in names if command == "test" else ():
        if name.partition("(")[0] not in sessions:
            sys.exit(f"There is no session {name!r}, only {', '.join(sessions)}.")
    if shutil.which("git") is None:
        sys.exit("git is missing: install it (Debian: apt-get install git).")
    # Set anew, since a shell starts background jobs with SIGINT ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        cache = find_cache()
        with (cache / "lock").open("w", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print("Another run uses this cache; waiting for it. ENTRA_RISK_CACHE=<directory> gives a run its own.")
                fcntl.flock(lock, fcntl.LOCK_EX)
            env = set_up(cache)
            if command == "test":
                return test(cache, env, names, words[len(names) + 1 :])
            words = words or ("--full",) * (command == "bench")
            return nox(cache, env, "--parallel=1", "--sessions", command, "--", *words)
    except KeyboardInterrupt:
        sys.exit("Stopped.")
    except OSError as exc:
        full = exc.errno in (errno.ENOSPC, errno.EDQUOT)
        sys.exit("The disk is full." if full else f"{exc.strerror}: {exc.filename}")


def find_cache() -> Path:
    """The directory for all that is built.

    Ansible puts the path of its interpreter into shell commands unquoted. So a checkout whose path holds blanks or the
    like gets its cache elsewhere.
    """
    chosen = Path(os.environ.get("ENTRA_RISK_CACHE", ROOT / ".cache")).expanduser().absolute()
    other = Path.home() / ".cache" / f"entra_risk-{hashlib.sha256(bytes(chosen)).hexdigest()[:8]}"
    for cache in (chosen, other):
        if re.fullmatch(r"[\w./+@-]+", str(cache), re.ASCII):
            if cache is other:
                print(f"The path holds special characters, so the cache is {cache}.", flush=True)
            cache.mkdir(parents=True, exist_ok=True)
            return cache
    sys.exit("The path holds special characters: set ENTRA_RISK_CACHE to one of letters, digits and ._+@-.")


def set_up(cache: Path) -> "dict[str, str]":
    """Make the environment of nox, once. Gives the variables that it runs with."""
    venv = cache / "nox"
    python, done = str(venv / "bin" / "python"), venv / "done"
    env = {name: value for name, value in os.environ.items() if not HIDDEN.match(name)}
    env.update(ENTRA_RISK_CACHE=str(cache), PIP_CACHE_DIR=str(cache / "pip"), UV_CACHE_DIR=str(cache / "uv"))
    env.update(PIP_DISABLE_PIP_VERSION_CHECK="1", UV_PYTHON_DOWNLOADS="never", PYTHONUNBUFFERED="1")
    key = f"{sys.version} {sys.base_prefix} {venv} {NOX}"
    if not done.is_file() or done.read_text(encoding="utf-8") != key:
        if shutil.disk_usage(cache).free < NEEDED_MB * 10**6:
            sys.exit(f"The disk is full: {cache} needs {NEEDED_MB} MB. ENTRA_RISK_CACHE=<directory> puts it elsewhere.")
        print(f"Setting up {cache} ...", flush=True)
        for directory in (venv, cache / "envs"):
            shutil.rmtree(directory, ignore_errors=True)
        quietly(env, "python3-venv is missing or broken", sys.executable, "-m", "venv", str(venv))
        install = (python, "-m", "pip", "install", "--quiet", "--retries=2", NOX)
        # Where there is no uv, nox takes pip, which is slower.
        if subprocess.run([*install, "uv"], env=env, capture_output=True, check=False).returncode:
            quietly(env, "nox cannot be installed; is there a network?", *install)
        done.write_text(key, encoding="utf-8")
    settings = quietly(env, "pip does not start", python, "-m", "pip", "config", "list")
    for option, variable in UV_SETTINGS.items():
        for value in re.findall(rf"^\S+\.{option}='(.+)'$", settings, re.MULTILINE)[-1:]:
            env.setdefault(variable, value)
    return env


def quietly(env: "dict[str, str]", complaint: str, *command: str) -> str:
    """The output of a command. When it fails, a sentence."""
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        lines = done.stdout.strip().splitlines() or [""]
        sys.exit("The disk is full." if "No space left" in done.stdout else f"Set-up failed: {complaint} ({lines[-1]})")
    return done.stdout


def nox(cache: Path, env: "dict[str, str]", *words: str) -> int:
    """Run sessions. Gives the exit code."""
    # Only a shell must stay with its terminal. All others get what a terminal would send them, and then end.
    command = [str(cache / "nox" / "bin" / "python"), "-m", "nox", *words]
    process = subprocess.Popen(command, cwd=ROOT, env=env, start_new_session="shell" not in words)
    try:
        return process.wait()
    except KeyboardInterrupt:
        for number in (signal.SIGINT, signal.SIGKILL):
            if process.poll() is None:
                with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
                    os.killpg(process.pid, number)
                    process.wait(timeout=15)
        raise


def test(cache: Path, env: "dict[str, str]", names: "tuple[str, ...]", words: "tuple[str, ...]") -> int:
    """Run these sessions or, without names, all that a pull request must pass. The score is the last line."""
    scores = cache / "scores"
    shutil.rmtree(scores, ignore_errors=True)
    code = nox(cache, env, *(["--sessions", *names] if names else []), "--", *words)
    found = [json.loads(path.read_text(encoding="utf-8")) for path in scores.glob("*")]
    passed, failed, skipped = (sum(column) for column in zip(*found, [0, 0, 0]))
    # A session may break before it can count anything.
    failed = failed or int(code != 0 or passed == 0)
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return int(failed != 0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

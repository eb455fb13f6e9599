"""Changes the code that decides and writes in small ways, and counts how many of the changes the tests notice.

    python3 tests/mutation.py             # all: about half an hour on one core; needs mutmut beside what the tests need
    python3 tests/mutation.py '*decide*'  # only the functions with such a name

`cd .cache/mutation && mutmut show NAME` shows a change that no test noticed.
"""

from __future__ import annotations

import collections
import os
import shutil
import subprocess
import sys
from pathlib import Path

# Percent, of all files together.
NOTICED_WANTED = 85.0
FILES = ("_risk/decisions.py", "_risk/filters.py", "_risk/guards.py", "_risk/writer.py", "_tasks/change.py")
TESTS = ("tests/unit/plugins/module_utils", "tests/functional")
ROOT = Path(__file__).resolve().parents[1]
SCRATCH = ROOT / ".cache" / "mutation"
PLACE = "ansible_collections/identityops/entra_risk"
CONFIGURATION = """\
[mutmut]
source_paths = {place}/plugins/module_utils
only_mutate =
  {files}
also_copy = ansible_collections
pytest_add_cli_args =
  -p
  no:cacheprovider
  --ignore-glob=*test_layout.py
  --ignore-glob=*test_startup.py
pytest_add_cli_args_test_selection =
  {tests}
timeout_multiplier = 6
timeout_constant = 5
"""


def main(patterns: list[str]) -> int:
    """Run mutmut on a copy of the tracked files, with one score line a file and one in all."""
    shutil.rmtree(SCRATCH, ignore_errors=True)
    # The folder of the mutants has to exist before Python looks for modules there.
    (SCRATCH / "mutants").mkdir(parents=True)
    words = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True)
    for name in filter(None, listing.stdout.split("\0")):
        (SCRATCH / PLACE / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, SCRATCH / PLACE / name)
    files = "\n  ".join(f"{PLACE}/plugins/module_utils/{name}" for name in FILES)
    tests = "\n  ".join(f"{PLACE}/{name}" for name in TESTS)
    (SCRATCH / "setup.cfg").write_text(CONFIGURATION.format(place=PLACE, files=files, tests=tests), encoding="utf-8")
    mutmut, env = str(Path(sys.executable).with_name("mutmut")), {**os.environ, "PYTHONPATH": str(SCRATCH / "mutants")}
    code = subprocess.run(
        [mutmut, "run", "--max-children", "1", *patterns], cwd=SCRATCH, env=env, check=False
    ).returncode
    command = [mutmut, "results", "--all", "true"]
    results = subprocess.run(command, cwd=SCRATCH, env=env, stdout=subprocess.PIPE, check=True, text=True).stdout
    counts: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    for name, status in (line.strip().split(": ") for line in results.splitlines()):
        if status != "not checked":
            counts[name.split(".")[-2]][status] += 1
            counts["in all"][status] += 1
        if status in ("survived", "no tests"):
            print(f"{status}: {name}")
    for file, count in sorted(counts.items(), key=lambda item: item[0] == "in all"):
        noticed = 100 * (count["killed"] + count["timeout"]) / count.total()
        print(f"{file}: {noticed:.1f} % of {count.total()} ({', '.join(f'{n} {s}' for s, n in count.items())})")
    # Those of all files come last.
    return code or int(noticed < NOTICED_WANTED)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Looks for canaries in files, in every form that a secret may take there. Prints what it finds as a JSON list.

    find_canaries.py MARKERS FILE...

MARKERS is a JSON file with a dict of names and markers, and a marker is the unmistakable part of a planted secret. A
text that looks like a JSON web token is found as well, under the name "token".
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import sys
from pathlib import Path
from urllib.parse import unquote_plus

TOKEN = re.compile(r"eyJ[\w-]{8,}\.eyJ[\w-]{8,}")
ENCODED = re.compile(r"[A-Za-z0-9+/_-]{16,}")


def readings(text: str) -> list[str]:
    """The text as it is, without the line breaks that long lines get, and with URL encoding and Base64 undone."""
    joined = re.sub(r"\\n|\s+", "", text)
    found = [text, joined, unquote_plus(text), unquote_plus(unquote_plus(text)), text[::-1]]
    for run in {match.group() for match in ENCODED.finditer(text)}:
        # Whatever stands before it in the same run shifts the beginning.
        found.extend(decode(run[shift:]) for shift in range(4))
    return found


def decode(run: str) -> str:
    """What a run of Base64 letters, of either alphabet, stands for."""
    # One letter alone beyond a group of four stands for nothing; two or three want their padding.
    whole = run[:-1] if len(run) % 4 == 1 else run + "=" * (-len(run) % 4)
    try:
        return base64.b64decode(whole.translate(str.maketrans("-_", "+/"))).decode("utf-8", "replace")
    except binascii.Error:
        return ""


def main() -> None:
    markers = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    found: set[str] = set()
    for name in sys.argv[2:]:
        text = Path(name).read_text(encoding="utf-8", errors="replace")
        for reading in readings(text):
            found.update(key for key, marker in markers.items() if marker in reading)
        if TOKEN.search(text):
            found.add("token")
    print(json.dumps(sorted(found)))


if __name__ == "__main__":
    main()

"""Reads the page of the report without a browser, and prints as JSON what it finds.

read_page.py PAGE
"""

from __future__ import annotations

import base64
import hashlib
import html.parser
import json
import re
import sys
from pathlib import Path

# What makes a browser fetch something, or run something.
FETCHING = ("action", "background", "data", "formaction", "href", "poster", "src", "srcset", "xlink:href")
VOID = ("meta",)


class Page(html.parser.HTMLParser):
    """Collects texts by the id of the element around them, and whatever could reach out of the page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.ids: list[str | None] = []
        self.texts: dict[str, list[str]] = {}
        self.tags: set[str] = set()
        self.reaching: list[str] = []
        self.policy = ""
        self.hashes: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.add(tag)
        self.reaching += [f"{tag} {name}" for name in given if name in FETCHING or name.startswith("on")]
        if given.get("http-equiv") == "Content-Security-Policy":
            self.policy = given.get("content") or ""
        if tag not in VOID:
            self.ids.append(given.get("id") or tag)

    def handle_endtag(self, tag: str) -> None:
        self.ids.pop()

    def handle_data(self, data: str) -> None:
        if self.ids and self.ids[-1] in ("style", "script"):
            digest = hashlib.sha256(data.encode()).digest()
            self.hashes[self.ids[-1]] = base64.b64encode(digest).decode()
        elif data.strip():
            for name in filter(None, dict.fromkeys(self.ids)):
                self.texts.setdefault(name, []).append(data.strip())


def main() -> None:
    page = Page()
    page.feed(Path(sys.argv[1]).read_text(encoding="utf-8"))
    page.close()
    allowed = dict(re.findall(r"(\w+)-src 'sha256-([^']+)'", page.policy))
    print(
        json.dumps(
            {
                "texts": page.texts,
                "tags": sorted(page.tags),
                "reaching": page.reaching,
                "open": page.ids,
                "policy": re.sub(r"sha256-[^']+", "sha256-", page.policy),
                "hashes_fit": allowed == page.hashes,
                "hashes": page.hashes,
            }
        )
    )


if __name__ == "__main__":
    main()

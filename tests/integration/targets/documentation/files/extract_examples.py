"""Turns the examples of a document into one playbook, and prints how many there are.

    extract_examples.py DOCUMENT PLAYBOOK

Knows the EXAMPLES of a module (.py), fenced blocks (.md) and code blocks (.rst). Blocks of tasks become plays of their
own; variables that one of them registers are there for the next, as in the document.
"""

from __future__ import annotations

import ast
import re
import sys
import textwrap
from pathlib import Path

import yaml

PLAY = """\
- name: Example {number}
  hosts: localhost
  connection: local
  gather_facts: false
  tasks:
"""


def blocks(path: Path) -> list[str]:
    """The YAML of the examples, in their order."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        for node in ast.parse(text).body:
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "EXAMPLES":
                return [ast.literal_eval(node.value)]
        return []
    if path.suffix == ".md":
        return re.findall(r"^```yaml\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    found = re.findall(r"^\.\. code-block:: yaml\+jinja\n\n((?:(?: {2,}.*)?\n)+)", text, re.MULTILINE)
    return [textwrap.dedent(block) for block in found]


def main() -> None:
    source, target = map(Path, sys.argv[1:3])
    plays = []
    for number, block in enumerate(blocks(source), start=1):
        block = re.sub(r"\A---\n", "", block)
        if any("hosts" in item for item in yaml.safe_load(block)):
            plays.append(block)
        else:
            plays.append(PLAY.format(number=number) + textwrap.indent(block, "    "))
    target.write_text("---\n" + "\n".join(plays), encoding="utf-8")
    print(len(plays))


if __name__ == "__main__":
    main()

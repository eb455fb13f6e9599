"""Builds the site of the documentation: `python docs/site/build.py DIRECTORY`, where ansible finds the collection.

antsibull-docs writes the pages of modules and guides. It knows neither playbooks nor plugins of Event-Driven Ansible:
their pages are written here, from the comment at the head of a playbook and from the documentation in a plugin. Sphinx
then takes every warning for an error, a reference without a target included.
"""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import typing as t
import zlib
from pathlib import Path

import yaml

COLLECTION = "identityops.entra_risk"
ROOT = Path(__file__).resolve().parents[2]
EDA = "extensions/eda/plugins"
# What the pages of modules refer to in Ansible's own documentation. Sphinx would fetch the list of all its targets.
ANSIBLE = "https://docs.ansible.com/projects/ansible/devel/"
TARGETS = {
    "action_plugins": "plugins/action.html",
    "ansible_configuration_settings": "reference_appendices/config.html",
    "common_return_values": "reference_appendices/common_return_values.html",
}
CONFIG = f"""
intersphinx_mapping = {{"ansible": ("{ANSIBLE}", "ansible.inv")}}
html_theme_options = {{"documentation_home_url": "index.html"}}
"""


def main(site: Path) -> None:
    """Write the site below `site`/build/html. What was there is gone."""
    shutil.rmtree(site, ignore_errors=True)
    site.mkdir(mode=0o700, parents=True)
    rst = site / "rst"
    words = ("--use-current", "--project", COLLECTION, "--title", COLLECTION)
    index = ("--index-rst-source", ROOT / "docs" / "site" / "index.rst")
    run("antsibull-docs", "sphinx-init", *words, *index, "--dest-dir", site, COLLECTION)
    rst.chmod(0o700)
    made = ("--use-current", "--fail-on-error", "--cleanup", "everything", "--dest-dir", rst, COLLECTION)
    run("antsibull-docs", "--config-file", site / "antsibull-docs.cfg", "collection", *made)
    for folder, pattern, page in (("playbooks", "playbooks/*.yml", playbook_page), ("eda", f"{EDA}/*/*.py", eda_page)):
        (rst / folder).mkdir()
        for path in ROOT.glob(pattern):
            (rst / folder / f"{path.stem}.rst").write_text(page(path), encoding="utf-8")
    (rst / "changelog.rst").write_text(changelog(), encoding="utf-8")
    with (site / "conf.py").open("a", encoding="utf-8") as config:
        config.write(CONFIG)
    (rst / "ansible.inv").write_bytes(inventory())
    run("sphinx-build", "-M", "html", rst, site / "build", "-c", site, "-W", "--keep-going", "--quiet")
    print(f"The site is {site / 'build' / 'html' / 'index.html'}")


def run(*command: str | Path) -> None:
    """Run a tool. It may not fail."""
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


def inventory() -> bytes:
    """The targets in Ansible's documentation, as Sphinx reads them."""
    head = "# Sphinx inventory version 2\n# Project: Ansible\n# Version: devel\n# What follows is compressed by zlib.\n"
    lines = "".join(f"{name} std:label -1 {page} {name.replace('_', ' ')}\n" for name, page in TARGETS.items())
    return head.encode() + zlib.compress(lines.encode())


def changelog() -> str:
    """The changelog, with what is not released yet at its end."""
    fragments = [yaml.safe_load(path.read_bytes()) for path in sorted(ROOT.glob("changelogs/fragments/*.yml"))]
    text = (ROOT / "CHANGELOG.rst").read_text(encoding="utf-8")
    if fragments:
        text += "\nNot released yet\n================\n"
    for section, title in yaml.safe_load((ROOT / "changelogs" / "config.yaml").read_bytes())["sections"]:
        if changes := [change for fragment in fragments for change in fragment.get(section, ())]:
            text += f"\n{title}\n{'-' * len(title)}\n\n" + "".join(f"- {change}\n" for change in changes)
    return text


def playbook_page(playbook: Path) -> str:
    """The page of a playbook: the comment at its head, with tables of its variables and results."""
    comment = re.search(r"(?:^#.*\n)+", playbook.read_text(encoding="utf-8"), re.MULTILINE)
    blocks = re.sub("^# ?", "", comment[0] if comment else "", flags=re.MULTILINE).rstrip().split("\n\n")
    return "\n".join([head(playbook, "playbook"), *(text for block in blocks for text in as_rst(block))])


def eda_page(plugin: Path) -> str:
    """The page of an event source or an event filter: its documentation."""
    tree = ast.parse(plugin.read_text(encoding="utf-8")).body
    values = {ast.unparse(node.targets[0]): node.value for node in tree if isinstance(node, ast.Assign)}
    documentation, examples = (ast.literal_eval(values[name]) for name in ("DOCUMENTATION", "EXAMPLES"))
    facts = yaml.safe_load(documentation)
    lines = [head(plugin, plugin.parent.name.replace("_", " ")), *map(unmarked, facts["description"])]
    lines += [f"- {unmarked(text)}" for text in facts.get("notes", ())]
    if facts["options"]:
        lines.append(".. list-table::\n   :header-rows: 1\n   :widths: 30 70\n\n   * - Argument\n     - Meaning")
        lines[-1] += "".join(option_rows(facts["options"]))
    return "\n\n".join([*lines, ".. code-block:: yaml\n\n" + re.sub("^(?=.)", "    ", examples, flags=re.M)])


def option_rows(options: dict[str, t.Any], above: str = "") -> t.Iterator[str]:
    """A row for each option, and for the options within it."""
    for name, option in options.items():
        facts = [option["type"], *(f"{key} {option[key]}" for key in ("default", "choices") if key in option)]
        text = option["description"] if isinstance(option["description"], str) else " ".join(option["description"])
        yield f"\n   * - ``{above}{name}``\n     - {unmarked(text)} ({', '.join(facts)})"
        yield from option_rows(option.get("suboptions", {}), f"{above}{name}.")


def head(path: Path, kind: str) -> str:
    """How a page begins."""
    name, title = f"{COLLECTION}.{path.stem}", f"{path.stem} {kind}"
    source = f"https://github.com/identityops/entra_risk/blob/main/{path.relative_to(ROOT)}"
    label = f".. _ansible_collections.{name}_{kind.replace(' ', '_')}:"
    return f"{label}\n\n{title}\n{'=' * len(title)}\n\n``{name}`` (`source <{source}>`__)\n"


def as_rst(block: str) -> t.Iterator[str]:
    """A paragraph, a table of names and their meaning, or commands."""
    if block.startswith("  ansible-playbook"):
        yield ".. code-block:: shell\n\n" + re.sub("^", "  ", block, flags=re.MULTILINE) + "\n"
    elif block.startswith("  "):
        yield ".. list-table::\n   :widths: 30 70\n"
        for name, meaning in re.findall(r"^  (\S.*?)  +(.*(?:\n {4,}.*)*)", block, re.MULTILINE):
            yield f"   * - {marked(name)}\n     - {marked(' '.join(meaning.split()))}"
        yield ""
    else:
        yield marked(" ".join(block.split())) + "\n"


def marked(text: str) -> str:
    """The text with the names of variables, results and playbooks as literals."""
    return re.sub(r"\b[a-z]+(?:_[a-z]+)+\b", r"``\g<0>``", re.sub(r"([*`|\\])", r"\\\1", text))


def unmarked(text: str) -> str:
    """The text with Ansible's markup as literals."""
    return re.sub(r"\b[A-Z]+\(([^)]*)\)", r"``\1``", text)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())

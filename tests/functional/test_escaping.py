"""The template of the page, read as Jinja reads it: no value goes out as it came in."""

from __future__ import annotations

import jinja2
import pytest
from jinja2 import nodes

from ..commands import ROOT

TEMPLATES = ROOT / "playbooks" / "templates" / "report_risk"


def unescaped(source: str) -> list[int]:
    """The lines of expressions that are neither escaped at their end nor a call of a macro in the same source."""
    tree = jinja2.Environment().parse(source)
    macros = {macro.name for macro in tree.find_all(nodes.Macro)}

    def fits(node: nodes.Expr) -> bool:
        if isinstance(node, nodes.Filter):
            return node.name == "e"
        if isinstance(node, nodes.Call):
            return isinstance(node.node, nodes.Name) and node.node.name in macros
        return isinstance(node, nodes.TemplateData)

    return [node.lineno for output in tree.find_all(nodes.Output) for node in output.nodes if not fits(node)]


def test_every_value_of_the_page_is_escaped() -> None:
    source = (TEMPLATES / "page.html.j2").read_text(encoding="utf-8")
    assert source.count("{{") > 50
    assert unescaped(source) == []


@pytest.mark.parametrize("name", ["style.css.j2", "sort.js.j2"])
def test_style_and_script_hold_no_value_at_all(name: str) -> None:
    source = (TEMPLATES / name).read_text(encoding="utf-8")
    assert "{{" not in source
    assert "{%" not in source


@pytest.mark.parametrize(
    "source", ["{{ name }}", "{{ first | e or second }}", "{{ 'a' ~ name | e }}", "{{ lookup(name) }}"]
)
def test_an_expression_that_is_not_escaped_would_be_found(source: str) -> None:
    assert unescaped(source) == [1]

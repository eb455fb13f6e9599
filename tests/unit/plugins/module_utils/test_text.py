"""Foreign text, as people and Ansible get it."""

from __future__ import annotations

import json
import math
import typing as t

import pytest

from ansible_collections.identityops.entra_risk.plugins.module_utils._text import (
    DEEPEST,
    Carrier,
    printable,
    printable_lines,
)

# What may not reach a terminal or a log as it is: control characters and ends of lines, marks of direction, what is
# invisible (zero width, soft hyphen, filler, variation selector, tag), half of a pair, private use, no character.
UNSAFE = (
    "\n\r\x85\u2028\x1b\x9b\x07\b\0\x7f\u202e\u2066\u200f\u200b\u200d\ufeff\xad\u3164\ufe0f\U000e0041\ud83d\ue000\uffff"
)


@pytest.mark.parametrize("character", UNSAFE, ids=ascii)
def test_shows_what_is_no_plain_character(character: str) -> None:
    shown = printable(f"ok: [localhost]{character}x")
    assert character not in shown
    assert shown in ("ok: [localhost] x", "ok: [localhost]\ufffdx")
    shown.encode()


@pytest.mark.parametrize("text", ["", "plain", "Jörg Straße", "李明", "a-b_c@d.example", "😀", "\ufffd"])
def test_leaves_what_people_can_read(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize(("text", "most", "expected"), [("x" * 9, 9, "x" * 9), ("x" * 10, 9, "xxxxxx..."), ("", 9, "")])
def test_cuts_what_is_too_long(text: str, most: int, expected: str) -> None:
    assert printable(text, most) == expected


def test_a_traceback_keeps_its_lines() -> None:
    assert (
        printable_lines("Traceback:\n  File x\n    y\x1b[2J\r\nError: z")
        == "Traceback:\n  File x\n    y\ufffd[2J\nError: z"
    )


def carry(data: t.Any) -> tuple[t.Any, int]:
    carrier = Carrier(lambda text: text.replace("s3cret", "****"))
    carried = carrier.carry(data)
    json.dumps(carried, allow_nan=False).encode()
    return carried, carrier.lost


def test_every_string_is_redacted_and_encodable() -> None:
    data = {"a\ud83d": ["x\udfff", ("s3cret", 1, None, True, 0.5)], "s3cret": {"deep": "\ud800s3cret"}}
    assert carry(data) == ({"a\ufffd": ["x\ufffd", ["****", 1, None, True, 0.5]], "****": {"deep": "\ufffd****"}}, 0)


def test_values_keep_what_can_be_carried() -> None:
    text = "\x1b[2J\n\u202e\u200b"
    assert carry({"users": [{"user_display_name": text}]})[0] == {"users": [{"user_display_name": text}]}


@pytest.mark.parametrize("key", ["msg", "message", "error", "diff"])
def test_what_people_read_is_printable_at_all_depths(key: str) -> None:
    carried, dummy = carry({key: "a\nb"} if key.startswith("m") else {key: {"a\nb": ["\x1b"]}})
    assert carried == {key: "a b"} if key.startswith("m") else {key: {"a b": ["\ufffd"]}}


def test_a_secret_goes_before_the_text_is_cut() -> None:
    for before in range(9_990, 10_001):
        assert "s3" not in carry({"msg": "x" * before + "s3cret"})[0]["msg"]


@pytest.mark.parametrize("brackets", [("[", "]"), ('{"a":', "}")])
@pytest.mark.parametrize("levels", [400, 900])
def test_what_is_nested_too_deeply_is_left_out_and_counted(brackets: tuple[str, str], levels: int) -> None:
    first, last = brackets
    carried, lost = carry({"x": json.loads(first * levels + "1" + last * levels)})
    assert lost == 1
    assert json.dumps(carried).count(first) <= DEEPEST + 1
    assert "nested too deeply" in json.dumps(carried)


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan, 10**400])
def test_a_number_that_json_cannot_carry_is_left_out_and_counted(number: float) -> None:
    assert carry({"x": [number, 5]}) == ({"x": [None, 5]}, 1)

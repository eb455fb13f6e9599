"""Object IDs and user principal names."""

from __future__ import annotations

import pytest

from ansible_collections.identityops.entra_risk.plugins.module_utils._graph.names import fold, is_name, is_object_id
from ansible_collections.identityops.entra_risk.plugins.module_utils._graph.odata import any_of, chunks, is_in, quoted

GUID = "04487ee0-f4f6-4e7f-8999-facc5a30e232"


@pytest.mark.parametrize("text", [GUID, GUID.upper()])
def test_accepts_object_ids(text: str) -> None:
    assert is_object_id(text)


@pytest.mark.parametrize(
    "value",
    [None, 7, "", GUID[:-1], "{GUID}", GUID.replace("-", ""), f"{GUID}\n", f"../{GUID}", GUID.replace("0", "\u0660")],
)
def test_rejects_what_is_not_an_object_id(value: object) -> None:
    assert not is_object_id(value)


@pytest.mark.parametrize(
    "text",
    [
        "adele@contoso.example", "miles.o'brien@contoso.example", "nestor_fabrikam.example#EXT#@contoso.example",
        "$ops+100%@contoso.example", "bj\u00f6rn@m\u00fcller.example", "\u5c71\u7530@contoso.example", "a@x",
    ],
)  # fmt: skip
def test_accepts_names_that_somebody_can_have(text: str) -> None:
    assert is_name(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "@", "adele", "@contoso.example", "adele@", "a@b@c.example", "a@x.example,b@x.example", "a@x.example;",
        "a@x.example b@x.example", "a\u00a0b@x.example", "a\nb@x.example", '"a@x.example"', "\u201ca@x.example\u201d",
        "\u2018a@x.example", "\u00aba@x.example\u00bb", "\u201ea@x.example", "\uff02a@x.example", "<a@x.example>",
        "[a@x.example]", "(a)@x.example", "{a}@x.example", "\uff08a@x.example", "mailto:a@x.example",
        "a@x.example\uff0c", "a@x.example\uff1a", "CONTOSO\\a@x.example", ".a@x.example", "a.@x.example",
        "a@.x.example", "a@x.example.", "a\u200b@x.example", "\ufeffa@x.example", "a\u202e@x.example",
        "a\u3164@x.example", "a\ufe0f@x.example", "a\U000e0101@x.example", "a\u180b@x.example",
        "\u275da@x.example\u275e", "a@x.example\u3002", "a\u2800@x.example", "a\ud83d@x.example",
        f"{'a' * 320}@x.example",
    ],
)  # fmt: skip
def test_rejects_what_nobody_can_be_called(text: str) -> None:
    assert not is_name(text)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Adele@X.example", "aDELE@x.EXAMPLE", True), ("stra\u00dfe@x.example", "strasse@x.example", False),
        ("\u00c4@x.example", "\u00e4@x.example", False), ("\u212a@x.example", "k@x.example", False),
    ],
)  # fmt: skip
def test_compares_names_as_entra_does(one: str, other: str, same: bool) -> None:
    assert (fold(one) == fold(other)) is same


def test_writes_odata() -> None:
    assert quoted("o'hara") == "'o''hara'"
    assert any_of("id", ["a"]) == "id eq 'a'"
    assert any_of("id", ["a", "b"]) == "(id eq 'a' or id eq 'b')"
    assert is_in("id", ["a", "o'b"]) == "id in ('a','o''b')"


@pytest.mark.parametrize(
    ("values", "sizes"),
    [
        ([], []), ([GUID] * 15, [15]), ([GUID] * 16, [15, 1]), (["\u00e4" * 100] * 5, [2, 2, 1]),
        (["x" * 5000, "y"], [1, 1]),
    ],
)  # fmt: skip
def test_keeps_filters_short(values: list[str], sizes: list[int]) -> None:
    found = list(chunks("id", values))
    assert [len(chunk) for chunk in found] == sizes
    assert [value for chunk in found for value in chunk] == values

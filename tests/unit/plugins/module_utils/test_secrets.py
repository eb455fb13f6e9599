"""What is masked, and what stays legible."""

from __future__ import annotations

import json
import time
import typing as t

import pytest

from ansible_collections.identityops.entra_risk.plugins.module_utils._redact import MASK, Redactor

KEY = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIIGqVXWNUvZ\nshort\n-----END EC PRIVATE KEY-----\n"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJncmFwaCJ9.c2lnbmF0dXJl"


def redactor(*values: str) -> Redactor:
    result = Redactor()
    for value in values:
        result.add(value)
    return result


@pytest.mark.parametrize(
    ("secrets", "text", "expected"),
    [
        (["s3cret"], "a s3cret in s3cret", f"a {MASK} in {MASK}"),
        (["s3cret\n"], "as it is used: s3cret.", f"as it is used: {MASK}."),
        (["a b+c/~"], "in a form: client_secret=a+b%2Bc%2F~&x=1", f"in a form: client_secret={MASK}&x=1"),
        (["a b+c/~"], "in a URL: /a%20b%2Bc%2F~/x", f"in a URL: /{MASK}/x"),
        (["a b+c/~"], "in a URL that keeps slashes: a%20b%2Bc/~&x", f"in a URL that keeps slashes: {MASK}&x"),
        (["(.*)"], "no pattern: (.*) and all", f"no pattern: {MASK} and all"),
        # One that holds another one leaves no rest, and each line of one is masked.
        (["secret", "secret-and-more"], "x secret-and-more secret", f"x {MASK} {MASK}"),
        ([KEY], "line 2 is MHcCAQEEIIGqVXWNUvZ", f"line 2 is {MASK}"),
        # Known by their form.
        ([], f"a token {JWT} of nobody", f"a token {MASK} of nobody"),
        ([], "Authorization: Bearer opaque~token/+=", f"Authorization: Bearer {MASK}"),
        ([], "authorization: bearer opaque~token", f"authorization: bearer {MASK}"),
        ([], "eyJ is how it begins", "eyJ is how it begins"),
        ([], f"x{JWT}.y", f"x{MASK}"),
        ([], f"({JWT}), and more", f"({MASK}), and more"),
        ([], "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJncm", MASK),
        ([], "eyJhbGciOiJkaXIifQ..iv.text.tag", MASK),
        ([], "eyjolfur.jon.jonsson@contoso.example", "eyjolfur.jon.jonsson@contoso.example"),
        ([], "abc8Q~dEfGhIjKlMnOpQrStUvWxYz0123456789_", MASK),
        ([], "abc8Q~short", "abc8Q~short"),
        ([], f"{KEY}and more", f"-----BEGIN EC PRIVATE KEY-----{MASK}-----END EC PRIVATE KEY-----\nand more"),
        ([], "-----BEGIN PRIVATE KEY-----\\nMIIE\\n", f"-----BEGIN PRIVATE KEY-----{MASK}"),
        ([], "-----BEGIN CERTIFICATE-----\nMIIE", "-----BEGIN CERTIFICATE-----\nMIIE"),
    ],
)
def test_what_is_masked_and_what_is_not(secrets: list[str], text: str, expected: str) -> None:
    assert redactor(*secrets).redact(text) == expected


@pytest.mark.parametrize(
    "secret",
    ['pa"ss\\w\u00f6rd 1', "two  blanks", "line\nbreak", "tab\there", "it's a long one", "CapitalLetters", "\udcff1"],
)
@pytest.mark.parametrize(
    "form",
    [
        repr,
        json.dumps,
        lambda text: " ".join(text.split()),
        str.lower,
        str,
        lambda text: repr(str.lower(" ".join(text.split()))),
    ],
)
def test_a_secret_is_masked_in_every_form(secret: str, form: t.Callable[[str], str]) -> None:
    assert form(secret).strip("'\"") not in redactor(secret).redact(f"before {form(secret)} after")


@pytest.mark.parametrize("blank", ["", " ", "\n", None])
def test_blanks_are_no_secret(blank: str | None) -> None:
    registered: list[str] = []
    cleaner = Redactor(registered.append)
    cleaner.add(blank)
    assert cleaner.redact("two words\n") == "two words\n"
    assert registered == []


def test_each_new_form_is_registered_once_and_at_once() -> None:
    registered: list[str] = []
    cleaner = Redactor(registered.append)
    cleaner.add("s/1 ")
    cleaner.add("s/1")
    assert registered == ["s/1 ", "s/1", "s%2F1"]


def test_data_is_cleaned_in_depth() -> None:
    data = {"s3cret": ["s3cret", 1, None, ("s3cret", True)], "x": {"y": "s3cret"}}
    assert redactor("s3cret").redact_data(data) == {MASK: [MASK, 1, None, [MASK, True]], "x": {"y": MASK}}


def test_an_exception_is_cleaned_as_text() -> None:
    assert redactor("s3cret").redact(ValueError("s3cret")) == MASK


@pytest.mark.parametrize("size", [60_000, 240_000])
@pytest.mark.parametrize(
    "flood",
    ["eyJ", "eyJaaaaaaaa.", "eyJ.", "eyJaaaaaaaa ", "Bearer ", "x8Q~", "-----BEGIN PRIVATE KEY-----", "-----BEGIN "],
)
def test_a_flood_is_masked_in_no_time(flood: str, size: int) -> None:
    text = flood * (size // len(flood))
    began = time.perf_counter()
    Redactor().redact(text)
    assert time.perf_counter() - began < 1


def test_keys_that_are_plain_names_stay() -> None:
    assert redactor("users", "S3cret").redact_data({"users": "users", "S3cret": 1}) == {"users": MASK, MASK: 1}

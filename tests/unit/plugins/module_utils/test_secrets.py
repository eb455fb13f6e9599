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
        (["s3cret"], ValueError("s3cret"), MASK),
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
def test_what_is_masked_and_what_is_not(secrets: list[str], text: object, expected: str) -> None:
    assert redactor(*secrets).redact(text) == expected


def on_one_line(text: str) -> str:
    return " ".join(text.lower().split())


@pytest.mark.parametrize(
    "secret",
    ['pa"ss\\w\u00f6rd 1', "two  blanks", "line\nbreak", "tab\there", "it's a long one", "CapitalLetters", "\udcff1"],
)
@pytest.mark.parametrize("form", [str, repr, json.dumps, str.lower, on_one_line, lambda text: repr(on_one_line(text))])
def test_a_secret_is_masked_in_every_form(secret: str, form: t.Callable[[str], str]) -> None:
    assert form(secret).strip("'\"") not in redactor(secret).redact(f"before {form(secret)} after")


def test_each_new_form_is_registered_once_and_at_once_and_blanks_are_no_secret() -> None:
    registered: list[str] = []
    cleaner = Redactor(registered.append)
    for value in ("", " ", "\n", None, "s/1 ", "s/1"):
        cleaner.add(value)
    assert registered == ["s/1 ", "s/1", "s%2F1"]
    assert cleaner.redact("two words\n") == "two words\n"


def test_data_is_cleaned_in_depth_and_keys_that_are_plain_names_stay() -> None:
    data = {"S3cret": ["S3cret", 1, None, ("S3cret", True)], "x": {"y": "S3cret"}, "users": "users"}
    expected = {MASK: [MASK, 1, None, [MASK, True]], "x": {"y": MASK}, "users": MASK}
    assert redactor("S3cret", "users").redact_data(data) == expected


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

"""Pages of a list that changes while it is read."""

from __future__ import annotations

import pytest

from tests.entra_emulator.listing import Entry, Query, cut


@pytest.mark.parametrize(
    ("after", "numbers", "last"),
    [(0, [1, 2], 2), (2, [5, 6], 6), (4, [5, 6], 6), (3, [5, 6], 6), (6, [7], None), (7, [], None), (9, [], None)],
)
def test_a_list_goes_on_behind_an_entry_that_is_gone(after: int, numbers: list[int], last: int | None) -> None:
    # 3 and 4 were there once.
    entries = [Entry(number, {"number": number}) for number in (1, 2, 5, 6, 7)]
    page = cut(entries, Query(size=2, after=after))
    assert [values["number"] for values in page.values] == numbers
    assert page.last == last

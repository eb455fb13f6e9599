"""Pages of a list that changes while it is read."""

from __future__ import annotations

import pytest

from tests.entra_emulator.listing import Entry, Query, cut
from tests.entra_emulator.tenant import Tenant

from .client import Client
from .kinds import Kind


@pytest.mark.parametrize(
    ("after", "numbers", "last"),
    [(0, [1, 2], 2), (2, [5, 6], 6), (4, [5, 6], 6), (3, [5, 6], 6), (6, [7], None), (7, [], None), (9, [], None)],
)
def test_a_list_goes_on_behind_an_entry_that_is_gone(after: int, numbers: list[int], last: int | None) -> None:
    # 3 and 4 were there once.
    entries = [Entry(number, {"number": number}) for number in (1, 2, 5, 6, 7)]

    page = cut(entries, Query(size=2, after=after, counted=True))

    assert [values["number"] for values in page.values] == numbers
    assert (page.last, page.total) == (last, 5)


def test_records_that_vanish_between_pages(kind: Kind, tenant: Tenant, graph: Client) -> None:
    tenant.switches.vanish_after_dismiss = True
    ids = kind.add_many(tenant, 6)
    first = graph.get(kind.path, top=2).json()
    graph.act("dismiss", *ids[:2], prefix=kind.path)

    second = graph.send("GET", first["@odata.nextLink"][len(graph.origin) :]).json()

    assert [each["id"] for each in second["value"]] == ids[2:4]

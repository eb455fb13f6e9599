"""Whom a fault hits. What each does is seen in the functional tests."""

from __future__ import annotations

from tests.entra_emulator.faults import Fault
from tests.entra_emulator.tenant import Tenant
from tests.entra_emulator.web import Request

from .client import Client


def test_a_fault_hits_what_it_is_for_and_for_so_long(tenant: Tenant, graph: Client) -> None:
    fault = tenant.add_fault(method="GET", path=r"\$top=7", nth=[2, 3], times=1, status=500, name="second seven")
    assert [graph.get(top=top).status_code for top in (7, 5, 7, 7)] == [200, 200, 500, 200]
    assert (fault.seen, fault.fired) == (3, 1)
    assert [entry["fault"] for entry in tenant.journal.entries] == [None, None, "second seven", None]
    fault, request = Fault(seconds=70, status=410), Request.of("graph", "GET", "/")
    assert [fault.hits(request, now) for now in (100, 169, 170)] == [True, True, False]

"""How a tenant can be made to behave."""

from __future__ import annotations

import typing as t

import pytest

from tests.entra_emulator.limiter import Limiter
from tests.entra_emulator.switches import Switches
from tests.entra_emulator.tenant import Tenant

from .client import Client


def test_the_limit_refuses_without_retry_after(tenant: Tenant, graph: Client) -> None:
    # One request in a quarter of an hour: whatever the machine is busy with, the second one comes too early.
    tenant.switches.rate_limit = 0.001
    user = tenant.add_user("adele.vance@contoso.example")
    assert graph.get().status_code == 200
    refused = graph.act("dismiss", user.id)
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "TooManyRequests")
    assert "Retry-After" not in refused.headers
    assert tenant.user(user.id) == user
    # The directory has limits of its own.
    assert graph.get(f"/v1.0/users/{user.id}").status_code == 200
    tenant.switches.rate_limit = None
    assert graph.act("dismiss", user.id).status_code == 204


@pytest.mark.parametrize(
    ("rate", "moments", "allowed"),
    [
        (None, [0, 0, 0], [True, True, True]),
        (1, [0, 0.5, 1.1, 2.2], [True, False, False, True]),
        (1, [0, 1.0, 2.0], [True, True, True]),
        (3, [0, 0.1, 0.2, 0.3, 1.35], [True, True, True, False, True]),
        (0.5, [0, 1.5, 3.6], [True, False, True]),
    ],
)
def test_refused_requests_count_too(rate: float | None, moments: list[float], allowed: list[bool]) -> None:
    clock = iter(moments)
    limiter = Limiter(clock=lambda: next(clock))
    assert [limiter.allows(rate) for dummy in moments] == allowed


@pytest.mark.parametrize(
    "changes",
    [{"orderby_mode": "maybe"}, {"nothing": 1}, {"licensed": 1}, {"rate_limit": "1"}, {"rate_limit": True},
     {"filter_refuse": "id"}, {"licensed": False, "page_size": "x"}],
)  # fmt: skip
def test_wrong_switches_change_nothing(changes: dict[str, t.Any]) -> None:
    switches = Switches()
    with pytest.raises(ValueError, match="switch"):
        switches.update(changes)
    assert switches == Switches()

"""The local tenant without a socket: the token counts, time is simulated, connections break."""

from __future__ import annotations

import pytest

from ansible_collections.identityops.entra_risk.plugins.module_utils._errors import NetworkError
from ansible_collections.identityops.entra_risk.tests.unit.plugins.module_utils.local_graph import (
    GRAPH,
    LOST,
    LOST_AFTER,
    RISKY,
    LocalGraph,
)


@pytest.mark.parametrize(("bearer", "status"), [(None, 401), ("made-up", 401), ("good", 200)])
def test_asks_for_a_good_token(bearer: str | None, status: int) -> None:
    graph = LocalGraph()
    token = graph.token if bearer == "good" else bearer
    assert graph.send("GET", f"{GRAPH}{RISKY}", bearer=token).status == status


def test_effects_and_dates_follow_the_simulated_clock() -> None:
    graph = LocalGraph(effect_delay=60, date_skew=5)
    key = graph.add(1)
    body = {"userIds": [key]}
    answer = graph.send("POST", f"{GRAPH}{RISKY}/dismiss", json_body=body, bearer=graph.token)
    assert (answer.status, answer.headers["date"]) == (204, "Sun, 22 Nov 2026 12:00:05 GMT")
    assert graph.state_of(key) == "atRisk"
    graph.time.sleep(61)
    assert graph.state_of(key) == "dismissed"


@pytest.mark.parametrize(("failure", "written"), [(LOST, 0), (LOST_AFTER, 1)])
def test_breaks_a_connection_before_or_after_the_effect(failure: str, written: int) -> None:
    graph = LocalGraph()
    body = {"userIds": [graph.add(1)]}
    graph.faults = {1: failure}
    with pytest.raises(NetworkError):
        graph.send("POST", f"{GRAPH}{RISKY}/dismiss", json_body=body, bearer=graph.token)
    assert len(graph.written) == written

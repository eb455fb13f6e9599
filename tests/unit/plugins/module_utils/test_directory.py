"""Look-ups in the directory, and the ways around what refuses them."""

from __future__ import annotations

import pytest

from ansible_collections.identityops.entra_risk.plugins.module_utils._errors import (
    PermissionDeniedError,
    RequestError,
    ServiceError,
)
from ansible_collections.identityops.entra_risk.plugins.module_utils._graph.directory import (
    SERVICE_PRINCIPALS,
    USERS,
    Directory,
)
from ansible_collections.identityops.entra_risk.plugins.module_utils._graph.names import fold
from ansible_collections.identityops.entra_risk.tests.unit.plugins.module_utils.local_graph import (
    GRAPH,
    LocalGraph,
    upn,
    user_id,
)


def people(count: int, *names: str) -> tuple[LocalGraph, Directory]:
    graph = LocalGraph()
    for number in range(count):
        graph.add_unlisted(number)
    for number, name in enumerate(names, 100):
        graph.tenant.add_user(name, id=user_id(number), listed=False)
    return graph, Directory(graph.client(), USERS, fold)


def test_asks_for_15_names_at_once_and_never_twice() -> None:
    graph, directory = people(20)
    names = [upn(number).upper() for number in range(31)]
    for dummy in range(2):
        found = directory.having(names)
        assert {name: item.id for name, item in found.items()} == {upn(n): user_id(n) for n in range(20)}
    assert len(graph.tenant.journal) == 3


@pytest.mark.parametrize("name", ["$ops@contoso.example", "o'hara@contoso.example", "a+b%20@contoso.example"])
def test_asks_for_each_where_all_at_once_is_refused(name: str) -> None:
    graph, directory = people(2, name)
    graph.tenant.add_fault(path=r"/users\?", status=400)
    found = directory.having([upn(0), name, "nobody@contoso.example"])
    assert {item.id for item in found.values()} == {user_id(0), user_id(100)}
    assert len(graph.tenant.journal) == 4


@pytest.mark.parametrize("path", [r"/users\?", r"/users/user0", "getByIds"])
def test_a_failing_service_is_no_refusal(path: str) -> None:
    graph, directory = people(1)
    graph.tenant.add_fault(path=path, status=500)
    if path.startswith("/users/"):
        graph.tenant.add_fault(path=r"/users\?", status=400)
    with pytest.raises(ServiceError):
        directory.existing([user_id(0)]) if path == "getByIds" else directory.having([upn(0)])


@pytest.mark.parametrize("status", [403, 400, 404, 501])
def test_finds_ids_where_the_cheapest_call_is_refused(status: int) -> None:
    graph, directory = people(3)
    graph.tenant.add_fault(path="getByIds", status=status)
    assert directory.existing([user_id(0), user_id(2), user_id(9)]).keys() == {user_id(0), user_id(2)}


def test_asks_no_more_after_the_first_refusal() -> None:
    graph, directory = people(1)
    graph.tenant.add_fault(path="/users", status=403)
    for dummy in range(2):
        with pytest.raises(PermissionDeniedError, match=r"User\.Read\.All"):
            directory.having([upn(0)])
    with pytest.raises(PermissionDeniedError):
        directory.existing([user_id(0)])
    assert len(graph.tenant.journal) == 1


@pytest.mark.parametrize("refused", [False, True])
def test_finds_applications_by_their_application_id(refused: bool) -> None:
    graph = LocalGraph()
    app = graph.tenant.add_service_principal("export", listed=False)
    app_id = str(app.directory["appId"]) if app.directory else ""
    if refused:
        graph.tenant.add_fault(path=r"/servicePrincipals\?", status=400)
    found = Directory(graph.client(), SERVICE_PRINCIPALS).having([app_id, user_id(9)])
    # Where filters are refused, there is the alternate key, which the local tenant does not know.
    assert {item.id for item in found.values()} == (set() if refused else {app.id})


@pytest.mark.parametrize("single", [False, True])
def test_another_refusal_is_not_taken_for_nobody(single: bool) -> None:
    graph, directory = people(1)
    graph.tenant.add_fault(path="/users/" if single else r"/users\?", status=405)
    graph.tenant.add_fault(path=r"/users\?", status=400)
    with pytest.raises(RequestError) as caught:
        directory.having([upn(0)])
    assert caught.value.status == 405


def test_asks_for_each_where_the_list_breaks_off() -> None:
    graph, directory = people(2)
    link = {"value": [], "@odata.nextLink": f"{GRAPH}/v1.0/users?$skiptoken=2"}
    graph.tenant.add_fault(path=r"/users\?.*skiptoken", status=400)
    graph.tenant.add_fault(path=r"/users\?", status=200, body=link)
    assert directory.having([upn(0), upn(1)]).keys() == {upn(0), upn(1)}

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.identityops.entra_risk.plugins.module_utils._errors import PermissionDeniedError
from ansible_collections.identityops.entra_risk.plugins.module_utils._graph.directory import (
    USERS,
    Directory,
    DirectoryObject,
)
from ansible_collections.identityops.entra_risk.tests.unit.plugins.module_utils.local_graph import (
    LocalGraph,
    upn,
    user_id,
)


@pytest.fixture
def tenant() -> LocalGraph:
    tenant = LocalGraph()
    tenant.add_unlisted(1)
    return tenant


def directory_of(tenant: LocalGraph) -> Directory:
    return Directory(tenant.client(), USERS)


def test_who_exists(tenant: LocalGraph) -> None:
    assert directory_of(tenant).find(upn(1)) == DirectoryObject(user_id(1), upn(1))
    assert tenant.log == [("GET", f"/v1.0/users/{upn(1)}", {"$select": "id,userPrincipalName"})]
    assert directory_of(tenant).find(user_id(1)) == DirectoryObject(user_id(1), upn(1))
    assert directory_of(tenant).find(upn(2)) is None


def test_each_key_is_asked_for_once(tenant: LocalGraph) -> None:
    directory = directory_of(tenant)
    for key in (upn(1), upn(1).upper(), upn(2), upn(2)):
        directory.find(key)
    assert tenant.look_ups == 2


@pytest.mark.parametrize("name", ["guest_example.org#EXT#@contoso.example", "o'neil@contoso.example", "a/b@x.example"])
def test_names_are_one_part_of_the_path(tenant: LocalGraph, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    urls: list[str] = []
    send = tenant.send

    def spy(method: str, url: str, **options: t.Any) -> t.Any:
        urls.append(url)
        return send(method, url, **options)

    monkeypatch.setattr(tenant, "send", spy)
    directory_of(tenant).find(name)
    assert urls[0].partition("/users/")[2].isascii()
    assert not set("#'/") & set(urls[0].partition("/users/")[2])


def test_after_a_refusal_nothing_more_is_asked(tenant: LocalGraph) -> None:
    tenant.directory_forbidden = True
    directory = directory_of(tenant)
    for dummy in range(3):
        with pytest.raises(PermissionDeniedError):
            directory.find(upn(1))
    assert tenant.look_ups == 1
    assert directory.forbidden is not None and "User.Read.All" in directory.forbidden.message


def test_a_name_that_the_directory_finds_impossible_belongs_to_nobody(tenant: LocalGraph) -> None:
    tenant.every = {"@contoso.example": 400}
    assert directory_of(tenant).find("$$@contoso.example") is None


@pytest.mark.parametrize("body", ["{}", '{"id": 7}', '{"id": null, "userPrincipalName": "x@y"}'])
def test_an_answer_without_an_id_is_nobody(tenant: LocalGraph, body: str) -> None:
    tenant.faults = {1: (200, body)}
    assert directory_of(tenant).find(upn(1)) is None


def test_a_user_may_have_no_name(tenant: LocalGraph) -> None:
    tenant.faults = {1: (200, '{"id": "ABC", "userPrincipalName": null}')}
    assert directory_of(tenant).find(upn(1)) == DirectoryObject("abc", None)


@pytest.mark.parametrize("body", ["{}", '{"value": null}', '{"value": [null, {}, {"id": 5}, "x"]}'])
def test_a_list_of_nobody(tenant: LocalGraph, body: str) -> None:
    tenant.faults = {1: (200, body)}
    assert directory_of(tenant).existing([user_id(1), user_id(2)]) == {}

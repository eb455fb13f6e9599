"""The list, one record, its history, and the directory."""

from __future__ import annotations

import re

import pytest

from tests.entra_emulator.tenant import Tenant

from .client import RISKY_USERS, UNKNOWN_ID, Client


def test_the_list_and_one_record_show_the_same(tenant: Tenant, graph: Client) -> None:
    user = tenant.add_user("adele.vance@contoso.example", risk_last_updated="2026-01-02T03:04:05.678Z")
    tenant.add_user("unlisted@contoso.example", listed=False)

    page = graph.get()
    single = graph.get(f"{RISKY_USERS}/{user.id.upper()}")

    assert page.json()["value"] == [
        {
            "id": user.id,
            "isDeleted": False,
            "isProcessing": False,
            "riskDetail": "none",
            "riskLastUpdatedDateTime": "2026-01-02T03:04:05.6780000Z",
            "riskLevel": "medium",
            "riskState": "atRisk",
            "userDisplayName": "Adele Vance",
            "userPrincipalName": "adele.vance@contoso.example",
        }
    ]
    assert page.json()["@odata.context"] == f"{graph.origin}/v1.0/$metadata#identityProtection/riskyUsers"
    context = single.json().pop("@odata.context")
    assert context.endswith("#identityProtection/riskyUsers/$entity")
    assert {**page.json()["value"][0], "@odata.context": context} == single.json()


def test_every_answer_has_the_headers_of_graph(tenant: Tenant, graph: Client) -> None:
    own = "3f0d2c1b-0000-4000-8000-000000000001"

    good = graph.get(headers={"client-request-id": own})
    bad = graph.get(f"{RISKY_USERS}/{UNKNOWN_ID}", headers={"client-request-id": own})

    for answer in (good, bad):
        assert re.fullmatch(r"[0-9a-f-]{36}", answer.headers["request-id"])
        assert answer.headers["client-request-id"] == own
        assert answer.headers["Date"].endswith(" GMT")
        assert "ServerInfo" in answer.headers["x-ms-ags-diagnostic"]
    inner = bad.json()["error"]["innerError"]
    assert (bad.status_code, bad.json()["error"]["code"]) == (404, "ResourceNotFound")
    assert (inner["request-id"], inner["client-request-id"]) == (bad.headers["request-id"], own)


def test_pages_hold_everybody_once(tenant: Tenant, graph: Client) -> None:
    ids = tenant.add_users(25)

    pages = graph.everybody(top=10, select="id,riskState", filter="riskState eq 'atRisk'")

    assert [len(page) for page in pages] == [10, 10, 5]
    assert [user["id"] for page in pages for user in page] == ids
    assert set(pages[0][0]) == {"id", "riskState"}


def test_pages_survive_changes_between_them(tenant: Tenant, graph: Client) -> None:
    ids = tenant.add_users(6)
    first = graph.get(top=2, filter="riskState eq 'atRisk'").json()
    graph.act("dismiss", ids[0], ids[1])

    second = graph.send("GET", first["@odata.nextLink"][len(graph.origin) :]).json()

    assert [user["id"] for user in second["value"]] == ids[2:4]


@pytest.mark.parametrize(("top", "sizes"), [(None, [100, 20]), (500, [120]), (60, [60, 60])])
def test_the_size_of_pages(top: int | None, sizes: list[int], tenant: Tenant, graph: Client) -> None:
    tenant.add_users(120)

    pages = graph.everybody(**({} if top is None else {"top": top}))

    assert [len(page) for page in pages] == sizes


def test_next_links_keep_the_origin_and_cannot_be_made_up(tenant: Tenant, graph: Client) -> None:
    tenant.add_users(3)
    link = graph.get(top=1, filter="riskState eq 'atRisk'").json()["@odata.nextLink"]
    path = link[len(graph.origin) :]
    token = path.rpartition("skiptoken=")[2]

    assert link.startswith(f"{graph.origin}{RISKY_USERS}?")
    assert graph.send("GET", path).status_code == 200
    for forged in (path.replace(token, "0" * 48 + "_1"), path.replace("$top=1", "$top=2")):
        answer = graph.send("GET", forged)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BadRequest")


def test_counts(tenant: Tenant, graph: Client) -> None:
    tenant.add_users(3)
    tenant.add_user("x@contoso.example", risk_state="dismissed")

    assert graph.get(count="true", top=1, filter="riskState eq 'atRisk'").json()["@odata.count"] == 3
    assert graph.get(f"{RISKY_USERS}/$count").text == "4"


@pytest.mark.breaks_contract
@pytest.mark.parametrize(
    "query",
    ["top=5", "$top=0", "$top=501", "$top=x", "$orderby=id", "$expand=history", "$skip=1", "$select=", "$select=secret",
     "$select=id&$select=riskState", "filter=x", "$count=maybe", "$skiptoken=x", "$foo=1", "=1"],
)  # fmt: skip
def test_unknown_and_malformed_options(query: str, graph: Client) -> None:
    answer = graph.send("GET", f"{RISKY_USERS}?{query}")

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BadRequest")


@pytest.mark.parametrize("text", ["riskState eq atRisk", "nothing eq 'x'", "riskState eq 'bogus'"])
def test_a_bad_filter(text: str, graph: Client) -> None:
    answer = graph.get(filter=text)

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "BadRequest"
    assert answer.json()["error"]["message"] == "Invalid filter clause"


def test_v1_has_only_the_long_path(tenant: Tenant, graph: Client) -> None:
    tenant.add_user("adele.vance@contoso.example")

    for path in (RISKY_USERS, "/beta/identityProtection/riskyUsers", "/beta/riskyUsers"):
        assert len(graph.get(path).json()["value"]) == 1


@pytest.mark.breaks_contract
@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/v1.0/riskyUsers", "Resource not found for the segment 'riskyUsers'."),
        ("/v1.0/identityProtection/riskyPeople", "Resource not found for the segment 'riskyPeople'."),
        ("/v1.0/identityProtection", "Resource not found for the segment ''."),
        ("/v2.0/identityProtection/riskyUsers", "Invalid version: v2.0"),
        ("/", "Invalid version: "),
    ],
)
def test_unknown_paths(path: str, message: str, graph: Client) -> None:
    answer = graph.get(path)

    assert (answer.status_code, answer.json()["error"]["message"]) == (400, message)


@pytest.mark.breaks_contract
def test_other_methods_are_refused(tenant: Tenant, graph: Client) -> None:
    user = tenant.add_user("adele.vance@contoso.example")

    for method, path in (
        ("DELETE", f"{RISKY_USERS}/{user.id}"),
        ("PATCH", RISKY_USERS),
        ("GET", f"{RISKY_USERS}/dismiss"),
    ):
        assert graph.send(method, path).status_code == 405
    assert tenant.user(user.id).listed


def test_late_members_show_only_to_those_who_ask(tenant: Tenant, graph: Client) -> None:
    user = tenant.add_user("adele.vance@contoso.example", risk_state="confirmedSafe")
    path = f"{RISKY_USERS}/{user.id}"

    assert graph.get(path).json()["riskDetail"] == "unknownFutureValue"
    answer = graph.get(path, headers={"Prefer": "include-unknown-enum-members"})
    assert answer.json()["riskDetail"] == "adminConfirmedAccountSafe"
    assert answer.headers["Preference-Applied"] == "include-unknown-enum-members"


def test_the_directory_is_asked_by_id_or_name(tenant: Tenant, graph: Client) -> None:
    user = tenant.add_user("old@contoso.example", directory_upn="new.name@contoso.example")
    tenant.add_user("gone@contoso.example", deleted=True)

    for key in (user.id, "new.name@contoso.example", "New.Name%40contoso.example"):
        assert (
            graph.get(f"/v1.0/users/{key}", select="id,userPrincipalName").json().items()
            >= {
                "id": user.id,
                "userPrincipalName": "new.name@contoso.example",
            }.items()
        )
    for key in ("old@contoso.example", "gone@contoso.example", UNKNOWN_ID):
        answer = graph.get(f"/v1.0/users/{key}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "Request_ResourceNotFound")
    assert set(graph.get(f"/v1.0/users/{user.id}").json()) == {
        "@odata.context",
        "id",
        "displayName",
        "mail",
        "userPrincipalName",
    }


def test_guests_have_marks_in_their_names(tenant: Tenant, graph: Client) -> None:
    guest = tenant.add_user("n_fabrikam.example#EXT#@contoso.example", user_type="Guest", listed=False)

    answer = graph.get("/v1.0/users/n_fabrikam.example%23EXT%23@contoso.example", select="id,userType")

    assert (answer.json()["id"], answer.json()["userType"]) == (guest.id, "Guest")


def test_a_name_with_a_leading_dollar_needs_brackets(tenant: Tenant, graph: Client) -> None:
    user = tenant.add_user("$o'neil@contoso.example")
    assert graph.get("/v1.0/users('%24o''neil@contoso.example')").json()["id"] == user.id
    assert graph.get("/v1.0/users('nobody@contoso.example')").status_code == 404


def test_the_directory_takes_a_filter(tenant: Tenant, graph: Client) -> None:
    users = [tenant.add_user(f"{name}@contoso.example") for name in ("a", "b", "c")]

    answer = graph.get("/v1.0/users", filter="userPrincipalName in ('A@contoso.example','c@contoso.example')")
    many = ",".join(f"'{number}'" for number in range(16))
    too_many = graph.get("/v1.0/users", filter=f"id in ({many})")

    assert [user["id"] for user in answer.json()["value"]] == [users[0].id, users[2].id]
    assert too_many.status_code == 400
    assert "Too many child clauses" in too_many.json()["error"]["message"]
    assert graph.get("/v1.0/users", filter="nothing eq 'x'").json()["error"]["code"] == "Request_UnsupportedQuery"
    assert graph.get("/v1.0/users", top=2).status_code == 400


def test_objects_are_found_by_their_ids(tenant: Tenant, graph: Client) -> None:
    user = tenant.add_user("adele.vance@contoso.example")
    gone = tenant.add_user("gone@contoso.example", deleted=True)

    answer = graph.send(
        "POST",
        "/v1.0/directoryObjects/getByIds?$select=id",
        json={"ids": [user.id, gone.id, UNKNOWN_ID], "types": ["user"]},
    )

    assert answer.json()["value"] == [{"@odata.type": "#microsoft.graph.user", "id": user.id}]


@pytest.mark.breaks_contract
@pytest.mark.parametrize(
    "body",
    [{}, {"ids": []}, {"ids": ["x"]}, {"ids": [UNKNOWN_ID], "more": 1}, {"ids": [UNKNOWN_ID], "types": "user"},
     {"ids": [UNKNOWN_ID], "types": ["device"]}, {"ids": [UNKNOWN_ID, UNKNOWN_ID]}, {"ids": [UNKNOWN_ID], "types": []},
     {"ids": [f"{UNKNOWN_ID[:-4]}{number:04d}" for number in range(1001)]}],
)  # fmt: skip
def test_a_malformed_question_for_objects(body: dict[str, object], graph: Client) -> None:
    assert graph.send("POST", "/v1.0/directoryObjects/getByIds", json=body).status_code == 400

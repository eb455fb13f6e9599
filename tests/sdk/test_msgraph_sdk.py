"""Proof of fidelity by a client that nobody here wrote: msgraph-sdk with azure-identity, both unmodified.

If the local tenant differs from what Microsoft generated its client for, this is where it shows.
"""

from __future__ import annotations

import asyncio
import typing as t

import pytest
from azure.identity.aio import ClientSecretCredential
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from msgraph.generated.directory_objects.get_by_ids.get_by_ids_post_request_body import GetByIdsPostRequestBody
from msgraph.generated.identity_protection.risk_detections.risk_detections_request_builder import (
    RiskDetectionsRequestBuilder,
)
from msgraph.generated.identity_protection.risky_service_principals.confirm_compromised import (
    confirm_compromised_post_request_body as compromised_workloads,
)
from msgraph.generated.identity_protection.risky_service_principals.dismiss import (
    dismiss_post_request_body as dismissed_workloads,
)
from msgraph.generated.identity_protection.risky_users.confirm_compromised import (
    confirm_compromised_post_request_body as compromised,
)
from msgraph.generated.identity_protection.risky_users.confirm_safe.confirm_safe_post_request_body import (
    ConfirmSafePostRequestBody,
)
from msgraph.generated.identity_protection.risky_users.dismiss.dismiss_post_request_body import DismissPostRequestBody
from msgraph.generated.identity_protection.risky_users.risky_users_request_builder import RiskyUsersRequestBuilder
from msgraph.generated.models.activity_type import ActivityType
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.risk_detail import RiskDetail
from msgraph.generated.models.risk_detection_timing_type import RiskDetectionTimingType
from msgraph.generated.models.risk_level import RiskLevel
from msgraph.generated.models.risk_state import RiskState
from msgraph.generated.models.service_principal import ServicePrincipal
from msgraph.generated.models.token_issuer_type import TokenIssuerType
from msgraph.generated.models.user import User
from msgraph.graph_request_adapter import GraphRequestAdapter
from msgraph.graph_service_client import GraphServiceClient

from tests.entra_emulator import resources
from tests.entra_emulator.apps import App
from tests.entra_emulator.emulator import Emulator
from tests.entra_emulator.tenant import Tenant

T = t.TypeVar("T")
Query = RiskyUsersRequestBuilder.RiskyUsersRequestBuilderGetQueryParameters
DetectionQuery = RiskDetectionsRequestBuilder.RiskDetectionsRequestBuilderGetQueryParameters
UNKNOWN_ID = "ffffffff-ffff-4fff-8fff-ffffffffffff"

Run = t.Callable[[t.Callable[[GraphServiceClient], t.Coroutine[t.Any, t.Any, T]]], T]


@pytest.fixture
def run(emulator: Emulator, tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> Run[t.Any]:
    """Log in and carry out some coroutine with a client, as an app with all permissions."""
    return runner(emulator, tenant, tenant.add_app(roles=resources.ALL_ROLES), monkeypatch)


def runner(emulator: Emulator, tenant: Tenant, app: App, monkeypatch: pytest.MonkeyPatch) -> Run[t.Any]:
    # The client reads the first, the login the second.
    monkeypatch.setenv("SSL_CERT_FILE", emulator.ca_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", emulator.ca_path)
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")

    async def with_client(work: t.Callable[[GraphServiceClient], t.Coroutine[t.Any, t.Any, T]]) -> T:
        async with ClientSecretCredential(
            tenant.id, app.client_id, app.secret or "", authority=emulator.login_url, disable_instance_discovery=True
        ) as credential:
            provider = AzureIdentityAuthenticationProvider(
                credential, scopes=[f"{emulator.graph_url}/.default"], allowed_hosts=["localhost"]
            )
            adapter = GraphRequestAdapter(provider)
            adapter.base_url = f"{emulator.graph_url}/v1.0"
            return await work(GraphServiceClient(request_adapter=adapter))

    return lambda work: asyncio.run(with_client(work))


def test_the_list_goes_over_several_pages(run: Run[list[str]], tenant: Tenant) -> None:
    ids = tenant.add_users(12)

    async def work(client: GraphServiceClient) -> list[str]:
        builder = client.identity_protection.risky_users
        page = await builder.get(RequestConfiguration(query_parameters=Query(top=5, select=["id", "riskState"])))
        found = []
        while page is not None:
            found += [user.id or "" for user in page.value or []]
            if page.odata_next_link is None:
                break
            page = await builder.with_url(page.odata_next_link).get()
        return found

    assert run(work) == ids
    assert len(tenant.journal.select(listener="graph")) == 3


def test_a_filter_chooses(run: Run[t.Any], tenant: Tenant) -> None:
    tenant.add_user("safe@contoso.example", risk_state="dismissed")
    risky = tenant.add_user(
        "risky@contoso.example", risk_level="high", risk_last_updated="2026-01-02T03:04:05.6789012Z"
    )

    async def work(client: GraphServiceClient) -> t.Any:
        query = Query(filter="riskState eq 'atRisk' and riskLevel eq 'high'", count=True)
        return await client.identity_protection.risky_users.get(RequestConfiguration(query_parameters=query))

    page = run(work)
    (user,) = page.value
    assert page.odata_count == 1
    assert (user.id, user.user_principal_name) == (risky.id, "risky@contoso.example")
    assert (user.risk_state, user.risk_level, user.risk_detail) == (RiskState.AtRisk, RiskLevel.High, RiskDetail.None_)
    assert user.is_deleted is False and user.is_processing is False
    assert user.risk_last_updated_date_time.isoformat().startswith("2026-01-02T03:04:05.678901")


def test_one_user_and_its_history(run: Run[t.Any], tenant: Tenant) -> None:
    user = tenant.add_user("adele.vance@contoso.example")
    tenant.change_user(user.id, risk_state="remediated", risk_level="none")

    async def work(client: GraphServiceClient) -> t.Any:
        builder = client.identity_protection.risky_users.by_risky_user_id(user.id)
        return await builder.get(), await builder.history.get()

    found, history = run(work)
    assert (found.id, found.risk_state) == (user.id, RiskState.Remediated)
    assert [item.risk_state for item in history.value] == [RiskState.AtRisk, RiskState.Remediated]
    assert history.value[0].activity.risk_event_types == ["unfamiliarFeatures"]
    assert history.value[0].user_id == user.id


def test_the_three_actions(run: Run[t.Any], tenant: Tenant) -> None:
    ids = tenant.add_users(3)

    async def work(client: GraphServiceClient) -> t.Any:
        users = client.identity_protection.risky_users
        await users.dismiss.post(DismissPostRequestBody(user_ids=[ids[0]]))
        await users.confirm_compromised.post(compromised.ConfirmCompromisedPostRequestBody(user_ids=[ids[1]]))
        await users.confirm_safe.post(ConfirmSafePostRequestBody(user_ids=[ids[2]]))
        return await users.get()

    page = run(work)
    assert [user.risk_state for user in page.value] == [
        RiskState.Dismissed,
        RiskState.ConfirmedCompromised,
        RiskState.ConfirmedSafe,
    ]
    assert [user.risk_level for user in page.value] == [RiskLevel.None_, RiskLevel.High, RiskLevel.None_]
    assert tenant.journal.summary()["written"] == ids


def test_service_principals_are_dismissed_and_confirmed(run: Run[t.Any], tenant: Tenant) -> None:
    ids = tenant.add_service_principals(3)

    async def work(client: GraphServiceClient) -> t.Any:
        workloads = client.identity_protection.risky_service_principals
        await workloads.dismiss.post(dismissed_workloads.DismissPostRequestBody(service_principal_ids=[ids[0]]))
        await workloads.confirm_compromised.post(
            compromised_workloads.ConfirmCompromisedPostRequestBody(service_principal_ids=[ids[1]])
        )
        return await workloads.get()

    page = run(work)
    assert [each.risk_state for each in page.value] == [
        RiskState.Dismissed,
        RiskState.ConfirmedCompromised,
        RiskState.AtRisk,
    ]
    assert [each.risk_level for each in page.value] == [RiskLevel.None_, RiskLevel.High, RiskLevel.Medium]
    assert [each.display_name for each in page.value] == ["workload00001", "workload00002", "workload00003"]
    assert all(each.is_enabled is True and each.service_principal_type == "Application" for each in page.value)
    assert tenant.journal.summary()["written"] == ids[:2]


def test_one_service_principal_and_its_history(run: Run[t.Any], tenant: Tenant) -> None:
    added = tenant.add_service_principal("Payroll Sync")
    tenant.change_service_principal(added.id, risk_state="remediated", risk_level="none")

    async def work(client: GraphServiceClient) -> t.Any:
        builder = client.identity_protection.risky_service_principals.by_risky_service_principal_id(added.id)
        return await builder.get(), await builder.history.get()

    found, history = run(work)
    assert (found.id, found.display_name, found.risk_state) == (added.id, "Payroll Sync", RiskState.Remediated)
    assert [item.risk_state for item in history.value] == [RiskState.AtRisk, RiskState.Remediated]
    assert history.value[0].activity.risk_event_types == ["suspiciousSignins"]


def test_history_goes_over_several_pages(run: Run[list[str]], tenant: Tenant) -> None:
    tenant.switches.page_size = 2
    user = tenant.add_user("adele.vance@contoso.example", history=[{"id": str(number)} for number in range(5)])

    async def work(client: GraphServiceClient) -> list[str]:
        builder = client.identity_protection.risky_users.by_risky_user_id(user.id).history
        page = await builder.get()
        found = []
        while page is not None:
            found += [item.id or "" for item in page.value or []]
            page = await builder.with_url(page.odata_next_link).get() if page.odata_next_link else None
        return found

    assert run(work) == list("01234")


def test_detections_come_newest_first(run: Run[t.Any], tenant: Tenant) -> None:
    user = tenant.add_user("adele.vance@contoso.example")
    ids = tenant.add_detections(7, user.id, risk_event_type="passwordSpray", risk_level="high")

    async def work(client: GraphServiceClient) -> list[str]:
        builder = client.identity_protection.risk_detections
        query = DetectionQuery(
            top=3, orderby=["detectedDateTime desc"], filter=f"userId eq '{user.id}' and riskLevel eq 'high'"
        )
        page = await builder.get(RequestConfiguration(query_parameters=query))
        found = []
        while page is not None:
            found += [item.id or "" for item in page.value or []]
            page = await builder.with_url(page.odata_next_link).get() if page.odata_next_link else None
        return found

    assert run(work) == ids[::-1]


def test_one_detection(run: Run[t.Any], tenant: Tenant) -> None:
    user = tenant.add_user("adele.vance@contoso.example")
    added = tenant.add_detection(user.id, risk_event_type="unlikelyTravel", detected="2026-01-02T03:04:05.6789012Z")

    async def work(client: GraphServiceClient) -> t.Any:
        return await client.identity_protection.risk_detections.by_risk_detection_id(added["id"]).get()

    found = run(work)
    assert (found.user_id, found.user_principal_name) == (user.id, "adele.vance@contoso.example")
    assert (found.risk_event_type, found.risk_state, found.risk_level) == (
        "unlikelyTravel",
        RiskState.AtRisk,
        RiskLevel.Medium,
    )
    assert (found.activity, found.detection_timing_type, found.token_issuer_type) == (
        ActivityType.Signin,
        RiskDetectionTimingType.Realtime,
        TokenIssuerType.AzureAD,
    )
    assert (found.location.city, found.location.country_or_region) == ("Lisbon", "PT")
    assert found.location.geo_coordinates.latitude == added["location"]["geoCoordinates"]["latitude"]
    assert found.detected_date_time.isoformat().startswith("2026-01-02T03:04:05.678901")
    assert found.additional_info == added["additionalInfo"]


def test_objects_of_both_types_are_told_apart(run: Run[t.Any], tenant: Tenant) -> None:
    user = tenant.add_user("adele.vance@contoso.example")
    workload = tenant.add_service_principal("Payroll Sync")

    async def work(client: GraphServiceClient) -> t.Any:
        body = GetByIdsPostRequestBody(ids=[user.id, workload.id], types=["user", "servicePrincipal"])
        objects = await client.directory_objects.get_by_ids.post(body)
        return objects, await client.service_principals.by_service_principal_id(workload.id).get()

    objects, found = run(work)
    assert [type(each) for each in objects.value] == [User, ServicePrincipal]
    assert (objects.value[1].display_name, found.app_id) == ("Payroll Sync", objects.value[1].app_id)


def test_an_error_is_understood(run: Run[t.Any], tenant: Tenant) -> None:
    async def work(client: GraphServiceClient) -> t.Any:
        return await client.identity_protection.risky_users.by_risky_user_id(UNKNOWN_ID).get()

    with pytest.raises(ODataError) as caught:
        run(work)
    error = caught.value.error
    assert caught.value.response_status_code == 404
    assert error is not None and error.code == "ResourceNotFound" and error.message
    assert error.inner_error is not None
    assert error.inner_error.request_id and error.inner_error.client_request_id and error.inner_error.date


def test_a_missing_permission_is_understood(
    emulator: Emulator, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = runner(emulator, tenant, tenant.add_app(roles=["IdentityRiskyUser.Read.All"]), monkeypatch)
    user = tenant.add_user("adele.vance@contoso.example")

    async def work(client: GraphServiceClient) -> t.Any:
        return await client.identity_protection.risky_users.dismiss.post(DismissPostRequestBody(user_ids=[user.id]))

    with pytest.raises(ODataError) as caught:
        run(work)
    assert caught.value.response_status_code == 403
    assert caught.value.error is not None and caught.value.error.code == "Forbidden"
    assert tenant.user(user.id) == user


def test_a_user_of_the_directory(run: Run[t.Any], tenant: Tenant) -> None:
    user = tenant.add_user("old@contoso.example", directory_upn="new@contoso.example", listed=False)

    async def work(client: GraphServiceClient) -> t.Any:
        return await client.users.by_user_id("new@contoso.example").get()

    assert run(work).id == user.id


def test_the_members_of_the_enumerations_are_microsofts() -> None:
    for ours, theirs in (
        (resources.RISK_STATES, RiskState),
        (resources.RISK_LEVELS, RiskLevel),
        (resources.RISK_DETAILS, RiskDetail),
        (resources.ACTIVITIES, ActivityType),
        (resources.TIMINGS, RiskDetectionTimingType),
        (resources.TOKEN_ISSUERS, TokenIssuerType),
    ):
        # Their client may be older or newer than our table, but the members that both know are spelled alike.
        names = {member.value for member in theirs}
        assert names <= set(ours) or set(ours) <= names

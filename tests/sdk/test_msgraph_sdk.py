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
from tests.entra_emulator.emulator import Emulator
from tests.entra_emulator.tenant import Tenant

Query = RiskyUsersRequestBuilder.RiskyUsersRequestBuilderGetQueryParameters
DetectionQuery = RiskDetectionsRequestBuilder.RiskDetectionsRequestBuilderGetQueryParameters
UNKNOWN_ID = "ffffffff-ffff-4fff-8fff-ffffffffffff"

Run = t.Callable[[t.Callable[[GraphServiceClient], t.Coroutine[t.Any, t.Any, t.Any]]], t.Any]


@pytest.fixture
def run(emulator: Emulator, tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Log in and carry out some coroutine with a client, as an app with all permissions."""
    app = tenant.add_app(roles=resources.ALL_ROLES)
    # The client reads the first, the login the second.
    monkeypatch.setenv("SSL_CERT_FILE", emulator.ca_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", emulator.ca_path)
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")

    async def with_client(work: t.Callable[[GraphServiceClient], t.Coroutine[t.Any, t.Any, t.Any]]) -> t.Any:
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


async def ids_of(builder: t.Any, query: t.Any = None) -> list[str]:
    """The ids of a list, over all its pages."""
    page = await builder.get(RequestConfiguration(query_parameters=query))
    found = []
    while page is not None:
        found += [item.id for item in page.value]
        page = await builder.with_url(page.odata_next_link).get() if page.odata_next_link else None
    return found


def test_lists_go_over_several_pages(run: Run, tenant: Tenant) -> None:
    ids = tenant.add_users(12)
    user = tenant.add_user("adele.vance@contoso.example", history=[{"id": str(number)} for number in range(5)]).id
    detections = tenant.add_detections(7, user, risk_event_type="passwordSpray", risk_level="high")
    query = Query(top=5, select=["id", "riskState"])
    assert run(lambda client: ids_of(client.identity_protection.risky_users, query)) == [*ids, user]
    assert len(tenant.journal.select(listener="graph")) == 3
    newest = DetectionQuery(
        top=3, orderby=["detectedDateTime desc"], filter=f"userId eq '{user}' and riskLevel eq 'high'"
    )
    assert run(lambda client: ids_of(client.identity_protection.risk_detections, newest)) == detections[::-1]
    tenant.switches.page_size = 2
    history = run(lambda client: ids_of(client.identity_protection.risky_users.by_risky_user_id(user).history))
    assert history == list("01234")


def test_a_filter_chooses(run: Run, tenant: Tenant) -> None:
    tenant.add_user("safe@contoso.example", risk_state="dismissed")
    risky = tenant.add_user(
        "risky@contoso.example", risk_level="high", risk_last_updated="2026-01-02T03:04:05.6789012Z"
    )
    query = RequestConfiguration(query_parameters=Query(filter="riskState eq 'atRisk' and riskLevel eq 'high'"))
    page = run(lambda client: client.identity_protection.risky_users.get(query))
    (user,) = page.value
    assert (user.id, user.user_principal_name) == (risky.id, "risky@contoso.example")
    assert (user.risk_state, user.risk_level, user.risk_detail) == (RiskState.AtRisk, RiskLevel.High, RiskDetail.None_)
    assert user.is_deleted is False and user.is_processing is False
    assert user.risk_last_updated_date_time.isoformat().startswith("2026-01-02T03:04:05.678901")


def test_one_object_of_each_kind_and_its_history(run: Run, tenant: Tenant) -> None:
    user, workload = tenant.add_user("adele.vance@contoso.example"), tenant.add_service_principal("Payroll Sync")
    tenant.change_user(user.id, risk_state="remediated", risk_level="none")
    tenant.change_service_principal(workload.id, risk_state="remediated", risk_level="none")

    async def work(client: GraphServiceClient) -> t.Any:
        people = client.identity_protection.risky_users.by_risky_user_id(user.id)
        workloads = client.identity_protection.risky_service_principals
        builders: list[t.Any] = [people, workloads.by_risky_service_principal_id(workload.id)]
        return [(await each.get(), (await each.history.get()).value) for each in builders]

    (person, of_person), (app, of_app) = run(work)
    assert (person.id, app.id, app.display_name) == (user.id, workload.id, "Payroll Sync")
    assert person.risk_state == app.risk_state == RiskState.Remediated
    for history, kind in ((of_person, "unfamiliarFeatures"), (of_app, "suspiciousSignins")):
        assert [item.risk_state for item in history] == [RiskState.AtRisk, RiskState.Remediated]
        assert history[0].activity.risk_event_types == [kind]
    assert of_person[0].user_id == user.id


def test_the_actions(run: Run, tenant: Tenant) -> None:
    ids, apps = tenant.add_users(3), tenant.add_service_principals(3)

    async def work(client: GraphServiceClient) -> t.Any:
        users, workloads = client.identity_protection.risky_users, client.identity_protection.risky_service_principals
        await users.dismiss.post(DismissPostRequestBody(user_ids=[ids[0]]))
        await users.confirm_compromised.post(compromised.ConfirmCompromisedPostRequestBody(user_ids=[ids[1]]))
        await users.confirm_safe.post(ConfirmSafePostRequestBody(user_ids=[ids[2]]))
        await workloads.dismiss.post(dismissed_workloads.DismissPostRequestBody(service_principal_ids=[apps[0]]))
        await workloads.confirm_compromised.post(
            compromised_workloads.ConfirmCompromisedPostRequestBody(service_principal_ids=[apps[1]])
        )
        return (await users.get()).value, (await workloads.get()).value

    people, workloads = run(work)
    assert [(each.risk_state, each.risk_level) for each in people] == [
        (RiskState.Dismissed, RiskLevel.None_),
        (RiskState.ConfirmedCompromised, RiskLevel.High),
        (RiskState.ConfirmedSafe, RiskLevel.None_),
    ]
    assert [(each.risk_state, each.risk_level) for each in workloads] == [
        (RiskState.Dismissed, RiskLevel.None_),
        (RiskState.ConfirmedCompromised, RiskLevel.High),
        (RiskState.AtRisk, RiskLevel.Medium),
    ]
    assert [each.display_name for each in workloads] == ["workload00001", "workload00002", "workload00003"]
    assert all(each.is_enabled is True and each.service_principal_type == "Application" for each in workloads)
    assert tenant.journal.summary()["written"] == [*ids, *apps[:2]]


def test_one_detection(run: Run, tenant: Tenant) -> None:
    user = tenant.add_user("adele.vance@contoso.example")
    added = tenant.add_detection(user.id, risk_event_type="unlikelyTravel", detected="2026-01-02T03:04:05.6789012Z")
    found = run(lambda client: client.identity_protection.risk_detections.by_risk_detection_id(added["id"]).get())
    assert (found.user_id, found.user_principal_name) == (user.id, "adele.vance@contoso.example")
    assert found.risk_event_type == "unlikelyTravel"
    assert (found.risk_state, found.risk_level, found.activity) == (
        RiskState.AtRisk,
        RiskLevel.Medium,
        ActivityType.Signin,
    )
    assert found.detection_timing_type == RiskDetectionTimingType.Realtime
    assert found.token_issuer_type == TokenIssuerType.AzureAD
    assert (found.location.city, found.location.country_or_region) == ("Lisbon", "PT")
    assert found.location.geo_coordinates.latitude == added["location"]["geoCoordinates"]["latitude"]
    assert found.detected_date_time.isoformat().startswith("2026-01-02T03:04:05.678901")
    assert found.additional_info == added["additionalInfo"]


def test_the_directory(run: Run, tenant: Tenant) -> None:
    user = tenant.add_user("old@contoso.example", directory_upn="new@contoso.example", listed=False)
    workload = tenant.add_service_principal("Payroll Sync")
    body = GetByIdsPostRequestBody(ids=[user.id, workload.id], types=["user", "servicePrincipal"])
    objects = run(lambda client: client.directory_objects.get_by_ids.post(body)).value
    assert [type(each) for each in objects] == [User, ServicePrincipal]
    found = run(lambda client: client.service_principals.by_service_principal_id(workload.id).get())
    assert (found.display_name, found.app_id) == ("Payroll Sync", objects[1].app_id)
    assert run(lambda client: client.users.by_user_id("new@contoso.example").get()).id == user.id


def test_an_error_is_understood(run: Run) -> None:
    with pytest.raises(ODataError) as caught:
        run(lambda client: client.identity_protection.risky_users.by_risky_user_id(UNKNOWN_ID).get())
    error = caught.value.error
    assert caught.value.response_status_code == 404
    assert error is not None and error.code == "ResourceNotFound" and error.message
    assert error.inner_error is not None
    assert error.inner_error.request_id and error.inner_error.client_request_id and error.inner_error.date


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

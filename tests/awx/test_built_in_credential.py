"""AWX's built-in credential *Microsoft Azure Resource Manager* is enough: filled in right, and wrong."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from tests.entra_emulator.tenant import Tenant

from .credentials import AzureResourceManager, CredentialType
from .jobs import DISMISS_RISK, Controller

ADELE = "adele.vance@contoso.example"


@pytest.mark.parametrize("cloud", ["", "AzureCloud", "AzureUSGovernment"])
def test_tenant_client_and_secret(
    cloud: str, awx: Controller, tenant: Tenant, credential: AzureResourceManager
) -> None:
    user = tenant.add_user(ADELE)

    job = awx.launch(
        DISMISS_RISK,
        dataclasses.replace(credential, cloud_environment=cloud),
        survey={"entra_risk_users": ADELE},
    )

    assert (job.status, job.changed) == ("successful", 1)
    assert tenant.user(user.id).risk_state == "dismissed"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (
            {"secret": ""},
            "The credentials are incomplete. Missing: one of secret (AZURE_SECRET or AZURE_CLIENT_SECRET)",
        ),
        ({"tenant": ""}, "Missing: tenant (AZURE_TENANT or AZURE_TENANT_ID); client_id (AZURE_CLIENT_ID)"),
        ({"client": ""}, "Missing: tenant (AZURE_TENANT or AZURE_TENANT_ID); client_id (AZURE_CLIENT_ID)"),
        (
            {"tenant": "", "client": "", "username": "operator@contoso.example", "password": "Canary9PersonPassword"},
            "Logging in as a user with a password is not supported",
        ),
        (
            {"client": "", "password": "Canary9PersonPassword", "cloud_environment": "AzureUSGovernment"},
            "Use an application: tenant, client_id and one of secret",
        ),
        ({"cloud_environment": "AzureChinaCloud"}, "does not exist in the cloud operated by 21Vianet"),
    ],
)
def test_what_it_lacks_is_said(
    fields: dict[str, str], words: str, awx: Controller, tenant: Tenant, credential: AzureResourceManager
) -> None:
    job = awx.launch(DISMISS_RISK, dataclasses.replace(credential, **fields), survey={"entra_risk_users": ADELE})

    assert job.status == "failed"
    assert words in job.result["msg"]
    assert job.result["error"]["kind"] == "credentials"
    assert tenant.journal.entries == []


def test_a_wrong_secret_is_told_in_the_words_of_entra(
    awx: Controller, tenant: Tenant, credential: AzureResourceManager
) -> None:
    wrong = dataclasses.replace(credential, secret="Zz8Q~CanaryWrongSecret9Zt4bW~+&")

    job = awx.launch(DISMISS_RISK, wrong, survey={"entra_risk_users": ADELE})

    assert job.status == "failed"
    assert "AADSTS7000215" in job.result["msg"]
    assert job.result["error"]["kind"] == "login"
    assert tenant.journal.select(listener="graph") == []


class TestTwoCredentialsOnOneTemplate:
    """Their variables become one environment, the later one wins, and blank fields overwrite as well."""

    @pytest.fixture
    def certificate_only(self, credential_type: CredentialType, app: t.Any) -> t.Any:
        return credential_type.credential(certificate=app.certificate.pem())

    def test_secret_of_one_and_certificate_of_the_other(
        self, awx: Controller, tenant: Tenant, credential: AzureResourceManager, certificate_only: t.Any
    ) -> None:
        job = awx.launch(DISMISS_RISK, certificate_only, credential, survey={"entra_risk_users": ADELE})

        assert job.status == "failed"
        assert "More than one credential is given: AZURE_SECRET and AZURE_X509_CERTIFICATE_PATH" in job.result["msg"]
        assert tenant.journal.entries == []

    def test_blanks_of_the_later_one(
        self, awx: Controller, tenant: Tenant, credential: AzureResourceManager, certificate_only: t.Any
    ) -> None:
        job = awx.launch(DISMISS_RISK, credential, certificate_only, survey={"entra_risk_users": ADELE})

        assert job.status == "failed"
        assert "Missing: tenant (AZURE_TENANT or AZURE_TENANT_ID); client_id (AZURE_CLIENT_ID)." in job.result["msg"]
        assert tenant.journal.entries == []

    def test_an_application_and_a_person(
        self, awx: Controller, tenant: Tenant, credential: AzureResourceManager
    ) -> None:
        user = tenant.add_user(ADELE)
        person = AzureResourceManager(username="operator@contoso.example", password="Canary9PersonPassword")

        job = awx.launch(DISMISS_RISK, credential, person, survey={"entra_risk_users": ADELE})

        assert job.status == "successful"
        assert tenant.user(user.id).risk_state == "dismissed"

    def test_an_access_token_stands_above_the_rest(
        self, awx: Controller, tenant: Tenant, credential: AzureResourceManager, credential_type: CredentialType
    ) -> None:
        user = tenant.add_user(ADELE)
        token = credential_type.credential(access_token=tenant.mint_token())

        job = awx.launch(DISMISS_RISK, credential, token, survey={"entra_risk_users": ADELE})

        assert job.status == "successful"
        assert tenant.user(user.id).risk_state == "dismissed"
        assert tenant.journal.select(listener="login") == []

"""What credentials inject leads to one clear login, or to a message that says what is missing. No job runs here."""

from __future__ import annotations

import dataclasses
import itertools
import typing as t
from pathlib import Path

import pytest
import yaml
from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from plugins.module_utils._errors import CredentialsError
from plugins.module_utils._login.clouds import CLOUDS
from plugins.module_utils._login.connection import resolve
from plugins.module_utils._redact import Redactor

from .conftest import EXAMPLES
from .credentials import AzureResourceManager, Credential, CredentialType

TEXTS = {
    "tenant_id": "contoso.example",
    "client_id": "c0ffee00-1a2b-4c3d-8e4f-5a6b7c8d9e0f",
    "client_secret": "a secret",
    "certificate": "a key and a certificate",
    "oidc_token": "an.oidc.token",
    "access_token": "an.access.token",
}
# What proves who we are: the field, and what the collection calls it.
PROOFS = {"client_secret": "secret", "certificate": "certificate", "oidc_token": "oidc_token"}
COMBINATIONS = [frozenset(names) for count in range(len(TEXTS) + 1) for names in itertools.combinations(TEXTS, count)]
BUILT_IN = AzureResourceManager(tenant=TEXTS["tenant_id"], client=TEXTS["client_id"], secret=TEXTS["client_secret"])
PERSON = {"username": "operator@contoso.example", "password": "Canary9PersonPassword"}
NO_APPLICATION = "Missing: tenant (AZURE_TENANT or AZURE_TENANT_ID); client_id (AZURE_CLIENT_ID)"


def outcome(directory: Path, *credentials: Credential, access_token: str = "") -> str:
    """The kind of login that a job gets from these credentials, or why it gets none. The last one overwrites."""
    env = {name: value for item in credentials for name, value in item.inject(directory)[0].items()}
    try:
        return resolve({"access_token": access_token}, env, Redactor()).credential.kind
    except CredentialsError as exc:
        return exc.message


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, "secret"),
        ({"cloud_environment": "AzureUSGovernment"}, "secret"),
        ({"secret": ""}, "Missing: one of secret (AZURE_SECRET or AZURE_CLIENT_SECRET)"),
        ({"tenant": ""}, NO_APPLICATION),
        ({"client": ""}, NO_APPLICATION),
        ({"tenant": "", "client": "", **PERSON}, "Logging in as a user is not supported"),
        ({"client": "", "password": PERSON["password"]}, "Use an application: tenant, client_id and one of secret"),
        ({"cloud_environment": "AzureChinaCloud"}, "does not exist in the cloud operated by 21Vianet"),
    ],
)
def test_the_built_in_credential_is_enough_or_says_what_it_lacks(
    fields: dict[str, str], expected: str, tmp_path: Path
) -> None:
    assert expected in outcome(tmp_path, dataclasses.replace(BUILT_IN, **fields))


def test_two_credentials_on_one_template(credential_type: CredentialType, tmp_path: Path) -> None:
    certificate = credential_type.credential(certificate=TEXTS["certificate"])

    both = outcome(tmp_path, certificate, BUILT_IN)
    assert "More than one credential is given: AZURE_SECRET and AZURE_X509_CERTIFICATE_PATH" in both
    # Blank fields overwrite as well.
    assert NO_APPLICATION in outcome(tmp_path, BUILT_IN, certificate)
    assert outcome(tmp_path, BUILT_IN, AzureResourceManager(**PERSON)) == "secret"


@pytest.mark.parametrize("filled", COMBINATIONS, ids=lambda filled: "+".join(sorted(filled)) or "nothing")
def test_blank_fields_of_the_custom_type_count_as_not_given(
    filled: frozenset[str], credential_type: CredentialType, tmp_path: Path
) -> None:
    values = {name: text if name in filled else "" for name, text in TEXTS.items()}

    found = outcome(tmp_path, credential_type.credential(**values), access_token=values["access_token"])

    proofs = [PROOFS[name] for name in filled if name in PROOFS]
    if "access_token" in filled:
        assert found == "access_token"
    elif len(proofs) > 1:
        assert found.startswith("More than one credential is given: ")
    elif proofs and {"tenant_id", "client_id"} <= filled:
        assert [found] == proofs
    else:
        assert found.startswith("The credentials are incomplete. Missing: ")


def test_the_eda_controller_injects_the_same_login(credential_type: CredentialType, tmp_path: Path) -> None:
    """It takes no name twice, in whatever section."""
    injectors = yaml.safe_load((EXAMPLES / "credential_type" / "injectors_eda.yml").read_text("utf-8"))
    assert set(injectors) == {"env", "extra_vars", "file"}
    assert not set(injectors["env"]) & set(injectors["extra_vars"])
    eda = dataclasses.replace(credential_type, injectors=injectors)
    for filled in COMBINATIONS:
        values = {name: TEXTS[name] for name in filled}
        same = [outcome(tmp_path, kind.credential(**values)) for kind in (eda, credential_type)]
        assert same[0] == same[1], filled


def test_the_custom_type_has_a_choice_for_every_cloud(credential_type: CredentialType, tmp_path: Path) -> None:
    (field,) = [field for field in credential_type.inputs["fields"] if field["id"] == "cloud"]
    assert field["choices"] == list(CLOUDS)

    for name in ["", *field["choices"]]:
        values = {name: TEXTS[name] for name in ("tenant_id", "client_id", "client_secret")}
        env, dummy = credential_type.credential(**values, cloud=name).inject(tmp_path)
        connection = resolve({}, env, Redactor())
        cloud = CLOUDS[name or field["default"]]
        assert (connection.authority, connection.graph_url) == (cloud.authority_host, cloud.graph_url)


def test_awx_accepts_the_custom_type(credential_type: CredentialType) -> None:
    """The rules that a slip would break: known keys, variables that AWX allows, templates without unknown names."""
    fields, injectors = credential_type.inputs["fields"], credential_type.injectors
    # AWX adds a type that is left out, and configuration as code would then find a difference in every run.
    required = {"id", "label", "type"}
    known = {*required, "help_text", "secret", "multiline", "format", "choices", "default"}
    assert [field for field in fields if not required <= set(field) <= known] == []
    assert not [name for name in injectors["env"] if not name.startswith("AZURE_")]
    names: dict[str, t.Any] = {field["id"]: "text" for field in fields}
    names["tower"] = {"filename": {label.removeprefix("template."): "path" for label in injectors["file"]}}
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
    for template in [template for section in injectors.values() for template in section.values()]:
        assert environment.from_string(template).render(names) in ("text", "path")


def test_the_custom_type_stores_secrets_encrypted(credential_type: CredentialType) -> None:
    secret = {field["id"] for field in credential_type.inputs["fields"] if field.get("secret")}
    assert secret == {*PROOFS, "access_token"}

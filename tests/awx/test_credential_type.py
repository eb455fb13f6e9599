"""The custom credential type of the examples: AWX accepts it, and blank fields do no harm."""

from __future__ import annotations

import copy
import itertools
import stat
import typing as t
from pathlib import Path

import pytest

from plugins.module_utils._errors import CredentialsError
from plugins.module_utils._login.connection import CLOUDS, resolve
from plugins.module_utils._redact import Scrubber
from tests.entra_emulator.apps import App
from tests.entra_emulator.tenant import Tenant

from .conftest import OIDC_SUBJECT
from .credentials import CredentialType
from .jobs import DISMISS_RISK, Controller
from .rules import complaints

ADELE = "adele.vance@contoso.example"
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


def test_awx_accepts_it(credential_type: CredentialType) -> None:
    assert complaints(credential_type.inputs, credential_type.injectors) == []


def test_what_is_secret_is_stored_encrypted(credential_type: CredentialType) -> None:
    secret = {field["id"] for field in credential_type.inputs["fields"] if field.get("secret")}

    assert secret == {"client_secret", "certificate", "oidc_token", "access_token"}


def test_every_field_says_its_type(credential_type: CredentialType) -> None:
    """AWX adds a type that is left out, and configuration as code would then find a difference in every run."""
    assert all("type" in field for field in credential_type.inputs["fields"])


@pytest.mark.parametrize(
    ("section", "change", "words"),
    [
        ("env", {"ANSIBLE_FOO": "x"}, "ANSIBLE_FOO is not allowed"),
        ("env", {"PATH": "x"}, "PATH is not allowed"),
        ("env", {"X": "{{ nope }}"}, "X: 'nope' is undefined"),
        ("env", {"X": "{{ tower.filename.nope }}"}, "has no attribute 'nope'"),
        ("env", {"X": "{% if %}"}, "X: "),
        ("env", {"X": "\u00e4"}, "env/X: "),
        ("env", {"1X": "x"}, "env: "),
        ("extra_vars", {"x-y": "x"}, "extra_vars: 'x-y' does not match"),
        ("file", {"template": "x"}, "several files need the syntax"),
        ("file", {"certificate": "x"}, "file: 'certificate' does not match"),
        ("fields", {"id": "x", "label": "X", "type": "integer"}, "'integer' is not one of ['string', 'boolean']"),
        ("fields", {"id": "tower", "label": "X"}, "reserved field name"),
        ("fields", {"id": "cloud", "label": "X"}, "the field cloud is there twice"),
        ("fields", {"id": "x"}, "'label' is a required property"),
        ("fields", {"id": "x", "label": "X", "kind": "x"}, "('kind' was unexpected)"),
        ("fields", {"id": "x", "label": "X", "default": True}, "the default of x is not a string"),
        ("fields", {"id": "x", "label": "X", "choices": ["x", "x"]}, "has non-unique elements"),
        ("fields", {"id": "x", "label": "X", "type": "boolean", "secret": True}, "secret is not allowed for x"),
    ],
)
def test_the_rules_find_what_awx_refuses(
    section: str, change: dict[str, t.Any], words: str, credential_type: CredentialType
) -> None:
    inputs, injectors = copy.deepcopy(credential_type.inputs), copy.deepcopy(credential_type.injectors)
    if section == "fields":
        inputs["fields"].append(change)
    else:
        injectors[section].update(change)

    (complaint,) = complaints(inputs, injectors)

    assert words in complaint


@pytest.mark.parametrize("filled", COMBINATIONS, ids=lambda filled: "+".join(sorted(filled)) or "nothing")
def test_blank_fields_count_as_not_given(
    filled: frozenset[str], credential_type: CredentialType, tmp_path: Path
) -> None:
    values = {name: text if name in filled else "" for name, text in TEXTS.items()}
    env = credential_type.credential(**values).inject(tmp_path).env

    def outcome() -> str:
        try:
            return resolve({"access_token": values["access_token"]}, env, Scrubber()).credential.kind
        except CredentialsError as exc:
            return exc.message

    proofs = [PROOFS[name] for name in filled if name in PROOFS]
    if "access_token" in filled:
        assert outcome() == "access_token"
    elif len(proofs) > 1:
        assert outcome().startswith("More than one credential is given: ")
    elif proofs and {"tenant_id", "client_id"} <= filled:
        assert [outcome()] == proofs
    else:
        assert outcome().startswith("The credentials are incomplete. Missing: ")


def test_a_choice_for_every_cloud(credential_type: CredentialType, tmp_path: Path) -> None:
    (field,) = [field for field in credential_type.inputs["fields"] if field["id"] == "cloud"]
    assert field["choices"] == list(CLOUDS)

    for name in ["", *field["choices"]]:
        values = {**TEXTS, "certificate": "", "oidc_token": "", "access_token": "", "cloud": name}
        connection = resolve({}, credential_type.credential(**values).inject(tmp_path).env, Scrubber())
        cloud = CLOUDS[name or field["default"]]
        assert (connection.authority, connection.graph_url) == (cloud.authority, cloud.graph_url)


# What is filled in beside the tenant and the client ID.
FIELDS: dict[str, t.Callable[[Tenant, App], dict[str, str]]] = {
    "secret": lambda tenant, app: {"client_secret": app.secret or ""},
    # As it is pasted into the form: without the line break at its end.
    "certificate": lambda tenant, app: {"certificate": app.certificate.pem().rstrip()},
    "OIDC token": lambda tenant, app: {"oidc_token": tenant.mint_oidc(OIDC_SUBJECT)},
    "access token": lambda tenant, app: {"access_token": tenant.mint_token(), "cloud": "AzureUSGovernment"},
    "access token alone": lambda tenant, app: {"access_token": tenant.mint_token(), "tenant_id": "", "client_id": ""},
}


@pytest.mark.parametrize("fields", FIELDS.values(), ids=FIELDS)
def test_a_job_with_it(
    fields: t.Callable[[Tenant, App], dict[str, str]],
    awx: Controller,
    credential_type: CredentialType,
    tenant: Tenant,
    app: App,
) -> None:
    user = tenant.add_user(ADELE)
    values = {"tenant_id": tenant.id, "client_id": app.client_id, **fields(tenant, app)}

    job = awx.launch(DISMISS_RISK, credential_type.credential(**values), survey={"entra_risk_users": ADELE})

    assert job.status == "successful"
    assert tenant.user(user.id).risk_state == "dismissed"


class TestWhatItInjects:
    def test_all_variables_every_time(self, credential_type: CredentialType, tmp_path: Path) -> None:
        credential = credential_type.credential(tenant_id="t", client_id="c", client_secret="S")

        injected = credential.inject(tmp_path)

        assert injected.env == {
            "AZURE_TENANT": "t",
            "AZURE_CLIENT_ID": "c",
            "AZURE_SECRET": "S",
            "AZURE_X509_CERTIFICATE_PATH": "",
            "AZURE_FEDERATED_TOKEN": "",
            "AZURE_CLOUD_ENVIRONMENT": "",
        }
        assert _extra_vars(injected.arguments) == "!unsafe 'entra_risk_access_token': !unsafe ''\n"
        # The file of the certificate is there all the same, and empty.
        assert sorted(path.stat().st_size > 0 for path in tmp_path.iterdir()) == [False, True]

    def test_the_certificate_as_a_file(self, credential_type: CredentialType, tmp_path: Path) -> None:
        injected = credential_type.credential(certificate="KEY\nCERTIFICATE").inject(tmp_path)

        path = Path(injected.env["AZURE_X509_CERTIFICATE_PATH"])
        assert path.read_text(encoding="utf-8") == "KEY\nCERTIFICATE\n"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_the_access_token_as_a_variable(self, credential_type: CredentialType, tmp_path: Path) -> None:
        injected = credential_type.credential(access_token="T", cloud="AzureUSGovernment").inject(tmp_path)

        assert _extra_vars(injected.arguments) == "!unsafe 'entra_risk_access_token': !unsafe 'T'\n"
        assert "T" not in injected.env.values()
        assert injected.env["AZURE_CLOUD_ENVIRONMENT"] == "AzureUSGovernment"


def _extra_vars(arguments: tuple[str, ...]) -> str:
    option, path = arguments
    assert (option, path[0]) == ("-e", "@")
    return Path(path[1:]).read_text(encoding="utf-8")

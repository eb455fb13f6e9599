"""Each kind of login from the options to Graph, and what becomes of a result where Graph refuses one.

Which option counts, and each way to refuse one: the unit tests test_options, test_auth and test_certificate_files.
"""

from __future__ import annotations

import types
import typing as t
from pathlib import Path

import pytest

from ..entra_emulator.emulator import Emulator
from ..entra_emulator.pki import ClientCertificate
from ..entra_emulator.tenant import IDENTITY_HEADER, Tenant
from .people import ID, ids
from .running import Run

PASSWORD = "certificate-password-1"
SUBJECT = "repo:contoso/operations:environment:production"
# What the login service must get: a field of the form, or nothing but the request of the machine.
SECRET, ASSERTION, MACHINE, TOKEN = ("client_secret", "client_assertion", "machine", "token")


class Facts(types.SimpleNamespace):
    """What a case is made of: `app` and `secret` as options, and files in `dir`."""


# A case says what it gives besides the places of the local tenant: options, and variables.
Given = t.Callable[[Facts], t.Mapping[str, t.Any]]


@pytest.fixture(scope="session")
def certificate() -> ClientCertificate:
    return ClientCertificate()


@pytest.fixture
def facts(people: Tenant, emulator: Emulator, certificate: ClientCertificate, tmp_path: Path) -> Facts:
    app = people.add_app(
        certificate=certificate.certificate_pem(), federated=[{"issuer": emulator.oidc.url, "subject": SUBJECT}]
    )
    (tmp_path / "app.pem").write_text(certificate.pem())
    (tmp_path / "encrypted.pfx").write_bytes(certificate.pfx(PASSWORD))
    (tmp_path / "token").write_text(people.mint_oidc(SUBJECT) + "\n")
    given = {"tenant": people.id, "client_id": app.client_id}
    return Facts(tenant=people, emulator=emulator, dir=tmp_path, app=given, secret={"secret": app.secret})


def machine(**env: str) -> dict[str, t.Any]:
    return {"auth_source": "msi", "env": env}


ACCEPTED: t.Mapping[str, tuple[str, Given]] = {
    "secret": (SECRET, lambda f: {**f.app, **f.secret}),
    "secret under other names": (SECRET, lambda f: {
        **f.app, "tenant": None, "tenant_id": f.tenant.domain, "client_secret": f.secret["secret"],
    }),
    "no validation of certificates": (SECRET, lambda f: {**f.app, **f.secret, "ca_path": "", "validate_certs": False}),
    "PEM": (ASSERTION, lambda f: {**f.app, "x509_certificate_path": f"{f.dir}/app.pem"}),
    "encrypted PFX": (ASSERTION, lambda f: {**f.app, "certificate_path": f"{f.dir}/encrypted.pfx",
                                            "certificate_password": PASSWORD}),
    "OIDC token": (ASSERTION, lambda f: {**f.app, "oidc_token": f.tenant.mint_oidc(SUBJECT)}),
    "managed identity": (MACHINE, lambda f: machine(AZURE_POD_IDENTITY_AUTHORITY_HOST=f.tenant.machine_url)),
    "managed identity of App Service": (MACHINE, lambda f: machine(
        IDENTITY_ENDPOINT=f"{f.tenant.machine_url}/msi/token", IDENTITY_HEADER=IDENTITY_HEADER)),
    "managed identity of Azure ML, one of two": (MACHINE, lambda f: {
        **machine(MSI_ENDPOINT=f"{f.tenant.machine_url}/azureml/token", MSI_SECRET=IDENTITY_HEADER),
        "client_id": f.tenant.add_identity(user_assigned=True).client_id,
    }),
    "token, with everything else present and wrong": (TOKEN, lambda f: {
        "access_token": f.tenant.mint_token(), "secret": "no-such-secret", "oidc_token": "no-such-token",
        "client_id": "nobody", "tenant": "one", "tenant_id": "two",
        "env": {"AZURE_X509_CERTIFICATE_PATH": "/nonexistent", "AZURE_AD_USER": "operator@contoso.example"},
    }),
    "all from the environment, with the names of Azure's libraries": (SECRET, lambda f: {
        **dict.fromkeys(("authority_host", "graph_url", "ca_path")),
        "env": {
            "AZURE_TENANT_ID": f.app["tenant"], "AZURE_CLIENT_ID": f.app["client_id"],
            "AZURE_CLIENT_SECRET": f.secret["secret"], "AZURE_AUTHORITY_HOST": f.emulator.login_url,
            "MSGRAPH_URL": f.emulator.graph_url, "REQUESTS_CA_BUNDLE": f.emulator.ca_path,
        },
    }),
    "workload identity": (ASSERTION, lambda f: {"env": {
        "AZURE_TENANT": f.tenant.id, "AZURE_CLIENT_ID": f.app["client_id"],
        "AZURE_FEDERATED_TOKEN_FILE": f"{f.dir}/token",
    }}),
}  # fmt: skip


@pytest.mark.parametrize("name", ACCEPTED)
def test_logs_in(facts: Facts, people: Tenant, run: Run, name: str) -> None:
    expected, given = ACCEPTED[name]
    people.add_identity()
    ended = run("risky_user", **{"state": "dismissed", "user": ID["adele"], "access_token": None, **given(facts)})
    assert ended.changed and ended.written == ids("adele"), ended.msg
    assert ended.result["requests"]["sent"] == len(ended.graph) == 2
    # One login, with this one proof.
    logins = [
        entry for entry in ended.journal if entry["listener"] != "graph" and "openid-configuration" not in entry["path"]
    ]
    proofs = [field for entry in logins for field in (entry["body"] or {MACHINE: True})]
    assert [proof for proof in proofs if proof in (SECRET, ASSERTION, MACHINE)] == [expected] * (expected != TOKEN)


READER, OPERATOR = "5d6b6bb7-de71-4623-b4af-96380a352509", "5f2222b1-57c3-48ba-8ad5-d4759f1fde6f"
DELEGATED = {"scp": "IdentityRiskyUser.ReadWrite.All"}
# The token, parts of the message, whether it was decided what to write.
FORBIDDEN: t.Mapping[str, tuple[dict[str, t.Any], list[str], bool]] = {
    "may not write": (
        {"roles": ["IdentityRiskyUser.Read.All"]}, [DELEGATED["scp"], "admin consent", "required scopes"], True,
    ),
    "person without a role": (DELEGATED, ["delegated", "Security Reader"], False),
    "person who may only look": (
        {**DELEGATED, "wids": [READER]}, ["delegated", "Security Operator", "Security Administrator"], True,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FORBIDDEN)
def test_tells_why_graph_refuses(people: Tenant, run: Run, name: str) -> None:
    token, words, decided = FORBIDDEN[name]
    users = ids("adele", "alex")
    ended = run("risky_user", state="dismissed", users=users, access_token=people.mint_token(**token))
    error = ended.result["error"]
    assert (error["kind"], error["status"], error["code"] in ("Forbidden", "UnknownError")) == ("permission", 403, True)
    assert [word for word in (*words, error["request_id"]) if word not in ended.msg] == [], ended.msg
    assert error["client_request_id"] and not ended.changed and ended.written == []
    # Whoever was decided on is named as not written.
    assert ended.outcomes == (["failed", "failed"] if decided else [])
    assert all("Not written" in entry["message"] for entry in ended.entries)


def test_a_person_needs_the_role_of_an_operator(people: Tenant, run: Run) -> None:
    token = people.mint_token(scp=DELEGATED["scp"], wids=[OPERATOR])
    assert run("risky_user", state="dismissed", user=ID["adele"], access_token=token).written == ids("adele")


def test_logs_in_again_where_graph_refuses_the_token(people: Tenant, run: Run, login: dict[str, t.Any]) -> None:
    people.add_fault(method="POST", path="/dismiss", times=1, status=401)
    ended = run("risky_user", state="dismissed", user=ID["adele"], **login)
    logins = [entry for entry in ended.journal if entry["listener"] == "login" and entry["method"] == "POST"]
    assert (len(logins), ended.result["requests"]["retried"], ended.result["requests"]["sent"]) == (2, 1, 3)
    assert ended.written == ids("adele")

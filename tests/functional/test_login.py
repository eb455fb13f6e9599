"""Every way to log in, what is refused before anything is sent, and what Entra and Graph refuse."""

from __future__ import annotations

import re
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
NOBODY = "00000000-1111-4222-8333-444444444444"
# What the login service must get: a field of the form, or nothing but the request of the machine.
SECRET, ASSERTION, MACHINE, TOKEN = ("client_secret", "client_assertion", "machine", "token")


class Facts(types.SimpleNamespace):
    """What a case is made of: `app` and `secret` as options, `app_env` and `secret_env` as variables, and files."""


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
    files: dict[str, str | bytes] = {
        "app.pem": certificate.pem(),
        "encrypted.pem": certificate.pem(PASSWORD),
        "app.pfx": certificate.pfx(),
        "encrypted.pfx": certificate.pfx(PASSWORD),
        "key.pem": certificate.key_pem(),
        "public.pem": certificate.certificate_pem(),
        "garbage.pem": "This is neither PEM nor PFX.",
        "empty": "",
        "token": people.mint_oidc(SUBJECT) + "\n",
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return Facts(
        tenant=people,
        emulator=emulator,
        dir=tmp_path,
        app={"tenant": people.id, "client_id": app.client_id},
        secret={"secret": app.secret},
        app_env={"AZURE_TENANT": people.id, "AZURE_CLIENT_ID": app.client_id},
        secret_env={"AZURE_SECRET": app.secret},
        machine={"AZURE_POD_IDENTITY_AUTHORITY_HOST": people.machine_url},
        oidc=people.mint_oidc(SUBJECT),
        thumbprint=certificate.thumbprint,
    )


def with_secret(**more: t.Any) -> Given:
    """A secret as an option."""
    return lambda f: {**f.app, **f.secret, **more}


def cert(name: str, **more: t.Any) -> Given:
    """A certificate file as an option."""
    return lambda f: {**f.app, "x509_certificate_path": f"{f.dir}/{name}", **more}


def in_env(**more: t.Any) -> Given:
    """Variables beside those that name the app; a value may use the facts."""
    return lambda f: {
        "env": {**f.app_env, **{name: value(f) if callable(value) else value for name, value in more.items()}}
    }


ACCEPTED: t.Mapping[str, tuple[str, Given]] = {
    "secret": (SECRET, with_secret()),
    "secret under other names": (
        SECRET,
        lambda f: {"tenant_id": f.tenant.domain, "client_id": f.app["client_id"], "client_secret": f.secret["secret"]},
    ),
    "beta": (SECRET, with_secret(api_version="beta")),
    "no validation of certificates": (SECRET, with_secret(ca_path="", validate_certs=False)),
    "PEM": (ASSERTION, cert("app.pem")),
    "PEM with the chain": (ASSERTION, cert("app.pem", send_certificate_chain=True)),
    "encrypted PEM": (ASSERTION, cert("encrypted.pem", certificate_password=PASSWORD)),
    "PFX": (ASSERTION, cert("app.pfx")),
    "encrypted PFX": (ASSERTION, cert("encrypted.pfx", certificate_password=PASSWORD)),
    "certificate under another name": (ASSERTION, lambda f: {**f.app, "certificate_path": f"{f.dir}/app.pem"}),
    "key and thumbprint": (
        ASSERTION,
        lambda f: {**cert("key.pem")(f), "thumbprint": ":".join(re.findall("..", f.thumbprint))},
    ),
    "OIDC token": (ASSERTION, lambda f: {**f.app, "oidc_token": f.oidc}),
    "OIDC token in a file": (ASSERTION, lambda f: {**f.app, "oidc_token_file_path": f"{f.dir}/token"}),
    "managed identity": (MACHINE, lambda f: {"auth_source": "msi", "env": f.machine}),
    "user-assigned identity, whatever the environment says": (
        MACHINE,
        lambda f: {
            "auth_source": "msi",
            "client_id": f.tenant.add_identity(user_assigned=True).client_id,
            "env": {**f.machine, **f.app_env, **f.secret_env},
        },
    ),
    "App Service": (
        MACHINE,
        lambda f: {
            "env": {
                "ANSIBLE_AZURE_AUTH_SOURCE": "msi",
                "IDENTITY_ENDPOINT": f"{f.tenant.machine_url}/msi/token",
                "IDENTITY_HEADER": IDENTITY_HEADER,
            }
        },
    ),
    "token, with everything else present and wrong": (
        TOKEN,
        lambda f: {
            "access_token": f.tenant.mint_token(),
            "secret": "no-such-secret",
            "oidc_token": "no-such-token",
            "client_id": "nobody",
            "env": {"AZURE_X509_CERTIFICATE_PATH": "/nonexistent", "AZURE_AD_USER": "operator@contoso.example"},
        },
    ),
    "token between whitespace": (TOKEN, lambda f: {"access_token": f" {f.tenant.mint_token()}\n"}),
    "two names of the tenant beside a token": (
        TOKEN,
        lambda f: {"access_token": f.tenant.mint_token(), "tenant": "one", "tenant_id": "two"},
    ),
    "all from the environment, with the names of Azure's libraries": (
        SECRET,
        lambda f: {
            **dict.fromkeys(("authority_host", "graph_url", "ca_path")),
            "env": {
                "AZURE_TENANT_ID": f.app["tenant"],
                "AZURE_CLIENT_ID": f.app["client_id"],
                "AZURE_CLIENT_SECRET": f.secret["secret"],
                "AZURE_AUTHORITY_HOST": f.emulator.login_url,
                "MSGRAPH_URL": f.emulator.graph_url,
                "REQUESTS_CA_BUNDLE": f.emulator.ca_path,
            },
        },
    ),
    "AWX's credential with its empty variables, and empty options": (
        SECRET,
        lambda f: {
            **dict.fromkeys(("tenant", "client_id", "secret", "x509_certificate_path", "cloud_environment"), ""),
            "env": {
                **f.app_env,
                **f.secret_env,
                **dict.fromkeys(("AZURE_CLIENT_SECRET", "AZURE_X509_CERTIFICATE_PATH", "AZURE_AD_USER"), ""),
                **dict.fromkeys(("AZURE_PASSWORD", "AZURE_CLOUD_ENVIRONMENT"), ""),
                "AZURE_SUBSCRIPTION_ID": NOBODY,
                "AZURE_CLIENT_CERTIFICATE_PATH": f"{f.dir}/empty",
            },
        },
    ),
    "certificate in the environment": (
        ASSERTION,
        in_env(
            AZURE_CLIENT_CERTIFICATE_PATH=lambda f: f"{f.dir}/encrypted.pem", AZURE_CLIENT_CERTIFICATE_PASSWORD=PASSWORD
        ),
    ),
    "OIDC token in the environment": (ASSERTION, in_env(AZURE_FEDERATED_TOKEN=lambda f: f.oidc)),
    "workload identity": (ASSERTION, in_env(AZURE_FEDERATED_TOKEN_FILE=lambda f: f"{f.dir}/token")),
    "secret beside workload identity": (
        SECRET,
        in_env(AZURE_SECRET=lambda f: f.secret["secret"], AZURE_FEDERATED_TOKEN_FILE="/nonexistent"),
    ),
    "options before the environment, as a set": (
        SECRET,
        lambda f: {**f.app, **f.secret, **in_env(AZURE_X509_CERTIFICATE_PATH="/nonexistent")(f)},
    ),
    "environment, because the task says so": (
        SECRET,
        lambda f: {"auth_source": "env", "tenant": "elsewhere.example", "env": {**f.app_env, **f.secret_env}},
    ),
}


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


# Nothing may be sent. The words are parts of the message.
INCOMPLETE: t.Mapping[str, tuple[list[str], Given]] = {
    "nothing": (["Missing", "AZURE_TENANT", "AZURE_CLIENT_ID", "AZURE_SECRET", "x509_certificate_path"], lambda f: {}),
    "two credentials as options": (
        ["secret and certificate_path", "exactly one"],
        lambda f: {**f.app, **f.secret, "certificate_path": f"{f.dir}/app.pem"},
    ),
    "two credentials in the environment": (
        ["AZURE_SECRET and AZURE_FEDERATED_TOKEN", "exactly one"],
        in_env(AZURE_SECRET=lambda f: f.secret["secret"], AZURE_FEDERATED_TOKEN=lambda f: f.oidc),
    ),
    "no tenant": (["Missing: tenant"], lambda f: {**f.secret, "client_id": f.app["client_id"]}),
    "half as options, half in the environment": (
        ["Missing: tenant", "never mixed"],
        lambda f: {"client_id": f.app["client_id"], "env": {**f.app_env, **f.secret_env}},
    ),
    "a person with a password": (
        ["not supported", "client_id", "access_token"],
        in_env(AZURE_AD_USER="operator@contoso.example", AZURE_PASSWORD="not-a-real-password"),
    ),
    "a word that is no tenant": (["tenant", "GUID"], with_secret(tenant="common")),
    "certificate that is not there": (
        ["x509_certificate_path", "nonexistent.pem", "No such file"],
        cert("nonexistent.pem"),
    ),
    "certificate that is a directory": (["x509_certificate_path", "Is a directory"], cert("")),
    "certificate that is garbage": (["x509_certificate_path", "neither a PEM nor a PFX"], cert("garbage.pem")),
    "certificate without its key": (["x509_certificate_path", "private key"], cert("public.pem")),
    "key without its certificate": (["x509_certificate_path", "thumbprint"], cert("key.pem")),
    "encrypted PEM without its password": (
        ["encrypted", "certificate_password", "AZURE_CLIENT_CERTIFICATE_PASSWORD"],
        cert("encrypted.pem"),
    ),
    "encrypted PEM with a wrong password": (
        ["decrypted", "certificate_password"],
        cert("encrypted.pem", certificate_password="not-this-password"),
    ),
    "encrypted PFX with a wrong password": (
        ["certificate_password"],
        cert("encrypted.pfx", certificate_password="not-this-password"),
    ),
    "token file that is not there": (
        ["oidc_token_file_path", "No such file"],
        lambda f: {**f.app, "oidc_token_file_path": f"{f.dir}/nonexistent"},
    ),
    "token file that is empty": (
        ["oidc_token_file_path", "empty"],
        lambda f: {**f.app, "oidc_token_file_path": f"{f.dir}/empty"},
    ),
    "token with whitespace inside": (["access_token"], lambda f: {"access_token": f"Bearer {f.tenant.mint_token()}"}),
    "cloud without this API": (["AzureChinaCloud", "does not exist"], with_secret(cloud_environment="AzureChinaCloud")),
    "unknown cloud": (
        ["AZURE_CLOUD_ENVIRONMENT", "AzureMoonCloud", "AzureUSGovernment"],
        with_secret(env={"AZURE_CLOUD_ENVIRONMENT": "AzureMoonCloud"}),
    ),
    "source that is not supported": (["auth_source", "access_token"], with_secret(auth_source="cli")),
    "Graph over plain http": (
        ["graph_url", "https://", "loopback"],
        with_secret(graph_url="http://graph.contoso.example"),
    ),
    "Graph with a path": (
        ["graph_url", "no path"],
        lambda f: {**f.app, **f.secret, "graph_url": f"{f.emulator.graph_url}/v1.0"},
    ),
    "unknown version of Graph": (["api_version"], with_secret(api_version="v2")),
}


@pytest.mark.parametrize("name", INCOMPLETE)
def test_refuses_before_anything_is_sent(facts: Facts, people: Tenant, run: Run, name: str) -> None:
    words, given = INCOMPLETE[name]
    ended = run("risky_user", **{"state": "dismissed", "user": ID["adele"], "access_token": None, **given(facts)})
    assert ended.kind == "credentials" and ended.journal == []
    assert [word for word in words if word not in ended.msg] == [], ended.msg
    assert (ended.result["error"]["status"], ended.result["error"]["code"]) == (None, None)
    assert ended.result["summary"] == {"changed": 0, "unchanged": 0, "skipped": 0, "failed": 0}


def expired(f: Facts) -> t.Mapping[str, t.Any]:
    app = f.tenant.add_app(secret_expired=True)
    return {"client_id": app.client_id, "secret": app.secret}


# What Entra refuses. Columns: its code, parts of the message, the login (besides the app's own tenant and client_id).
REFUSED: t.Mapping[str, tuple[str, list[str], Given]] = {
    "tenant": ("AADSTS90002", ["tenant", "cloud_environment"], lambda f: {**f.secret, "tenant": NOBODY}),
    "application": ("AADSTS700016", ["Check client_id"], lambda f: {**f.secret, "client_id": NOBODY}),
    "wrong secret": ("AADSTS7000215", ["value of the client secret"], lambda f: {"secret": "not-the-right-secret"}),
    "expired secret": ("AADSTS7000222", ["Add a new client secret"], expired),
    "certificate that is not registered": (
        "AADSTS700027",
        ["Upload the certificate"],
        lambda f: {"client_id": f.tenant.add_app().client_id, "x509_certificate_path": f"{f.dir}/app.pem"},
    ),
    "OIDC token of something else": (
        "AADSTS700213",
        ["federated credential", "subject"],
        lambda f: {"oidc_token": f.tenant.mint_oidc("repo:contoso/operations:pull_request")},
    ),
    "expired OIDC token": (
        "AADSTS700024",
        ["fresh token", "clock"],
        lambda f: {"oidc_token": f.tenant.mint_oidc(SUBJECT, expires_in=-600)},
    ),
    "unknown Graph": (
        "AADSTS500011",
        ["graph_url", "cloud_environment"],
        lambda f: {**f.secret, "graph_url": "https://graph.contoso.example"},
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_tells_why_entra_refuses(facts: Facts, run: Run, name: str) -> None:
    code, words, given = REFUSED[name]
    options = {"state": "dismissed", "user": ID["adele"], "access_token": None, **facts.app, **given(facts)}
    ended = run("risky_user", **options)
    error = ended.result["error"]
    assert (error["kind"], error["code"], error["status"] in (400, 401)) == ("login", code, True)
    assert re.fullmatch("[0-9a-f-]{36}", error["request_id"]) and re.fullmatch(
        "[0-9a-f-]{36}", error["client_request_id"]
    )
    assert [word for word in (*words, code, error["request_id"]) if word not in ended.msg] == [], ended.msg
    assert ended.graph == [] and ended.result["requests"]["sent"] == 0


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"redirect": "https://login.contoso.example/elsewhere"}, "redirects the login to login.contoso.example"),
        ({"status": 503, "body": "<html>Come back later</html>"}, "503"),
        ({"status": 200, "body": "<html>Welcome to the Wi-Fi</html>"}, "a web page"),
    ],
)
def test_tells_of_a_login_service_in_trouble(
    facts: Facts, people: Tenant, run: Run, fault: dict[str, t.Any], words: str
) -> None:
    people.add_fault(listener="login", path="openid-configuration", **fault)
    ended = run("risky_user", state="dismissed", user=ID["adele"], access_token=None, **facts.app, **facts.secret)
    assert ended.kind == "service" and words in ended.msg
    # The secret has not left.
    assert {entry["method"] for entry in ended.journal} == {"GET"}


def test_tells_of_an_identity_that_the_machine_does_not_have(facts: Facts, run: Run) -> None:
    ended = run(
        "risky_user",
        state="dismissed",
        user=ID["adele"],
        access_token=None,
        auth_source="msi",
        client_id=NOBODY,
        env=facts.machine,
    )
    assert ended.kind == "login" and "managed identity" in ended.msg and "client_id" in ended.msg


READER, OPERATOR = "5d6b6bb7-de71-4623-b4af-96380a352509", "5f2222b1-57c3-48ba-8ad5-d4759f1fde6f"
DELEGATED = {"scp": "IdentityRiskyUser.ReadWrite.All"}
# Columns: the token, the kind of the error, parts of the message, whether it was decided what to write.
FORBIDDEN: t.Mapping[str, tuple[dict[str, t.Any], str, list[str], bool]] = {
    "may not read": (
        {"roles": ["User.Read.All"]},
        "permission",
        ["IdentityRiskyUser.Read.All", "admin consent", "required scopes"],
        False,
    ),
    "may not write": (
        {"roles": ["IdentityRiskyUser.Read.All"]},
        "permission",
        ["IdentityRiskyUser.ReadWrite.All", "admin consent", "required scopes"],
        True,
    ),
    "person without a role": (DELEGATED, "permission", ["delegated", "Security Reader"], False),
    "person who may only look": (
        {**DELEGATED, "wids": [READER]},
        "permission",
        ["delegated", "Security Operator", "Security Administrator"],
        True,
    ),
    "expired": ({"expires_in": -60}, "login", ["expired"], False),
    "for another Graph": ({"audience": "https://graph.microsoft.com"}, "login", ["audience"], False),
}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_tells_why_graph_refuses(people: Tenant, run: Run, name: str) -> None:
    token, kind, words, decided = FORBIDDEN[name]
    users = ids("adele", "alex")
    ended = run("risky_user", state="dismissed", users=users, access_token=people.mint_token(**token))
    error = ended.result["error"]
    assert (error["kind"], error["status"]) == (kind, 401 if kind == "login" else 403)
    assert error["code"] in ("Forbidden", "UnknownError", "InvalidAuthenticationToken")
    assert [word for word in (*words, error["request_id"]) if word not in ended.msg] == [], ended.msg
    assert error["client_request_id"] and not ended.changed and ended.written == []
    # Whoever was decided on is named as not written.
    assert ended.outcomes == (["failed", "failed"] if decided else [])
    assert all(entry["message"] for entry in ended.entries)


@pytest.mark.parametrize(
    ("token", "check"), [({"roles": ["IdentityRiskyUser.Read.All"]}, True), ({**DELEGATED, "wids": [OPERATOR]}, False)]
)
def test_needs_no_more_than_it_uses(people: Tenant, run: Run, token: dict[str, t.Any], check: bool) -> None:
    ended = run("risky_user", state="dismissed", user=ID["adele"], access_token=people.mint_token(**token), check=check)
    assert ended.changed and not ended.failed


@pytest.mark.parametrize(("times", "own_login"), [(1, True), (None, True), (None, False)])
def test_renews_a_token_once_where_it_can(
    facts: Facts, people: Tenant, run: Run, times: int | None, own_login: bool
) -> None:
    people.add_fault(method="POST", path="/dismiss", times=times, status=401)
    login = {"access_token": None, **facts.app, **facts.secret} if own_login else {}
    ended = run("risky_user", state="dismissed", user=ID["adele"], **login)
    logins = [entry for entry in ended.journal if entry["listener"] == "login" and entry["method"] == "POST"]
    assert (len(logins), ended.result["requests"]["retried"]) == ((2, 1) if own_login else (0, 0))
    if times == 1:
        assert ended.written == ids("adele") and ended.result["requests"]["sent"] == 3
    else:
        assert (ended.kind, ended.result["error"]["status"], ended.outcomes) == ("login", 401, ["failed"])
        assert not ended.changed and "Not written" in ended.entries[0]["message"]


def test_a_token_that_ends_during_the_work_is_renewed_in_time(facts: Facts, people: Tenant, run: Run) -> None:
    people.switches.update({"token_lifetime": 3600, "effect_delay": 7000})
    ended = run(
        "risky_user",
        state="dismissed",
        user=ID["adele"],
        access_token=None,
        wait=True,
        wait_timeout=9000,
        **facts.app,
        **facts.secret,
    )
    assert ended.result["verified"] is True
    assert {entry["status"] for entry in ended.journal if entry["listener"] == "graph"} == {200, 204}


def test_a_malformed_name_is_told_before_a_missing_credential(tenant: Tenant, run: Run) -> None:
    ended = run("risky_user", state="dismissed", users=[ID["adele"], "not-a-guid"], access_token=None)
    assert "not-a-guid" in ended.msg and ended.journal == []

"""Which credential, which cloud, which certificates: the rules of the connection options."""

from __future__ import annotations

import os
import pathlib
import re
import typing as t

import pytest
import yaml

from ansible_collections.identityops.entra_risk.plugins.doc_fragments.connection import ModuleDocFragment
from ansible_collections.identityops.entra_risk.plugins.module_utils._errors import CredentialsError, TlsError
from ansible_collections.identityops.entra_risk.plugins.module_utils._login import connection as _options
from ansible_collections.identityops.entra_risk.plugins.module_utils._login import options
from ansible_collections.identityops.entra_risk.plugins.module_utils._redact import Redactor

TENANT = "5fbf2be0-6a31-4b4e-a3b8-6e4b7d8f1c11"
CLIENT = "8f2b8c1a-0e64-4a6e-9d0f-8f3f0c5e7b22"
OTHER_CLIENT = "1c7d3e5f-2a4b-4c6d-8e0f-9a1b2c3d4e5f"
SECRET = "canary-secret-8Q~kXw"
OPTIONS = {"tenant": TENANT, "client_id": CLIENT}
VARIABLES = {"AZURE_TENANT": TENANT, "AZURE_CLIENT_ID": CLIENT}
LOGIN = {**OPTIONS, "secret": SECRET}
IN_ENV = {**VARIABLES, "AZURE_SECRET": SECRET}
MSI = {"auth_source": "msi"}
AKS = {**VARIABLES, "AZURE_FEDERATED_TOKEN_FILE": "/var/run/token"}
OIDC = {"AZURE_FEDERATED_TOKEN": "canary"}
USER = {"AZURE_AD_USER": "adele@contoso.example", "AZURE_PASSWORD": "canary"}
FILE = "/no/such/file"
CERTIFICATE, CERTIFICATE_ENV = {"x509_certificate_path": FILE}, {"AZURE_X509_CERTIFICATE_PATH": FILE}
MACHINE = "managed_identity auth_source"

Params = dict[str, t.Any]
Environ = dict[str, str]


def resolve(params: t.Mapping[str, t.Any] | None = None, environ: Environ | None = None) -> _options.Connection:
    return _options.resolve(params or {}, environ or {}, Redactor())


def refusal(params: t.Mapping[str, t.Any] | None = None, environ: Environ | None = None) -> str:
    """The message of the refusal, which must not hold a canary."""
    with pytest.raises(CredentialsError) as caught:
        resolve(params, environ)
    assert caught.value.kind == "credentials" and "canary" not in str(caught.value)
    return str(caught.value)


# The table of options


def test_the_options_are_those_of_the_interface() -> None:
    """Documentation and argument spec are compared by `ansible-test sanity`."""
    names = (
        "access_token tenant client_id secret x509_certificate_path certificate_password thumbprint "
        "send_certificate_chain oidc_token oidc_token_file_path auth_source cloud_environment authority_host "
        "graph_url api_version ca_path validate_certs timeout retry_timeout"
    )
    spec = options.argument_spec()
    assert list(spec) == names.split()
    secrets = dict.fromkeys(("access_token", "secret", "certificate_password", "oidc_token"), True)
    no_log = {name: entry["no_log"] for name, entry in spec.items() if "no_log" in entry}
    assert no_log == {**secrets, "oidc_token_file_path": False}
    # None of these may stand in the way of an empty string.
    assert not [name for name, entry in spec.items() if {"choices", "required", "fallback"} & set(entry)]


def test_documentation_names_every_environment_variable() -> None:
    documented = yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"]
    for option in options.CONNECTION_OPTIONS:
        text = " ".join(documented[option.name]["description"])
        assert set(re.findall(r"E\((\w+)\)", text)) == set(option.env), option.name


# Where the credential comes from

# What is given; options, environment -> kind and label of the credential, client id.
GOOD: t.Mapping[str, tuple[Params, Environ, str, str | None]] = {
    "options, and an empty token": ({**LOGIN, "access_token": "\n"}, {}, "secret secret", CLIENT),
    "aliases": (
        {"tenant_id": TENANT, "client_id": CLIENT, "client_secret": SECRET}, {}, "secret client_secret", CLIENT,
    ),
    "what AWX injects": (
        {}, {**IN_ENV, **dict.fromkeys(("AZURE_CLOUD_ENVIRONMENT", *USER), ""), "AZURE_SUBSCRIPTION_ID": "x"},
        "secret AZURE_SECRET", CLIENT,
    ),
    "names of Azure's own libraries, the first ones empty": (
        {},
        {**IN_ENV, "AZURE_TENANT": "", "AZURE_TENANT_ID": TENANT, "AZURE_SECRET": "", "AZURE_CLIENT_SECRET": SECRET},
        "secret AZURE_CLIENT_SECRET", CLIENT,
    ),
    "options win as a set": (
        {**LOGIN, "client_id": OTHER_CLIENT}, {**VARIABLES, **CERTIFICATE_ENV}, "secret secret", OTHER_CLIENT,
    ),
    "empty options count as not given": (
        {"tenant": "", "client_id": "", "secret": " ", "certificate_password": ""}, IN_ENV,
        "secret AZURE_SECRET", CLIENT,
    ),
    "auth_source env looks past the options": (
        {"auth_source": "env", "tenant": "other", "client_id": "other", "secret": "canary-other"}, IN_ENV,
        "secret AZURE_SECRET", CLIENT,
    ),
    "auth_source by variable": ({**LOGIN, "auth_source": ""}, {"ANSIBLE_AZURE_AUTH_SOURCE": "msi"}, MACHINE, CLIENT),
    "managed identity by client id": ({**MSI, "client_id": OTHER_CLIENT}, VARIABLES, MACHINE, OTHER_CLIENT),
    "managed identity by variable": (MSI, VARIABLES, MACHINE, CLIENT),
    "managed identity, whatever lies around": (MSI, {"AZURE_SECRET": SECRET, **OIDC}, MACHINE, None),
    "token": ({**OPTIONS, "oidc_token": "canary"}, {}, "oidc_token oidc_token", CLIENT),
    "token variable": ({}, {**VARIABLES, **OIDC}, "oidc_token AZURE_FEDERATED_TOKEN", CLIENT),
    "workload identity of AKS": ({}, AKS, "oidc_token_file AZURE_FEDERATED_TOKEN_FILE", CLIENT),
    "AKS gives way to a secret": ({}, {**AKS, "AZURE_SECRET": SECRET}, "secret AZURE_SECRET", CLIENT),
    "AKS gives way to a certificate": (
        {}, {**AKS, "AZURE_CLIENT_CERTIFICATE_PATH": FILE}, "certificate AZURE_CLIENT_CERTIFICATE_PATH", CLIENT,
    ),
    "AKS and options": (LOGIN, AKS, "secret secret", CLIENT),
    "a user beside an application is ignored": (LOGIN, USER, "secret secret", CLIENT),
}  # fmt: skip


@pytest.mark.parametrize("case", GOOD)
def test_finds_the_credential(case: str) -> None:
    params, environ, credential, client_id = GOOD[case]
    connection = resolve(params, environ)
    assert f"{connection.credential.kind} {connection.credential.label}" == credential
    assert connection.client_id == client_id


# What is given; options, environment -> what the message must name, what it must not.
BAD: t.Mapping[str, tuple[Params, Environ, list[str], list[str]]] = {
    "nothing at all": (
        {}, {}, ["tenant (AZURE_TENANT or AZURE_TENANT_ID)", "client_id (AZURE_CLIENT_ID)", "access_token", "msi"], [],
    ),
    "two options": ({**LOGIN, **CERTIFICATE}, {}, ["secret and x509_certificate_path"], ["AZURE_"]),
    "two options by their aliases": (
        {**LOGIN, "client_secret": SECRET, "certificate_path": FILE}, {}, ["client_secret and certificate_path"], [],
    ),
    "two variables": (
        {}, {**VARIABLES, "AZURE_CLIENT_SECRET": SECRET, **OIDC}, ["AZURE_CLIENT_SECRET and AZURE_FEDERATED_TOKEN"], [],
    ),
    "token and token file as options": (
        {**OPTIONS, "oidc_token": "canary", "oidc_token_file_path": FILE}, {},
        ["oidc_token and oidc_token_file_path"], [],
    ),
    "secret and token file as options": (
        {**LOGIN, "oidc_token_file_path": FILE}, {}, ["secret and oidc_token_file_path"], [],
    ),
    "token and token file as variables": (
        {}, {**AKS, **OIDC}, ["AZURE_FEDERATED_TOKEN and AZURE_FEDERATED_TOKEN_FILE"], [],
    ),
    "three variables, one of them of AKS": (
        {}, {**AKS, "AZURE_SECRET": SECRET, **CERTIFICATE_ENV},
        ["AZURE_SECRET and AZURE_X509_CERTIFICATE_PATH"], ["FEDERATED"],
    ),
    "a set with a hole is not filled from elsewhere": (
        {"tenant": TENANT, "secret": SECRET}, VARIABLES,
        ["client_id (AZURE_CLIENT_ID)", "tenant, secret", "never mixed"], ["tenant (", "one of"],
    ),
    "one option hides the whole environment": (
        {"tenant": TENANT}, IN_ENV,
        ["client_id (AZURE_CLIENT_ID)", "one of secret (AZURE_SECRET or AZURE_CLIENT_SECRET)", "gives tenant,"], [],
    ),
    "what AWX injects without a tenant": ({}, {"AZURE_SECRET": SECRET}, ["tenant (", "client_id ("], ["one of"]),
    "auth_source env": ({**LOGIN, "auth_source": "env"}, {}, ["tenant (", "environment variables only"], []),
    "user and password": ({}, USER, ["not supported"], []),
    "a password alone": ({}, {**VARIABLES, "AZURE_PASSWORD": "canary"}, ["not supported", "access_token"], []),
    "az login": ({"auth_source": "cli"}, {}, ["auth_source (cli) must be one of auto, env, msi", "access_token"], []),
    "az login by variable": (
        LOGIN, {"ANSIBLE_AZURE_AUTH_SOURCE": "credential_file"}, ["ANSIBLE_AZURE_AUTH_SOURCE"], [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_names_what_is_missing_or_too_much(case: str) -> None:
    params, environ, named, unnamed = BAD[case]
    message = refusal(params, environ)
    assert [text for text in named if text not in message] == []
    assert [text for text in unnamed if text in message] == []


def test_an_empty_certificate_file_counts_as_not_given(tmp_path: pathlib.Path) -> None:
    empty, real = tmp_path / "empty", tmp_path / "real"
    empty.write_text("\n")
    real.write_text("x")
    environ = {**VARIABLES, "AZURE_X509_CERTIFICATE_PATH": str(empty)}
    assert resolve({}, {**environ, "AZURE_SECRET": SECRET}).credential.kind == "secret"
    assert resolve({}, {**environ, "AZURE_CLIENT_CERTIFICATE_PATH": str(real)}).credential.value == str(real)
    # It is no credential option either, so the environment is asked.
    assert resolve({"certificate_path": str(empty)}, {**VARIABLES, "AZURE_SECRET": SECRET}).tenant == TENANT
    assert f"AZURE_X509_CERTIFICATE_PATH names an empty file ({empty})" in refusal({}, environ)


def test_a_file_that_cannot_be_opened_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    # Gone between the look at it and the reading of it.
    monkeypatch.setattr(os.path, "isfile", lambda name: True)
    assert resolve({**OPTIONS, **CERTIFICATE}).credential.value == FILE


def test_paths_are_expanded_like_those_of_ansible(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/adele")
    monkeypatch.setenv("KEYS", "keys")
    connection = resolve({}, {**VARIABLES, "AZURE_X509_CERTIFICATE_PATH": "~/$KEYS/app.pem"})
    assert connection.credential.value == "/home/adele/keys/app.pem"


def test_what_belongs_to_a_certificate() -> None:
    given = {"certificate_password": " with blanks ", "thumbprint": "AB:CD", "send_certificate_chain": True}
    for proof, expected in ((CERTIFICATE, (" with blanks ", "AB:CD", True)), ({"secret": "x"}, (None, None, False))):
        credential = resolve({**OPTIONS, **given, **proof}).credential
        assert (credential.password, credential.thumbprint, credential.send_chain) == expected


def test_a_flag_of_the_environment() -> None:
    name, params = "AZURE_CLIENT_SEND_CERTIFICATE_CHAIN", {**OPTIONS, **CERTIFICATE}
    for value, expected in (("1", True), ("True", True), ("no", False), ("", False)):
        assert resolve(params, {name: value}).credential.send_chain is expected
    assert refusal(params, {name: "maybe"}) == f"{name} must be true or false."


NO_TENANTS = r"a/b .. a..b a%2fb a?b a#b a\b . - {x} common Organizations adfs contoso contoso. .contoso.example 1.2"


@pytest.mark.parametrize("tenant", [*NO_TENANTS.split(), "a b", "a b.example", f"{'x' * 64}.example"])
def test_no_tenant(tenant: str) -> None:
    message = refusal({**LOGIN, "tenant": "", "tenant_id": tenant})
    assert message.startswith("tenant_id ") and "GUID" in message


def test_beside_an_access_token_everything_else_is_ignored() -> None:
    wrong = {"tenant": "a/b", "secret": "x", "oidc_token": "y", "auth_source": "nonsense"}
    environ = {"AZURE_CLIENT_ID": "x", "AZURE_AUTHORITY_HOST": "ftp://nonsense", "AZURE_AD_USER": "x"}
    connection = resolve({"access_token": " canary-token\n", **wrong}, environ)
    assert (connection.credential.kind, connection.credential.value) == ("access_token", "canary-token")
    assert (connection.tenant, connection.client_id, connection.authority) == (None, None, None)


@pytest.mark.parametrize("token", ["canary one", "canary\none", "canary\x00", "Bearer canary", "canary\u00e9"])
def test_no_access_token(token: str) -> None:
    assert refusal({"access_token": token}).startswith("access_token holds whitespace")


# Secrets


def test_every_secret_in_sight_is_registered_before_anything_fails() -> None:
    registered: list[str] = []
    with pytest.raises(CredentialsError):
        _options.resolve(
            {"secret": "s-1", "client_secret": "s-2", "password": 12345, "cloud_environment": "nonsense"},
            {"AZURE_SECRET": "s-3", "AZURE_CLIENT_SECRET": "s-4", "AZURE_PASSWORD": "s-5", "AZURE_TENANT": "t"},
            Redactor(registered.append),
        )
    assert registered == ["s-1", "s-2", "s-3", "s-4", "12345", "s-5"]


def test_no_secret_in_a_representation() -> None:
    certificate = {**OPTIONS, **CERTIFICATE, "certificate_password": "canary"}
    for params in (LOGIN, {"access_token": "canary"}, {**OPTIONS, "oidc_token": "canary"}, certificate):
        assert "canary" not in repr(resolve(params))


# Which login service and which Graph: what the task says is never overruled by the environment

PUBLIC = ("https://login.microsoftonline.com", "https://graph.microsoft.com")
GOVERNMENT = ("https://login.microsoftonline.us", "https://graph.microsoft.us")
DOD = (GOVERNMENT[0], "https://dod-graph.microsoft.us")
LOGIN_URL, GRAPH_URL = "https://login.option.example", "https://graph.option.example"
LOGIN_ENV, GRAPH_ENV = "https://login.variable.example", "https://graph.variable.example"
URLS = {"authority_host": LOGIN_URL, "graph_url": GRAPH_URL}
URLS_ENV = {"AZURE_AUTHORITY_HOST": LOGIN_ENV, "MSGRAPH_URL": GRAPH_ENV}


# URLs and cloud of the task, and of the environment.
@pytest.mark.parametrize(
    ("urls", "cloud", "urls_env", "cloud_env", "expected"),
    [
        ({}, None, {}, "", PUBLIC),
        ({}, "", {}, "AzureCloud", PUBLIC),
        ({}, "AzureUSGovernmentDoD", {}, "", DOD),
        ({}, None, {}, "AzureUSGovernment", GOVERNMENT),
        ({}, None, URLS_ENV, "", (LOGIN_ENV, GRAPH_ENV)),
        ({}, " ", URLS_ENV, "AzureUSGovernment", (LOGIN_ENV, GRAPH_ENV)),
        ({}, "AzureUSGovernment", URLS_ENV, "", GOVERNMENT),
        # Named without need, it counts all the same.
        ({}, "AzureCloud", URLS_ENV, "", PUBLIC),
        ({}, "AzureCloud", {}, "AzureUSGovernment", PUBLIC),
        ({}, "AzureCloud", {}, "nonsense", PUBLIC),
        (URLS, "AzureUSGovernment", URLS_ENV, "", (LOGIN_URL, GRAPH_URL)),
        # Each URL by itself.
        ({"graph_url": GRAPH_URL}, "AzureUSGovernment", URLS_ENV, "", (GOVERNMENT[0], GRAPH_URL)),
        ({"graph_url": GRAPH_URL}, None, URLS_ENV, "", (LOGIN_ENV, GRAPH_URL)),
        ({"authority_host": LOGIN_URL}, None, {}, "AzureUSGovernment", (LOGIN_URL, GOVERNMENT[1])),
        ({}, None, {"AZURE_AUTHORITY_HOST": "login.variable.example"}, "AzureUSGovernmentDoD", (LOGIN_ENV, DOD[1])),
    ],
)
def test_the_task_decides_before_the_environment(
    urls: Params, cloud: str | None, urls_env: Environ, cloud_env: str, expected: tuple[str, str]
) -> None:
    params, environ = {**LOGIN, **urls, "cloud_environment": cloud}, {**urls_env, "AZURE_CLOUD_ENVIRONMENT": cloud_env}
    connection, described = resolve(params, environ), _options.describe(params, environ)
    assert (connection.authority, connection.graph_url) == expected
    assert (described["authority"], described["graph_url"]) == expected


KNOWN = {**OPTIONS, "auth": "secret", "authority": PUBLIC[0]}


@pytest.mark.parametrize(
    ("params", "environ", "expected"),
    [
        (LOGIN, {}, KNOWN),
        ({"access_token": "x", **LOGIN}, {}, {"auth": "access_token"}),
        ({**MSI, "client_id": CLIENT}, {}, {"auth": "managed_identity", "client_id": CLIENT}),
        ({}, {**AKS, "AZURE_TENANT": "contoso.example"}, {**KNOWN, "tenant": "contoso.example", "auth": "oidc"}),
        # As far as known.
        ({"tenant": TENANT}, {}, {"tenant": TENANT, "authority": PUBLIC[0]}),
        ({**LOGIN, "client_id": "canary"}, {}, {**KNOWN, "client_id": None}),
        ({**LOGIN, "oidc_token": "canary"}, {}, {**KNOWN, "auth": None}),
        ({"auth_source": "canary"}, {}, {}),
        ({"access_token": ["canary"]}, {}, {}),
        ({**LOGIN, "cloud_environment": "x"}, {}, {**KNOWN, "authority": None, "graph_url": None}),
    ],
)
def test_a_connection_is_described_as_far_as_it_is_known(params: Params, environ: Environ, expected: Params) -> None:
    nothing = dict.fromkeys(("tenant", "client_id", "auth", "authority"))
    assert _options.describe(params, environ) == {**nothing, "graph_url": PUBLIC[1], **expected}


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ("AzureChinaCloud", "does not exist"),
        ("AzureGermanCloud", "not the name of a cloud"),
        ("https://management.local.azurestack.external/", "Azure Stack"),
        ("azurecloud", "(azurecloud) is not the name of a cloud"),
    ],
)
def test_no_cloud(given: str, named: str) -> None:
    message = refusal({**LOGIN, "cloud_environment": given})
    # Also where both URLs are given.
    assert message == refusal({**LOGIN, **URLS, "cloud_environment": given})
    assert message.startswith("cloud_environment") and named in message
    assert "AzureCloud, AzureUSGovernment, AzureUSGovernmentDoD" in message
    assert refusal({}, {"AZURE_CLOUD_ENVIRONMENT": given}).startswith("AZURE_CLOUD_ENVIRONMENT")


@pytest.mark.parametrize("name", URLS)
@pytest.mark.parametrize(
    ("given", "origin"),
    [
        ("https://graph.microsoft-ppe.com", "https://graph.microsoft-ppe.com"),
        ("https://Graph.Contoso.Example/", "https://graph.contoso.example"),
        (" HTTPS://localhost:8443\n", "https://localhost:8443"),
        ("https://graph.contoso.example:443", "https://graph.contoso.example"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("http://localhost:80", "http://localhost"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_a_url(name: str, given: str, origin: str) -> None:
    connection = resolve({**LOGIN, name: given})
    assert {"graph_url": connection.graph_url, "authority_host": connection.authority}[name] == origin


NO_URL, LOOPBACK, CHINA = "must be an https URL", "loopback addresses only", "does not exist"


@pytest.mark.parametrize("name", URLS)
@pytest.mark.parametrize(
    ("given", "words"),
    [
        *((f"https://{given}", NO_URL) for given in (
            "", "graph.contoso.example/v1.0", "graph.contoso.example?x=1", "graph.contoso.example#x",
            "user:canary@graph.contoso.example", "graph.contoso.example@other.example",
            "graph.contoso.example\\@other.example", "graph.\ncontoso.example", "a..b", "graph.contoso.example:",
            "graph.contoso.example:0", "graph.contoso.example:65536", "graph.contoso.example:1234567",
            "\u0261raph.contoso.example",
        )),
        ("ftp://graph.contoso.example", NO_URL), ("graph.contoso.example:443", NO_URL),
        *((f"http://{host}:80", LOOPBACK)
          for host in ("graph.contoso.example", "127.0.0.1.contoso.example", "192.168.0.1", "[fe80::1]")),
        # No way around the refusal of China.
        ("https://microsoftgraph.chinacloudapi.cn", CHINA), ("https://login.chinacloudapi.cn", CHINA),
    ],
)  # fmt: skip
def test_no_url(name: str, given: str, words: str) -> None:
    message = refusal({**LOGIN, name: given})
    assert message.startswith(f"{name} ") and words in message


def test_a_bare_host_is_for_the_login_alone() -> None:
    connection = resolve(LOGIN, {"AZURE_AUTHORITY_HOST": "login.microsoftonline.us"})
    assert connection.authority == "https://login.microsoftonline.us"
    assert CHINA in refusal({**LOGIN, "authority_host": "login.partner.microsoftonline.cn"})
    assert refusal(LOGIN, {"MSGRAPH_URL": "graph.microsoft.us"}).startswith(f"MSGRAPH_URL {NO_URL}")


# The rest


def test_version_and_times() -> None:
    connection = resolve(LOGIN)
    assert (connection.api_version, connection.timeout, connection.retry_timeout) == ("v1.0", 60, 300)
    assert resolve({**LOGIN, "api_version": "beta"}).api_version == "beta"
    assert "v1.0, beta" in refusal({**LOGIN, "api_version": "v2.0"})
    for name in ("timeout", "retry_timeout"):
        assert getattr(resolve({**LOGIN, name: 7}), name) == getattr(resolve({**LOGIN, name: "7"}), name) == 7
        for value in (0, -1, "soon", 1.5, True, "\u0661"):
            assert refusal({**LOGIN, name: value}) == f"{name} must be a whole number of seconds, 1 or more."


def test_ca_path(tmp_path: pathlib.Path, certificate_file: str) -> None:
    assert resolve(LOGIN).verify is True
    assert resolve({**LOGIN, "ca_path": certificate_file}).verify == certificate_file
    assert resolve(LOGIN, {"REQUESTS_CA_BUNDLE": certificate_file}).verify == certificate_file
    (tmp_path / "5ed36f99.0").write_bytes(pathlib.Path(certificate_file).read_bytes())
    assert resolve({**LOGIN, "ca_path": str(tmp_path)}).verify == str(tmp_path)
    assert resolve({**LOGIN, "ca_path": certificate_file, "validate_certs": False}).verify is False
    assert resolve({**LOGIN, "ca_path": FILE, "validate_certs": "no"}).verify is False


@pytest.mark.parametrize(
    ("value", "content", "words"),
    [
        (FILE, b"", "ca_path (/no/such/file) cannot be used: No such file"),
        ("{folder}", b"{ca}", "rehash"),
        ("{folder}/file", b"no", "no certificate in PEM format"),
        ("{folder}/file", "{ca}".encode("utf-16"), "text in UTF-16"),
        ("{folder}/file", b"\x30\x82\x01\x0a", "openssl x509 -inform der"),
        ("{ca}", b"", "its value is not a path"),
    ],
    ids=["missing file", "folder without hashes", "no certificate", "UTF-16", "DER", "content of the file"],
)
def test_ca_path_that_cannot_be_used(
    tmp_path: pathlib.Path, certificate_file: str, value: str, content: bytes, words: str
) -> None:
    ca = pathlib.Path(certificate_file).read_text()
    (tmp_path / "file").write_bytes(content.replace(b"{ca}", ca.encode()))
    value = value.format(folder=tmp_path, ca=ca)
    with pytest.raises(TlsError, match=re.escape(words)) as caught:
        resolve({**LOGIN, "ca_path": value})
    assert "BEGIN CERTIFICATE" not in str(caught.value)
    with pytest.raises(TlsError, match=r"^REQUESTS_CA_BUNDLE "):
        resolve(LOGIN, {"REQUESTS_CA_BUNDLE": value})

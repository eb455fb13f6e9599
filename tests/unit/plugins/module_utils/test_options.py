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
AKS = {**VARIABLES, "AZURE_FEDERATED_TOKEN_FILE": "/var/run/token"}
NO_TENANTS = r"a/b .. a..b a%2fb a?b a#b a\b . - {x} common Organizations adfs contoso contoso. .contoso.example 1.2"
MACHINE = "managed_identity auth_source"


def resolve(
    params: t.Mapping[str, t.Any] | None = None, environ: t.Mapping[str, str] | None = None
) -> _options.Connection:
    return _options.resolve(params or {}, environ or {}, Redactor())


def refusal(params: t.Mapping[str, t.Any] | None = None, environ: t.Mapping[str, str] | None = None) -> str:
    """The message of the refusal, which must not hold a canary."""
    with pytest.raises(CredentialsError) as caught:
        resolve(params, environ)
    assert caught.value.kind == "credentials"
    assert "canary" not in str(caught.value)
    return str(caught.value)


class TestTable:
    def test_the_options_are_those_of_the_interface(self) -> None:
        names = (
            "access_token tenant client_id secret x509_certificate_path certificate_password thumbprint "
            "send_certificate_chain oidc_token oidc_token_file_path auth_source cloud_environment authority_host "
            "graph_url api_version ca_path validate_certs timeout retry_timeout"
        )
        assert list(options.argument_spec()) == names.split()

    def test_secrets_are_masked_and_names_are_not(self) -> None:
        no_log = {name: entry["no_log"] for name, entry in options.argument_spec().items() if "no_log" in entry}
        secrets = dict.fromkeys(("access_token", "secret", "certificate_password", "oidc_token"), True)
        assert no_log == {**secrets, "oidc_token_file_path": False}

    def test_no_choices_or_required_stand_in_the_way_of_an_empty_string(self) -> None:
        for name, entry in options.argument_spec().items():
            assert not {"choices", "required", "fallback"} & set(entry), name

    def test_documentation_and_spec_agree(self) -> None:
        documented = yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"]
        spec = options.argument_spec()
        assert list(documented) == list(spec)
        for name, entry in spec.items():
            assert documented[name]["type"] == entry["type"], name
            assert documented[name].get("aliases") == entry.get("aliases"), name
            assert documented[name].get("default") == entry.get("default"), name

    def test_documentation_names_every_environment_variable(self) -> None:
        documented = yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"]
        for option in options.CONNECTION_OPTIONS:
            text = " ".join(documented[option.name]["description"])
            assert set(re.findall(r"E\((\w+)\)", text)) == set(option.env), option.name


class TestSources:
    """Where the credential comes from."""

    # options, environment -> kind and label of the credential, client id
    GOOD: t.ClassVar[dict[str, tuple[dict[str, t.Any], dict[str, str], str, str | None]]] = {
        "options, and an empty token": ({**LOGIN, "access_token": "\n"}, {}, "secret secret", CLIENT),
        "aliases": (
            {"tenant_id": TENANT, "client_id": CLIENT, "client_secret": SECRET}, {}, "secret client_secret", CLIENT,
        ),
        "what AWX injects": (
            {},
            {**IN_ENV, "AZURE_SUBSCRIPTION_ID": "x",
             **dict.fromkeys(("AZURE_CLOUD_ENVIRONMENT", "AZURE_AD_USER", "AZURE_PASSWORD"), "")},
            "secret AZURE_SECRET", CLIENT,
        ),
        "names of Azure's own libraries, the first ones empty": (
            {},
            {**VARIABLES, "AZURE_TENANT": "", "AZURE_TENANT_ID": TENANT, "AZURE_SECRET": "",
             "AZURE_CLIENT_SECRET": SECRET},
            "secret AZURE_CLIENT_SECRET", CLIENT,
        ),
        "options win as a set": (
            {**LOGIN, "client_id": OTHER_CLIENT}, {**VARIABLES, "AZURE_X509_CERTIFICATE_PATH": "/no/such/file"},
            "secret secret", OTHER_CLIENT,
        ),
        "empty options count as not given": (
            {"tenant": "", "client_id": "", "secret": " ", "certificate_password": ""}, IN_ENV,
            "secret AZURE_SECRET", CLIENT,
        ),
        "auth_source env looks past the options": (
            {"auth_source": "env", "tenant": "other", "client_id": "other", "secret": "canary-other"}, IN_ENV,
            "secret AZURE_SECRET", CLIENT,
        ),
        "auth_source from the environment": (
            {**LOGIN, "auth_source": ""}, {"ANSIBLE_AZURE_AUTH_SOURCE": "msi"}, MACHINE, CLIENT,
        ),
        "managed identity by client id": (
            {"auth_source": "msi", "client_id": OTHER_CLIENT}, VARIABLES, MACHINE, OTHER_CLIENT,
        ),
        "managed identity by variable": ({"auth_source": "msi"}, VARIABLES, MACHINE, CLIENT),
        "managed identity is asked for, whatever lies around": (
            {"auth_source": "msi"}, {"AZURE_SECRET": SECRET, "AZURE_FEDERATED_TOKEN": "canary"}, MACHINE, None,
        ),
        "token": ({**OPTIONS, "oidc_token": "canary"}, {}, "oidc_token oidc_token", CLIENT),
        "token variable": (
            {}, {**VARIABLES, "AZURE_FEDERATED_TOKEN": "canary"}, "oidc_token AZURE_FEDERATED_TOKEN", CLIENT,
        ),
        "workload identity of AKS": ({}, AKS, "oidc_token_file AZURE_FEDERATED_TOKEN_FILE", CLIENT),
        "AKS gives way to a secret": ({}, {**AKS, "AZURE_SECRET": SECRET}, "secret AZURE_SECRET", CLIENT),
        "AKS gives way to a certificate": (
            {}, {**AKS, "AZURE_CLIENT_CERTIFICATE_PATH": "/no/such/file"},
            "certificate AZURE_CLIENT_CERTIFICATE_PATH", CLIENT,
        ),
        "AKS and options": (LOGIN, AKS, "secret secret", CLIENT),
        "a user beside an application is ignored": (
            LOGIN, {"AZURE_AD_USER": "adele@contoso.example", "AZURE_PASSWORD": "canary"}, "secret secret", CLIENT,
        ),
    }  # fmt: skip

    @pytest.mark.parametrize("case", GOOD)
    def test_good(self, case: str) -> None:
        params, environ, credential, client_id = self.GOOD[case]
        connection = resolve(params, environ)
        assert f"{connection.credential.kind} {connection.credential.label}" == credential
        assert connection.client_id == client_id

    # options, environment -> what the message must name, what it must not
    BAD: t.ClassVar[dict[str, tuple[dict[str, t.Any], dict[str, str], list[str], list[str]]]] = {
        "nothing at all": (
            {}, {}, ["tenant (AZURE_TENANT or AZURE_TENANT_ID)", "client_id (AZURE_CLIENT_ID)", "access_token", "msi"],
            [],
        ),
        "two options": (
            {**LOGIN, "x509_certificate_path": "/no/such/file"}, {}, ["secret and x509_certificate_path"], ["AZURE_"],
        ),
        "two options by their aliases": (
            {**OPTIONS, "client_secret": SECRET, "secret": SECRET, "certificate_path": "/no/such/file"}, {},
            ["client_secret and certificate_path"], [],
        ),
        "two variables": (
            {}, {**VARIABLES, "AZURE_CLIENT_SECRET": SECRET, "AZURE_FEDERATED_TOKEN": "canary"},
            ["AZURE_CLIENT_SECRET and AZURE_FEDERATED_TOKEN"], [],
        ),
        "token and token file as options": (
            {**OPTIONS, "oidc_token": "canary", "oidc_token_file_path": "/no/such/file"}, {},
            ["oidc_token and oidc_token_file_path"], [],
        ),
        "secret and token file as options": (
            {**LOGIN, "oidc_token_file_path": "/no/such/file"}, {}, ["secret and oidc_token_file_path"], [],
        ),
        "token and token file as variables": (
            {}, {**AKS, "AZURE_FEDERATED_TOKEN": "x"}, ["AZURE_FEDERATED_TOKEN and AZURE_FEDERATED_TOKEN_FILE"], [],
        ),
        "three variables, one of them of AKS": (
            {}, {**AKS, "AZURE_SECRET": SECRET, "AZURE_X509_CERTIFICATE_PATH": "/no/such/file"},
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
        "user and password": ({}, {"AZURE_AD_USER": "a@b.example", "AZURE_PASSWORD": "canary"}, ["not supported"], []),
        "a password alone": ({}, {**VARIABLES, "AZURE_PASSWORD": "canary"}, ["not supported", "access_token"], []),
        "az login": (
            {"auth_source": "cli"}, {}, ["auth_source (cli) must be one of auto, env, msi", "access_token"], [],
        ),
        "az login by variable": (
            LOGIN, {"ANSIBLE_AZURE_AUTH_SOURCE": "credential_file"}, ["ANSIBLE_AZURE_AUTH_SOURCE"], [],
        ),
        "a list": ({**LOGIN, "secret": ["canary"]}, {}, ["secret must be a single value"], []),
    }  # fmt: skip

    @pytest.mark.parametrize("case", BAD)
    def test_bad(self, case: str) -> None:
        params, environ, named, unnamed = self.BAD[case]
        message = refusal(params, environ)
        assert [text for text in named if text not in message] == []
        assert [text for text in unnamed if text in message] == []

    def test_an_empty_certificate_file_counts_as_not_given(self, tmp_path: pathlib.Path) -> None:
        empty = tmp_path / "empty"
        empty.write_text("\n")
        real = tmp_path / "real"
        real.write_text("x")
        environ = {**VARIABLES, "AZURE_X509_CERTIFICATE_PATH": str(empty)}
        assert resolve({}, {**environ, "AZURE_SECRET": SECRET}).credential.kind == "secret"
        assert resolve({}, {**environ, "AZURE_CLIENT_CERTIFICATE_PATH": str(real)}).credential.value == str(real)
        # It is no credential option either, so the environment is asked.
        assert resolve({"certificate_path": str(empty)}, {**VARIABLES, "AZURE_SECRET": SECRET}).tenant == TENANT
        message = refusal({}, environ)
        assert f"AZURE_X509_CERTIFICATE_PATH names an empty file ({empty})" in message

    def test_a_file_that_cannot_be_opened_is_given(
        self, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "gone"
        # Gone between the look at it and the reading of it.
        monkeypatch.setattr(os.path, "isfile", lambda name: True)
        assert resolve({**OPTIONS, "x509_certificate_path": str(path)}).credential.value == str(path)

    def test_paths_are_expanded_like_those_of_ansible(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOME", "/home/adele")
        monkeypatch.setenv("KEYS", "keys")
        connection = resolve({}, {**VARIABLES, "AZURE_X509_CERTIFICATE_PATH": "~/$KEYS/app.pem"})
        assert connection.credential.value == "/home/adele/keys/app.pem"

    def test_what_belongs_to_a_certificate(self) -> None:
        options = {"certificate_password": " with blanks ", "thumbprint": "AB:CD", "send_certificate_chain": True}
        given = {**OPTIONS, "x509_certificate_path": "/no/such/file", **options}
        credential = resolve(given).credential
        assert (credential.password, credential.thumbprint, credential.send_chain) == (" with blanks ", "AB:CD", True)
        del given["x509_certificate_path"]
        credential = resolve({**given, "secret": SECRET}).credential
        assert (credential.password, credential.thumbprint, credential.send_chain) == (None, None, False)

    def test_a_flag_of_the_environment(self) -> None:
        params = {**OPTIONS, "x509_certificate_path": "/no/such/file"}
        for value, expected in (("1", True), ("True", True), ("no", False), ("", False)):
            environ = {"AZURE_CLIENT_SEND_CERTIFICATE_CHAIN": value}
            assert resolve(params, environ).credential.send_chain is expected
        message = refusal(params, {"AZURE_CLIENT_SEND_CERTIFICATE_CHAIN": "maybe"})
        assert message == "AZURE_CLIENT_SEND_CERTIFICATE_CHAIN must be true or false."

    @pytest.mark.parametrize("tenant", [*NO_TENANTS.split(), "a b", "a b.example", f"{'x' * 64}.example"])
    def test_no_tenant(self, tenant: str) -> None:
        message = refusal({**LOGIN, "tenant": "", "tenant_id": tenant})
        assert message.startswith("tenant_id ")
        assert "GUID" in message


class TestAccessToken:
    def test_everything_else_about_credentials_is_ignored(self) -> None:
        wrong = {"tenant": "a/b", "secret": "x", "oidc_token": "y", "auth_source": "nonsense"}
        connection = resolve(
            {"access_token": " canary-token\n", **wrong},
            {"AZURE_CLIENT_ID": "x", "AZURE_AUTHORITY_HOST": "ftp://nonsense", "AZURE_AD_USER": "x"},
        )
        assert connection.credential.kind == "access_token"
        assert connection.credential.value == "canary-token"
        assert (connection.tenant, connection.client_id) == (None, None)
        assert connection.authority is None

    @pytest.mark.parametrize("token", ["canary one", "canary\none", "canary\x00", "Bearer canary", "canary\u00e9"])
    def test_what_no_header_can_hold(self, token: str) -> None:
        assert refusal({"access_token": token}).startswith("access_token holds whitespace")


class TestSecrets:
    def test_every_secret_in_sight_is_registered_before_anything_fails(self) -> None:
        registered: list[str] = []
        with pytest.raises(CredentialsError):
            _options.resolve(
                {"secret": "s-1", "client_secret": "s-2", "password": 12345, "cloud_environment": "nonsense"},
                {"AZURE_SECRET": "s-3", "AZURE_CLIENT_SECRET": "s-4", "AZURE_PASSWORD": "s-5", "AZURE_TENANT": "t"},
                Redactor(registered.append),
            )
        assert registered == ["s-1", "s-2", "s-3", "s-4", "12345", "s-5"]

    def test_no_secret_in_a_representation(self) -> None:
        certificate = {**OPTIONS, "x509_certificate_path": "/x", "certificate_password": "canary"}
        for params in (LOGIN, {"access_token": "canary"}, {**OPTIONS, "oidc_token": "canary"}, certificate):
            assert "canary" not in repr(resolve(params))


class TestCloud:
    @pytest.mark.parametrize(
        ("given", "named"),
        [
            ("AzureChinaCloud", "does not exist"),
            ("AzureGermanCloud", "not the name of a cloud"),
            ("https://management.local.azurestack.external/", "Azure Stack"),
            ("azurecloud", "(azurecloud) is not the name of a cloud"),
        ],
    )
    def test_refused(self, given: str, named: str) -> None:
        # Also where both URLs are given.
        urls = {"authority_host": "https://login.option.example", "graph_url": "https://graph.option.example"}
        message = refusal({**LOGIN, "cloud_environment": given})
        assert message == refusal({**LOGIN, **urls, "cloud_environment": given})
        assert message.startswith("cloud_environment") and named in message
        assert "AzureCloud, AzureUSGovernment, AzureUSGovernmentDoD" in message
        assert refusal({}, {"AZURE_CLOUD_ENVIRONMENT": given}).startswith("AZURE_CLOUD_ENVIRONMENT")

    @pytest.mark.parametrize("name", ["graph_url", "authority_host"])
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
    def test_a_url(self, name: str, given: str, origin: str) -> None:
        connection = resolve({**LOGIN, name: given})
        assert {"graph_url": connection.graph_url, "authority_host": connection.authority}[name] == origin

    @pytest.mark.parametrize("name", ["graph_url", "authority_host"])
    @pytest.mark.parametrize(
        "given",
        [
            "https://", "https://graph.contoso.example/v1.0", "https://graph.contoso.example?x=1",
            "https://graph.contoso.example#x", "https://user:canary@graph.contoso.example",
            "https://graph.contoso.example@other.example", "https://graph.contoso.example\\@other.example",
            "https://graph.\ncontoso.example", "https://a..b", "https://graph.contoso.example:",
            "https://graph.contoso.example:0", "https://graph.contoso.example:65536",
            "https://graph.contoso.example:1234567", "https://\u0261raph.contoso.example",
            "ftp://graph.contoso.example", "graph.contoso.example:443",
        ],
    )  # fmt: skip
    def test_no_url(self, name: str, given: str) -> None:
        assert refusal({**LOGIN, name: given}).startswith(f"{name} must be an https URL")

    @pytest.mark.parametrize("name", ["graph_url", "authority_host"])
    @pytest.mark.parametrize("host", ["graph.contoso.example", "127.0.0.1.contoso.example", "192.168.0.1", "[fe80::1]"])
    def test_http_is_for_loopback(self, name: str, host: str) -> None:
        assert "loopback addresses only" in refusal({**LOGIN, name: f"http://{host}:80"})

    def test_a_bare_host_is_for_the_login_alone(self) -> None:
        connection = resolve(LOGIN, {"AZURE_AUTHORITY_HOST": "login.microsoftonline.us"})
        assert connection.authority == "https://login.microsoftonline.us"
        assert refusal(LOGIN, {"MSGRAPH_URL": "graph.microsoft.us"}).startswith("MSGRAPH_URL must be an https URL")

    @pytest.mark.parametrize(
        "params",
        [
            {"graph_url": "https://microsoftgraph.chinacloudapi.cn"},
            {"authority_host": "https://login.chinacloudapi.cn"},
            {"authority_host": "login.partner.microsoftonline.cn"},
        ],
    )
    def test_no_way_around_the_refusal_of_china(self, params: dict[str, str]) -> None:
        assert "does not exist" in refusal({**LOGIN, **params})


class TestRest:
    def test_defaults(self) -> None:
        connection = resolve(LOGIN)
        assert (connection.api_version, connection.verify) == ("v1.0", True)
        assert (connection.timeout, connection.retry_timeout) == (60, 300)

    def test_api_version(self) -> None:
        assert resolve({**LOGIN, "api_version": "beta"}).api_version == "beta"
        assert "v1.0, beta" in refusal({**LOGIN, "api_version": "v2.0"})

    @pytest.mark.parametrize("name", ["timeout", "retry_timeout"])
    def test_seconds(self, name: str) -> None:
        assert getattr(resolve({**LOGIN, name: 7}), name) == 7
        assert getattr(resolve({**LOGIN, name: "7"}), name) == 7
        for value in (0, -1, "soon", 1.5, True, "\u0661"):
            assert refusal({**LOGIN, name: value}) == f"{name} must be a whole number of seconds, 1 or more."

    def test_ca_path(self, tmp_path: pathlib.Path, certificate_file: str) -> None:
        assert resolve({**LOGIN, "ca_path": certificate_file}).verify == certificate_file
        assert resolve(LOGIN, {"REQUESTS_CA_BUNDLE": certificate_file}).verify == certificate_file
        (tmp_path / "5ed36f99.0").write_bytes(pathlib.Path(certificate_file).read_bytes())
        assert resolve({**LOGIN, "ca_path": str(tmp_path)}).verify == str(tmp_path)
        assert resolve({**LOGIN, "ca_path": certificate_file, "validate_certs": False}).verify is False
        assert resolve({**LOGIN, "ca_path": "/no/such/file", "validate_certs": "no"}).verify is False

    # The folder, the CA -> the value of ca_path; what the message must say.
    BAD: t.ClassVar[dict[str, tuple[t.Callable[[pathlib.Path, pathlib.Path], str], str]]] = {
        "missing file": (lambda folder, ca: "/no/such/file", "ca_path (/no/such/file) cannot be used: No such file"),
        "folder without hashes": (lambda folder, ca: str(_write(folder / "ca.pem", ca.read_bytes()).parent), "rehash"),
        "no certificate": (lambda folder, ca: str(_write(folder / "ca.txt", b"no")), "no certificate in PEM format"),
        "UTF-16": (lambda folder, ca: str(_write(folder / "x", ca.read_text().encode("utf-16"))), "text in UTF-16"),
        "DER": (lambda folder, ca: str(_write(folder / "x", b"\x30\x82\x01\x0a")), "openssl x509 -inform der"),
        "content of the file": (lambda folder, ca: ca.read_text(), "its value is not a path"),
    }

    @pytest.mark.parametrize("name", BAD)
    def test_ca_path_that_cannot_be_used(self, tmp_path: pathlib.Path, certificate_file: str, name: str) -> None:
        make, words = self.BAD[name]
        value = make(tmp_path, pathlib.Path(certificate_file))
        with pytest.raises(TlsError, match=re.escape(words)) as caught:
            resolve({**LOGIN, "ca_path": value})
        assert "BEGIN CERTIFICATE" not in str(caught.value)
        with pytest.raises(TlsError, match=r"^REQUESTS_CA_BUNDLE "):
            resolve(LOGIN, {"REQUESTS_CA_BUNDLE": value})


def _write(path: pathlib.Path, content: bytes) -> pathlib.Path:
    path.write_bytes(content)
    return path

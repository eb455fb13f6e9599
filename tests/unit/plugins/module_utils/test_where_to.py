"""Which login service and which Graph: what the task says is never overruled by the environment."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.identityops.entra_risk.plugins.module_utils._login.connection import describe, resolve
from ansible_collections.identityops.entra_risk.plugins.module_utils._redact import Redactor

TENANT = "5fbf2be0-6a31-4b4e-a3b8-6e4b7d8f1c11"
CLIENT = "8f2b8c1a-0e64-4a6e-9d0f-8f3f0c5e7b22"
LOGIN = {"tenant": TENANT, "client_id": CLIENT, "secret": "canary-secret-8Q~kXw"}

PUBLIC = ("https://login.microsoftonline.com", "https://graph.microsoft.com")
GOVERNMENT = ("https://login.microsoftonline.us", "https://graph.microsoft.us")
DOD = (GOVERNMENT[0], "https://dod-graph.microsoft.us")
URLS = {"authority_host": "https://login.option.example", "graph_url": "https://graph.option.example"}
VARIABLES = {"AZURE_AUTHORITY_HOST": "https://login.variable.example", "MSGRAPH_URL": "https://graph.variable.example"}


@pytest.mark.parametrize(
    ("params", "environ", "expected"),
    [
        ({}, {}, PUBLIC),
        ({"cloud_environment": ""}, {}, PUBLIC),
        ({"cloud_environment": "AzureUSGovernmentDoD"}, {}, DOD),
        ({}, {"AZURE_CLOUD_ENVIRONMENT": "AzureCloud"}, PUBLIC),
        ({}, {"AZURE_CLOUD_ENVIRONMENT": "AzureUSGovernment"}, GOVERNMENT),
        ({}, VARIABLES, tuple(VARIABLES.values())),
        ({}, {**VARIABLES, "AZURE_CLOUD_ENVIRONMENT": "AzureUSGovernment"}, tuple(VARIABLES.values())),
        ({"cloud_environment": "AzureUSGovernment"}, VARIABLES, GOVERNMENT),
        # Named without need, it counts all the same.
        ({"cloud_environment": "AzureCloud"}, VARIABLES, PUBLIC),
        ({"cloud_environment": "AzureCloud"}, {"AZURE_CLOUD_ENVIRONMENT": "AzureUSGovernment"}, PUBLIC),
        ({"cloud_environment": "AzureCloud"}, {"AZURE_CLOUD_ENVIRONMENT": "nonsense"}, PUBLIC),
        ({"cloud_environment": " "}, VARIABLES, tuple(VARIABLES.values())),
        ({**URLS, "cloud_environment": "AzureUSGovernment"}, VARIABLES, tuple(URLS.values())),
        # Each URL by itself.
        (
            {"graph_url": URLS["graph_url"], "cloud_environment": "AzureUSGovernment"},
            VARIABLES,
            (GOVERNMENT[0], URLS["graph_url"]),
        ),
        ({"graph_url": URLS["graph_url"]}, VARIABLES, (VARIABLES["AZURE_AUTHORITY_HOST"], URLS["graph_url"])),
        (
            {"authority_host": URLS["authority_host"]},
            {"AZURE_CLOUD_ENVIRONMENT": "AzureUSGovernment"},
            (URLS["authority_host"], GOVERNMENT[1]),
        ),
        (
            {},
            {"AZURE_CLOUD_ENVIRONMENT": "AzureUSGovernmentDoD", "AZURE_AUTHORITY_HOST": "login.variable.example"},
            ("https://login.variable.example", DOD[1]),
        ),
    ],
)
def test_the_task_decides_before_the_environment(
    params: dict[str, t.Any], environ: dict[str, str], expected: tuple[str, str]
) -> None:
    connection = resolve({**LOGIN, **params}, environ, Redactor())
    assert (connection.authority, connection.graph_url) == expected
    described = describe({**LOGIN, **params}, environ)
    assert (described["authority"], described["graph_url"]) == expected


@pytest.mark.parametrize(
    ("params", "environ", "expected"),
    [
        (LOGIN, {}, {"tenant": TENANT, "client_id": CLIENT, "auth": "secret", "authority": PUBLIC[0]}),
        ({"access_token": "x", **LOGIN}, {}, {"auth": "access_token"}),
        ({"auth_source": "msi", "client_id": CLIENT}, {}, {"auth": "managed_identity", "client_id": CLIENT}),
        (
            {},
            {"AZURE_TENANT": "contoso.example", "AZURE_CLIENT_ID": CLIENT, "AZURE_FEDERATED_TOKEN_FILE": "/x"},
            {"tenant": "contoso.example", "client_id": CLIENT, "auth": "oidc", "authority": PUBLIC[0]},
        ),
        # As far as known.
        ({"tenant": TENANT}, {}, {"tenant": TENANT, "authority": PUBLIC[0]}),
        ({**LOGIN, "client_id": "canary"}, {}, {"tenant": TENANT, "auth": "secret", "authority": PUBLIC[0]}),
        ({**LOGIN, "oidc_token": "canary"}, {}, {"tenant": TENANT, "client_id": CLIENT, "authority": PUBLIC[0]}),
        ({"auth_source": "canary"}, {}, {}),
        ({"access_token": ["canary"]}, {}, {}),
        ({**LOGIN, "cloud_environment": "x"}, {}, {"tenant": TENANT, "client_id": CLIENT, "auth": "secret",
                                                   "graph_url": None}),
    ],
)  # fmt: skip
def test_a_connection_is_described_as_far_as_it_is_known(
    params: dict[str, t.Any], environ: dict[str, str], expected: dict[str, str]
) -> None:
    nothing = dict.fromkeys(("tenant", "client_id", "auth", "authority"))
    assert describe(params, environ) == {**nothing, "graph_url": PUBLIC[1], **expected}

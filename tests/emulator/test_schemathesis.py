"""schemathesis against the running emulator: what a hand-written server gets wrong.

It makes requests out of the OpenAPI document, good and bad ones, always the same, and holds the answers against it.
"""

from __future__ import annotations

import typing as t

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import GenerationMode
from schemathesis.schemas import BaseSchema

from tests.entra_emulator.emulator import Emulator
from tests.entra_emulator.openapi import document
from tests.entra_emulator.resources import ALL_ROLES

KNOWN_ID = "04487ee0-f4f6-4e7f-8999-facc5a30e232"
# Beta repeats the rest under other paths.
PATHS = r"^/v1\.0/|^/beta/risk\w+$|^/beta/identityProtection/riskyServicePrincipals$"


def _schema() -> BaseSchema:
    whole = document()
    # The service takes any value of these headers, so there is nothing wrong for it to refuse.
    for operations in whole["paths"].values():
        for operation in operations.values():
            operation["parameters"] = [each for each in operation["parameters"] if each["in"] != "header"]
    return schemathesis.openapi.from_dict(whole).include(path_regex=PATHS)


schema = _schema()


@pytest.fixture(autouse=True)
def contract() -> None:
    """Half of these requests are wrong on purpose, and schemathesis checks the answers itself."""


@pytest.fixture(scope="module")
def service() -> t.Iterator[dict[str, t.Any]]:
    """Where the service is, as arguments of a call."""
    with Emulator(validate=False) as emulator:
        tenant = emulator.add_tenant()
        past = [{"id": KNOWN_ID}]
        tenant.add_user("adele.vance@contoso.example", id=KNOWN_ID, history=past)
        tenant.add_service_principal("Payroll Sync", id=KNOWN_ID, history=past)
        tenant.add_detection(KNOWN_ID, id=KNOWN_ID)
        tenant.add_service_principal_detection(KNOWN_ID, id=KNOWN_ID, key_ids=[KNOWN_ID])
        session = requests.Session()
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {tenant.mint_token(roles=ALL_ROLES)}"
        yield {"base_url": emulator.graph_url, "session": session, "verify": emulator.ca_path}
        session.close()


@schema.parametrize()
@settings(max_examples=3, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
def test_answers_fit_whatever_is_asked(case: schemathesis.Case[t.Any], service: dict[str, t.Any]) -> None:
    if case.meta is not None and case.meta.generation.mode == GenerationMode.POSITIVE:
        # An id out of thin air would never lead to an answer that says something.
        case.path_parameters.update(dict.fromkeys(set(case.path_parameters), KNOWN_ID))
        # No schema can say what a filter is, nor where a list goes on.
        case.query.pop("$skiptoken", None)
        if "$filter" in case.query:
            case.query["$filter"] = "id ne null"
    case.call_and_validate(**service)

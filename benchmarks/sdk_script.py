"""Dismisses users with Microsoft's Python SDK, as a script. The credentials come from the environment.

`each` sends what Microsoft's example shows, one user a request. `chunks` is the best that we could write: it lists the
active users first, and writes 60 a request. The SDK retries what was throttled by itself.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import typing as t
from pathlib import Path
from urllib.parse import urlsplit

from azure.identity import ClientSecretCredential
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.identity_protection.risky_users.dismiss.dismiss_post_request_body import DismissPostRequestBody
from msgraph.generated.identity_protection.risky_users.risky_users_request_builder import RiskyUsersRequestBuilder

CHUNK = 60
PAGE = 500
ACTIVE = "riskState eq 'atRisk' or riskState eq 'confirmedCompromised'"


async def main(mode: str, variables: Path) -> None:
    """Dismiss the `bench_users` of a JSON file."""
    users = json.loads(variables.read_text(encoding="utf-8"))["bench_users"]
    risky_users = _client().identity_protection.risky_users
    size = 1
    if mode == "chunks":
        size = CHUNK
        active = await _active(risky_users)
        users = [user for user in users if user in active]
    for start in range(0, len(users), size):
        await risky_users.dismiss.post(DismissPostRequestBody(user_ids=users[start : start + size]))


def _client() -> GraphServiceClient:
    graph_url = os.environ["MSGRAPH_URL"]
    credential = ClientSecretCredential(
        os.environ["AZURE_TENANT"],
        os.environ["AZURE_CLIENT_ID"],
        os.environ["AZURE_SECRET"],
        authority=os.environ["AZURE_AUTHORITY_HOST"],
        disable_instance_discovery=True,
    )
    provider = AzureIdentityAuthenticationProvider(
        credential, scopes=[f"{graph_url}/.default"], allowed_hosts=[urlsplit(graph_url).hostname or ""]
    )
    adapter = GraphRequestAdapter(provider)
    adapter.base_url = f"{graph_url}/v1.0"
    return GraphServiceClient(request_adapter=adapter)


async def _active(risky_users: RiskyUsersRequestBuilder) -> set[str]:
    query = RiskyUsersRequestBuilder.RiskyUsersRequestBuilderGetQueryParameters(select=["id"], top=PAGE, filter=ACTIVE)
    page: t.Any = await risky_users.get(RequestConfiguration(query_parameters=query))
    active = {user.id for user in page.value}
    while page.odata_next_link:
        page = await risky_users.with_url(page.odata_next_link).get()
        active.update(user.id for user in page.value)
    return active


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))

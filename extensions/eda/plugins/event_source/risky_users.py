# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Event source for ansible-rulebook: one event for each user whose risk changed.

All of the work is done by the collection's own module_utils, which the modules use too.
"""

from __future__ import annotations

import asyncio
import importlib
import pathlib
import sys
import types
import typing as t
import zlib

DOCUMENTATION = r"""
---
short_description: Report users of Microsoft Entra ID Protection whose risk changed
description:
  - An event source of C(ansible-rulebook). It polls the risky users of a tenant through Microsoft Graph, and makes one
    event for each user whose risk changed since it was last seen.
  - An event holds C(risky_user), all that Graph tells of the user, with keys in snake case and values as Graph spells
    them, and C(previous), a dictionary of the C(risk_state) and C(risk_level) that were seen before, or null where the
    user was not seen before. Where a text holds the beginning of a template, its brace becomes U+FFFD, since
    Ansible would evaluate it in a playbook.
  - What this collection's own modules changed comes back as an event too. Let a rule look at C(risk_state) and
    C(risk_detail), so that it leaves those alone.
  - It needs one request for a poll when nothing changed. Between two polls of a user only the last change is seen.
  - It never ends by itself. Throttling, failures of the service and broken connections are waited out, with a warning
    in the log of C(ansible-rulebook). Credentials that are refused, a missing license and a missing permission end it.
  - It reads only. The permission C(IdentityRiskyUser.Read.All) is enough.
options:
  filters:
    description:
      - Chooses the events by the present risk. All keys together must match. Without it, every change of risk is an
        event, remediations too.
    type: dict
    suboptions:
      risk_state:
        description: The risk state is one of these. If not set, the state does not matter.
        type: list
        elements: str
        choices: [none, confirmedSafe, remediated, dismissed, atRisk, confirmedCompromised]
      risk_level:
        description: The risk level is one of these. If not set, the level does not matter.
        type: list
        elements: str
        choices: [low, medium, high, hidden, none]
      updated_after:
        description:
          - The risk changed later than this. A time in ISO 8601 with an offset, or an age such as V(30m), V(12h),
            V(90d) or V(8w), which counts back from the poll by the clock of the service.
        type: str
      updated_before:
        description: The risk last changed earlier than this. Written like O(filters.updated_after).
        type: str
  interval:
    description:
      - The number of seconds from the beginning of a poll to the beginning of the next, V(5) or more. Microsoft allows
        one request a second for the whole tenant and all its applications.
    type: int
    default: 60
  since:
    description:
      - From when on changes are reported when the source begins, if O(checkpoint_path) does not say so. V(now), a time
        in ISO 8601 with an offset, or an age such as V(30m), V(12h) or V(90d).
      - With a time or an age, users whose risk changed since then are reported at once, as they are now.
    type: str
    default: now
  checkpoint_path:
    description:
      - The path of a file in which the source keeps what it has reported, so that a restart neither misses nor repeats
        a change. Its folder must exist and be writable. Each source needs a file of its own.
      - It is replaced as a whole after each page of events, every second while events are taken slowly, and when the
        source is stopped. When it is killed instead, the events since the last time it was written come again. None is
        lost that way. What C(ansible-rulebook) holds in its own queue when it ends is known as reported.
      - A damaged file is renamed, and O(since) counts. A file of another tenant, or of other O(filters), is refused.
    type: path
  access_token:
    description:
      - A ready access token for Microsoft Graph. It cannot be renewed, so the source ends when it expires.
    type: str
  tenant:
    description:
      - The tenant's ID or one of its domain names. If not set, the environment variable E(AZURE_TENANT) or
        E(AZURE_TENANT_ID).
    type: str
    aliases: [tenant_id]
  client_id:
    description:
      - The application (client) ID, or that of a user-assigned managed identity. If not set, the environment variable
        E(AZURE_CLIENT_ID).
    type: str
  secret:
    description: A client secret. If not set, the environment variable E(AZURE_SECRET) or E(AZURE_CLIENT_SECRET).
    type: str
    aliases: [client_secret]
  x509_certificate_path:
    description:
      - The path of a PEM file with a private key and its certificate, or of a PFX file. If not set, the environment
        variable E(AZURE_X509_CERTIFICATE_PATH) or E(AZURE_CLIENT_CERTIFICATE_PATH).
    type: path
    aliases: [certificate_path]
  certificate_password:
    description:
      - The password of the key. If not set, the environment variable E(AZURE_CLIENT_CERTIFICATE_PASSWORD).
    type: str
  thumbprint:
    description:
      - The SHA-1 thumbprint of a certificate that is not in O(x509_certificate_path). If not set, the environment
        variable E(AZURE_THUMBPRINT).
    type: str
  send_certificate_chain:
    description:
      - Send all certificates of O(x509_certificate_path) with the login. If not set, the environment variable
        E(AZURE_CLIENT_SEND_CERTIFICATE_CHAIN), else V(false).
    type: bool
  oidc_token:
    description:
      - A token of another identity provider that the application trusts. If not set, the environment variable
        E(AZURE_FEDERATED_TOKEN).
    type: str
  oidc_token_file_path:
    description:
      - The path of a file that holds such a token, read again for each login. If not set, the environment variable
        E(AZURE_FEDERATED_TOKEN_FILE).
    type: path
  auth_source:
    description:
      - V(auto), V(env) for the environment variables alone, or V(msi) for the managed identity of the machine. If not
        set, the environment variable E(ANSIBLE_AZURE_AUTH_SOURCE), else V(auto).
    type: str
  cloud_environment:
    description:
      - V(AzureCloud), V(AzureUSGovernment) or V(AzureUSGovernmentDoD). If not set, the environment variable
        E(AZURE_CLOUD_ENVIRONMENT), else V(AzureCloud).
    type: str
  authority_host:
    description:
      - The URL of the login service, when it is not that of the cloud. If not set, the environment variable
        E(AZURE_AUTHORITY_HOST).
    type: str
  graph_url:
    description:
      - The URL of Microsoft Graph, when it is not that of the cloud. If not set, the environment variable
        E(MSGRAPH_URL).
    type: str
  api_version:
    description: The version of the Graph API, V(v1.0) or V(beta). If not set, V(v1.0).
    type: str
  ca_path:
    description:
      - The path of a file or a directory of CA certificates. If not set, the environment variable
        E(REQUESTS_CA_BUNDLE).
    type: path
  validate_certs:
    description: Whether certificates of servers are verified. Only switch it off for tests.
    type: bool
    default: true
  timeout:
    description: The number of seconds for one request as a whole.
    type: int
    default: 60
  retry_timeout:
    description:
      - The number of seconds that one request may spend on retries. After that the source pauses, and asks again.
    type: int
    default: 300
requirements:
  - requests
  - msal >= 1.35 (not needed with O(access_token))
notes:
  - The connection options mean what they mean in the modules, where they are described in full. An empty string counts
    as not given, and credentials are taken as a set, from the arguments or from the environment.
"""

EXAMPLES = r"""
# Credentials come from the environment variables AZURE_TENANT, AZURE_CLIENT_ID and AZURE_SECRET.
- identityops.entra_risk.risky_users:
    filters:
      risk_state: [atRisk, confirmedCompromised]
      risk_level: [high]
    checkpoint_path: /var/lib/eda/risky_users.json

# Every change of risk of the last twelve hours, and from then on.
- identityops.entra_risk.risky_users:
    tenant: contoso.onmicrosoft.com
    client_id: 00001111-aaaa-2222-bbbb-3333cccc4444
    x509_certificate_path: /etc/eda/entra_risk.pem
    since: 12h
    interval: 30
"""

# Neither the collection nor any other part of ansible_collections can be imported here. So its folder becomes a package
# with a name that no other collection, and no other copy of this one, has.
_UTILS = pathlib.Path(__file__).resolve().parents[4] / "plugins" / "module_utils"
_PACKAGE = f"_identityops_entra_risk_{zlib.crc32(str(_UTILS).encode()):08x}"


def _load(name: str) -> t.Any:
    if _PACKAGE not in sys.modules:
        package = types.ModuleType(_PACKAGE)
        package.__path__ = [str(_UTILS)]
        sys.modules[_PACKAGE] = package
    return importlib.import_module(f"{_PACKAGE}.{name}")


async def main(queue: asyncio.Queue[t.Any], args: dict[str, t.Any]) -> None:
    """Put an event into the queue for each user whose risk changed. Never returns."""
    await _load("_tasks.watch").watch(queue, args)


if __name__ == "__main__":
    # For a look at the events without ansible-rulebook. The credentials come from the environment.
    class _Printer(asyncio.Queue[t.Any]):
        async def put(self, item: t.Any) -> None:
            print(item)

    asyncio.run(main(_Printer(), dict(argument.split("=", 1) for argument in sys.argv[1:])))

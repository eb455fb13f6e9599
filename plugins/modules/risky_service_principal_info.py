#!/usr/bin/python

# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: risky_service_principal_info
short_description: Read the risky service principals of Microsoft Entra ID Protection
version_added: 0.1.0
author:
  - identityops.entra_risk contributors (@identityops)
description:
  - Reads risky service principals (workload identities) through Microsoft Graph, with everything that Graph tells of
    them. Changes nothing.
  - Values come back as Graph wrote them, null and values that are newer than this collection included. The names of
    properties are in snake case.
options:
  service_principals:
    description:
      - The object IDs of the service principals. In Entra's admin center, that is the object ID of the
        I(enterprise application), not the application (client) ID.
      - Those without a risk record come back in RV(not_listed), those that do not exist in
        RV(unknown_service_principals). Neither is an error.
      - An empty list returns nothing and sends no request.
      - At most one of O(service_principals) and O(filters). Without either, every active one is returned, which means
        V(atRisk) or V(confirmedCompromised).
    type: list
    elements: str
    aliases:
      - service_principal
      - service_principal_ids
extends_documentation_fragment:
  - identityops.entra_risk.filters
  - identityops.entra_risk.reading
  - identityops.entra_risk.reading.history
  - identityops.entra_risk.connection
  - identityops.entra_risk.attributes
  - identityops.entra_risk.attributes.action_group
  - identityops.entra_risk.attributes.info_module
  - identityops.entra_risk.attributes.platform
notes:
  - Needs the Graph permission C(IdentityRiskyServicePrincipal.Read.All).
  - The tenant needs Microsoft Entra Workload ID Premium.
  - A list takes one request for 500 service principals.
seealso:
  - module: identityops.entra_risk.risky_service_principal
  - ref: ansible_collections.identityops.entra_risk.docsite.guide_authentication
    description: Every way to log in.
  - name: Microsoft Graph, list risky service principals
    description: The API call behind this module.
    link: https://learn.microsoft.com/graph/api/identityprotectionroot-list-riskyserviceprincipals
"""

EXAMPLES = r"""
- name: Read every service principal with an active risk
  identityops.entra_risk.risky_service_principal_info:
  register: risky

- name: Show what is at risk
  ansible.builtin.debug:
    msg: "{{ item.risk_level }}: {{ item.display_name }} ({{ item.app_id }})"
  loop: "{{ risky.service_principals }}"
  loop_control:
    label: "{{ item.id }}"

- name: Read one with its history
  identityops.entra_risk.risky_service_principal_info:
    service_principal: 9089a539-a539-9089-39a5-899039a58990
    include_history: true
"""

RETURN = r"""
service_principals:
  description:
    - The risky service principals. With O(service_principals), in that order. Else by display name.
    - Every property of Graph. What Graph does not tell is null.
  returned: always
  type: list
  elements: dict
  contains:
    id:
      description: The object ID of the service principal.
      type: str
      sample: 9089a539-a539-9089-39a5-899039a58990
    app_id:
      description: The application (client) ID.
      type: str
      sample: 4b5c3a1e-7f20-4c8c-9d51-6a0a3f2f1c77
    display_name:
      description: The display name. It need not be unique.
      type: str
      sample: nightly-export
    service_principal_type:
      description: What kind of identity it is.
      type: str
      sample: Application
    is_enabled:
      description: Whether it can log in.
      type: bool
      sample: true
    risk_state:
      description: The risk state.
      type: str
      sample: atRisk
    risk_level:
      description: The risk level.
      type: str
      sample: medium
    risk_detail:
      description: What last decided the risk.
      type: str
      sample: none
    risk_last_updated_date_time:
      description: When the risk last changed, as Graph wrote it, with up to seven digits after the second.
      type: str
      sample: "2026-01-30T22:41:07.1234567Z"
    is_processing:
      description: Whether Graph still works on a change of the risk.
      type: bool
      sample: false
    account_enabled:
      description: Whether it can log in, in the words of the beta version.
      returned: with O(api_version=beta)
      type: bool
    history:
      description: What changed the risk, newest first. The same keys as above, and those below.
      returned: with O(include_history=true)
      type: list
      elements: dict
      contains:
        service_principal_id:
          description: The object ID of the service principal.
          type: str
        initiated_by:
          description: The object ID of whoever caused the change, null for Microsoft's own.
          type: str
        activity:
          description: What happened. C(detail) and the list C(risk_event_types), as Graph gives them.
          type: dict
      sample:
        - risk_state: atRisk
          risk_level: medium
          risk_last_updated_date_time: "2026-01-30T22:41:07.1234567Z"
          initiated_by: null
          activity: {detail: null, risk_event_types: [unfamiliarFeatures]}
count:
  description: The number of service principals that are returned.
  returned: always
  type: int
  sample: 1
truncated:
  description:
    - V(true) when there are, or may be, more than were returned. Because of O(limit), because Graph broke off a
      list before its end, which is a known fault of its last page and comes with a warning, or because the task failed.
  returned: always
  type: bool
  sample: false
not_listed:
  description:
    - Those of O(service_principals) that have no risk record, as the task spells them. They exist, as far as anybody
      could check.
  returned: always
  type: list
  elements: str
  sample: []
unknown_service_principals:
  description:
    - Those of O(service_principals) that the directory does not know, as the task spells them.
    - Checking needs the permission C(Application.Read.All). Without it, a warning says that nobody could check.
  returned: always
  type: list
  elements: str
  sample: []
evaluated_at:
  description:
    - When the reading began, by the clock of the service, in ISO 8601 and UTC. Null when no answer told the time.
    - Made for O(identityops.entra_risk.risky_service_principal#module:if_unmodified_since) of a later task.
  returned: always
  type: str
  sample: "2026-01-31T08:15:00Z"
msg:
  description: What happened, in a sentence for people, also after a failure. Branch on the other keys instead.
  returned: always
  type: str
connection:
  description:
    - Where the task went and as whom, for the audit trail, as far as the options and the environment tell. What is not
      known is null. It holds no secret.
  returned: always
  type: dict
  contains:
    tenant:
      description: The tenant of the login. Null with an access token and a managed identity, which name none.
      type: str
      sample: contoso.onmicrosoft.com
    client_id:
      description: The application (client) ID of the login.
      type: str
      sample: 00001111-aaaa-2222-bbbb-3333cccc4444
    auth:
      description:
        - What proved who we are, V(secret), V(certificate), V(oidc), V(managed_identity) or V(access_token).
      type: str
      sample: secret
    authority:
      description: The login service. Null where no login went there.
      type: str
      sample: https://login.microsoftonline.com
    graph_url:
      description: The Microsoft Graph that the task talked to.
      type: str
      sample: https://graph.microsoft.com
requests:
  description: What went over the line to Graph. The login is not counted.
  returned: always
  type: dict
  contains:
    sent:
      description: HTTP requests sent.
      type: int
      sample: 2
    retried:
      description: Requests that were sent again.
      type: int
      sample: 0
    throttled:
      description: Answers 429 (too many requests).
      type: int
      sample: 0
    waited_seconds:
      description: Seconds spent waiting, because of throttling or faults.
      type: float
      sample: 0.0
    write_request_ids:
      description: Always empty, since nothing is written.
      type: list
      elements: str
      sample: []
error:
  description: What went wrong, to branch on. What is unknown is null.
  returned: on failure
  type: dict
  contains:
    kind:
      description:
        - One of V(credentials), V(login), V(permission), V(license), V(throttled), V(network), V(tls), V(request),
          V(service), V(limit), V(users), V(internal) (a bug of the collection).
      type: str
      sample: users
    status:
      description: The HTTP status.
      type: int
      sample: 403
    code:
      description: The error code of Graph or Entra, such as V(Forbidden) or V(AADSTS7000215).
      type: str
      sample: Forbidden
    request_id:
      description: The C(request-id) of Graph, or the trace ID of a refused login, for Microsoft's support.
      type: str
      sample: 8770c46e-e790-4b4c-8ae7-8aab1c2eaca7
    client_request_id:
      description: The C(client-request-id) that the module sent, or the correlation ID of a refused login.
      type: str
      sample: beea7eaf-7176-48e8-bfc8-046504279547
"""

from ansible_collections.identityops.entra_risk.plugins.module_utils._module import run_module
from ansible_collections.identityops.entra_risk.plugins.module_utils._risk.resources import RISKY_SERVICE_PRINCIPALS
from ansible_collections.identityops.entra_risk.plugins.module_utils._tasks.read_risk import query_spec, read, refused


def main() -> None:
    run_module(query_spec(RISKY_SERVICE_PRINCIPALS), read, RISKY_SERVICE_PRINCIPALS, refused=refused)


if __name__ == "__main__":
    main()

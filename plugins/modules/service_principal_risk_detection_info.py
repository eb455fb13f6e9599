#!/usr/bin/python

# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: service_principal_risk_detection_info
short_description: Read the risk detections of service principals, which tell why they are at risk
version_added: 0.1.0
author:
  - identityops.entra_risk contributors (@identityops)
description:
  - Reads risk detections of service principals (workload identities) through Microsoft Graph, newest first. Changes
    nothing.
  - RV(risk_detections[].key_ids) names the credential that was leaked, so that it can be removed.
  - Values come back as Graph wrote them, null and values that are newer than this collection included. The names of
    properties are in snake case.
options:
  service_principals:
    description:
      - Return the detections of these service principals only, by object ID.
      - An application (client) ID is no object ID. In the Entra admin center, the object ID is the one under Enterprise
        applications, not the one under App registrations.
      - An empty list returns nothing and sends no request.
    type: list
    elements: str
    aliases:
      - service_principal
      - service_principal_ids
  filters:
    description:
      - Chooses detections. All keys together must match, and O(service_principals) as well. Without it, all detections
        are returned.
      - An empty list for a key is an error.
      - The choice is made here, on what Graph answers. A filter that Graph ignores or refuses never widens it.
    type: dict
    suboptions:
      risk_event_type:
        description:
          - The type is one of these, in the spelling of Graph, such as V(leakedCredentials), V(suspiciousSignins),
            V(maliciousApplication) or V(adminConfirmedServicePrincipalCompromised).
          - Microsoft adds types without notice, so any text is allowed.
        type: list
        elements: str
      risk_level:
        description:
          - The risk level is one of these.
          - V(hidden) is what Graph shows where the license does not show more.
        type: list
        elements: str
        choices:
          - low
          - medium
          - high
          - hidden
          - none
      risk_state:
        description: The risk state is one of these.
        type: list
        elements: str
        choices:
          - none
          - confirmedSafe
          - remediated
          - dismissed
          - atRisk
          - confirmedCompromised
      detected_after:
        description:
          - The risk was detected later than this. A time in ISO 8601 with an offset, such as V(2026-01-31T00:00:00Z),
            or an age such as V(30m), V(12h), V(90d) or V(8w), which counts back from now.
        type: str
      detected_before:
        description:
          - The risk was detected earlier than this. Written like O(filters.detected_after).
        type: str
extends_documentation_fragment:
  - identityops.entra_risk.reading
  - identityops.entra_risk.connection
  - identityops.entra_risk.attributes
  - identityops.entra_risk.attributes.action_group
  - identityops.entra_risk.attributes.info_module
  - identityops.entra_risk.attributes.platform
notes:
  - Needs the Graph permission C(IdentityRiskEvent.Read.All), which is another one than that of the risky service
    principals.
  - The tenant needs Microsoft Entra Workload ID Premium. Without it, Graph hides some details behind V(hidden).
  - Graph has no such API in Azure China.
  - A list takes one request for 500 detections.
seealso:
  - module: identityops.entra_risk.risky_service_principal_info
  - ref: ansible_collections.identityops.entra_risk.docsite.guide_authentication
    description: Every way to log in.
  - name: Microsoft Graph, list risk detections of service principals
    description: The API call behind this module.
    link: https://learn.microsoft.com/graph/api/identityprotectionroot-list-serviceprincipalriskdetections
  - name: Securing workload identities
    description: Every type of detection, and what to do about it.
    link: https://learn.microsoft.com/entra/id-protection/concept-workload-identity-risk
"""

EXAMPLES = r"""
- name: See why a service principal is at risk
  identityops.entra_risk.service_principal_risk_detection_info:
    service_principal: 9089a539-a539-9089-39a5-899039a58990
  register: why

- name: Show it
  ansible.builtin.debug:
    msg: "{{ item.detected_date_time }} {{ item.risk_event_type }} ({{ item.risk_level }})"
  loop: "{{ why.risk_detections }}"
  loop_control:
    label: "{{ item.id }}"

- name: Find credentials that were leaked in the last month
  identityops.entra_risk.service_principal_risk_detection_info:
    filters:
      risk_event_type: [leakedCredentials]
      detected_after: 30d
  register: leaked

- name: Show the keys to remove from each application
  ansible.builtin.debug:
    msg: "{{ item.app_id }}: {{ item.key_ids }}"
  loop: "{{ leaked.risk_detections }}"
  loop_control:
    label: "{{ item.service_principal_display_name }}"
"""

RETURN = r"""
risk_detections:
  description:
    - The detections, newest first by RV(risk_detections[].detected_date_time).
    - Every property of Graph. What Graph does not tell is null.
  returned: always
  type: list
  elements: dict
  contains:
    id:
      description: The ID of the detection.
      type: str
      sample: 6a5874ca-abcd-9d82-5ad39bd71600
    service_principal_id:
      description: The object ID of the service principal.
      type: str
      sample: 9089a539-a539-9089-39a5-899039a58990
    service_principal_display_name:
      description: The display name.
      type: str
      sample: Contoso Billing
    app_id:
      description: The application (client) ID.
      type: str
      sample: 4b5c3a1e-7f20-4c8c-9d51-6a0a3f2f1c77
    key_ids:
      description: The IDs of the keys or secrets that the detection is about.
      type: list
      elements: str
      sample: [7a7b7c7d-2c3f-4f6d-8c2e-1b7d3c5a9e10]
    risk_event_type:
      description: What was detected.
      type: str
      sample: leakedCredentials
    risk_state:
      description: The risk state of the detection.
      type: str
      sample: atRisk
    risk_level:
      description: The risk level of the detection.
      type: str
      sample: medium
    risk_detail:
      description: What last decided the risk.
      type: str
      sample: none
    source:
      description: Where it comes from.
      type: str
      sample: IdentityProtection
    detection_timing_type:
      description: Whether it was detected at once or later.
      type: str
      sample: offline
    activity:
      description: What the detection is about.
      type: str
      sample: servicePrincipal
    token_issuer_type:
      description: Who issued the token.
      type: str
      sample: AzureAD
    ip_address:
      description: The IP address of the client.
      type: str
      sample: 203.0.113.7
    location:
      description: Where the sign-in came from. Null when unknown, or without a sign-in.
      type: dict
      sample: {city: Utrecht, state: Utrecht, country_or_region: NL}
    activity_date_time:
      description: When it happened.
      type: str
      sample: "2026-01-30T22:40:01.7654321Z"
    detected_date_time:
      description: When it was detected.
      type: str
      sample: "2026-01-30T22:41:07.1234567Z"
    last_updated_date_time:
      description: When the detection last changed.
      type: str
      sample: "2026-01-30T22:41:07.1234567Z"
    request_id:
      description: The request of the sign-in, to find it in the sign-in log. Null without a sign-in.
      type: str
      sample: fbe9c2a1-2c3f-4f6d-8c2e-1b7d3c5a9e10
    correlation_id:
      description: The correlation ID of the sign-in.
      type: str
      sample: 5c3a1e4b-7f20-4c8c-9d51-6a0a3f2f1c77
    additional_info:
      description: More facts, as the JSON text that Graph gives.
      type: str
      sample: '[{"Key":"alertUrl","Value":null}]'
    mitre_technique_id:
      description: The technique in MITRE ATT&CK.
      returned: with O(api_version=beta)
      type: str
count:
  description: The number of detections that are returned.
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
evaluated_at:
  description:
    - When the reading began, by the clock of the service, in ISO 8601 and UTC. Null when no answer told the time.
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
      sample: permission
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
from ansible_collections.identityops.entra_risk.plugins.module_utils._risk.detections import (
    SERVICE_PRINCIPAL_DETECTIONS,
)
from ansible_collections.identityops.entra_risk.plugins.module_utils._tasks.read_detections import (
    query_spec,
    read,
    refused,
)


def main() -> None:
    run_module(query_spec(SERVICE_PRINCIPAL_DETECTIONS), read, SERVICE_PRINCIPAL_DETECTIONS, refused=refused)


if __name__ == "__main__":
    main()

#!/usr/bin/python

# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: risky_service_principal
short_description: Dismiss the risk of Microsoft Entra service principals, or confirm them compromised
version_added: 0.1.0
author:
  - identityops.entra_risk contributors (@identityops)
description:
  - Brings service principals (workload identities) of Microsoft Entra ID Protection to a risk state, through Microsoft
    Graph. It is P(identityops.entra_risk.risky_user#module) for applications.
  - The module reads the present risk first and writes only what has to change. Check mode and diff mode read
    the same state and write nothing.
  - One task can serve one or thousands. Put all of them into one task instead of a C(loop), because the service
    allows one request a second for the whole tenant, and one request can carry 60 service principals.
  - A dismissal cannot be undone. It does not change the credentials of the application and does not make a leaked
    secret harmless.
  - A service principal that is confirmed compromised meets the Conditional Access policies for workload identities,
    which can stop the application.
options:
  state:
    description:
      - The risk state that the service principals are to have.
      - V(dismissed) dismisses the risk. Use it for risk that was real, but is dealt with, or does not matter, and for
        false positives as well, because Graph cannot confirm service principals as safe.
      - V(compromised) confirms them as compromised. It sets their risk level to V(high). Every one that is not
        confirmed as compromised yet is written to, those without any record as well. Whether those exist is checked
        in the directory before, as far as the permissions allow.
      - Those with the states V(dismissed), V(remediated), V(confirmedSafe) and V(none), and those without any record,
        have no active risk. They are left alone by O(state=dismissed).
    type: str
    required: true
    choices:
      - dismissed
      - compromised
  service_principals:
    description:
      - The object IDs of the service principals. In Entra's admin center, that is the object ID of the
        I(enterprise application), not the application (client) ID. Display names are not unique, so they are refused.
      - Duplicates and upper or lower case do not matter. An empty list changes nothing and sends no request.
      - A value that is no GUID fails the task before any request.
      - An ID without a risk record is unchanged with O(state=dismissed), with a warning, since a typing error and an
        application ID look the same.
      - Exactly one of O(service_principals) and O(filters) is required.
    type: list
    elements: str
    aliases:
      - service_principal
      - service_principal_ids
  exclude_service_principals:
    description:
      - Service principals that are never written to, as object IDs or as application (client) IDs.
      - An ID that no risk record shows is looked up in the directory before the first write, which needs the permission
        C(Application.Read.All). One that does not exist protects nobody, and fails the task.
      - Given, but null or blank, it fails the task. An empty list says on purpose that nobody is protected.
      - The name of the option in P(identityops.entra_risk.risky_user#module) works as well, so that the same variables
        serve both.
    type: list
    elements: str
    aliases:
      - exclude_users
  return_service_principals:
    description:
      - Which service principals to return. V(all) returns all of them.
      - V(exceptions) returns only those that were skipped or failed. Use it for tasks with thousands. Of those
        that a stopped task did not come to, and of those that O(limit) left for later, only the first 20 are returned,
        and never more than 1,000; the message says so then. RV(summary) counts all of them.
      - The name of the option in P(identityops.entra_risk.risky_user#module) works as well.
    type: str
    choices:
      - all
      - exceptions
    default: all
    aliases:
      - return_users
extends_documentation_fragment:
  - identityops.entra_risk.filters
  - identityops.entra_risk.changes
  - identityops.entra_risk.connection
  - identityops.entra_risk.attributes
  - identityops.entra_risk.attributes.action_group
  - identityops.entra_risk.attributes.platform
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
notes:
  - Reading needs the Graph permission C(IdentityRiskyServicePrincipal.Read.All), which is enough for check mode.
    Writing needs C(IdentityRiskyServicePrincipal.ReadWrite.All). Whether service principals without a risk record exist
    is checked with C(Application.Read.All), if the application has it.
  - The tenant needs Microsoft Entra Workload ID Premium.
  - The actions show up in the audit log of Entra, service C(Identity Protection), as C(DismissServicePrincipal) and
    C(ConfirmServicePrincipalCompromised), and may raise alerts in a SIEM.
  - The options P(identityops.entra_risk.risky_user#module) and this module have in common mean the same.
seealso:
  - module: identityops.entra_risk.risky_service_principal_info
  - module: identityops.entra_risk.risky_user
  - ref: ansible_collections.identityops.entra_risk.docsite.guide_authentication
    description: Every way to log in.
  - name: Microsoft Graph, dismiss risky service principals
    description: The API call behind O(state=dismissed).
    link: https://learn.microsoft.com/graph/api/riskyserviceprincipal-dismiss
  - name: Microsoft Graph, confirm risky service principals as compromised
    description: The API call behind O(state=compromised).
    link: https://learn.microsoft.com/graph/api/riskyserviceprincipal-confirmcompromised
  - name: Securing workload identities
    description: What the risk of a service principal means, and what to do about it.
    link: https://learn.microsoft.com/entra/id-protection/concept-workload-identity-risk
"""

EXAMPLES = r"""
- name: Dismiss the risk of a reviewed service principal
  identityops.entra_risk.risky_service_principal:
    state: dismissed
    service_principal: 9089a539-a539-9089-39a5-899039a58990

- name: Confirm a service principal with a leaked secret as compromised and wait until Entra shows it
  identityops.entra_risk.risky_service_principal:
    state: compromised
    service_principals:
      - 9089a539-a539-9089-39a5-899039a58990
    wait: true

- name: Dismiss low risk that has not moved for 90 days, at most 10 service principals
  identityops.entra_risk.risky_service_principal:
    state: dismissed
    filters:
      risk_level: [low]
      updated_before: 90d
    exclude_service_principals:
      - 31c9b1a2-6f0d-4a35-8a52-3c1f6f7f2f11  # the deployment pipeline
    max_changes: 10
"""

RETURN = r"""
changed:
  description:
    - Whether at least one service principal was written to, or in check mode would be.
    - Also after a failure.
  returned: always
  type: bool
  sample: true
state:
  description: The state that was asked for.
  returned: always
  type: str
  sample: dismissed
service_principals:
  description:
    - What happened to each service principal, in the order of the task. With O(filters), by display name.
    - With O(return_service_principals=exceptions), only those that were skipped or failed.
    - Empty when the task failed before they were read.
  returned: always
  type: list
  elements: dict
  contains:
    id:
      description: The object ID.
      type: str
      sample: 9089a539-a539-9089-39a5-899039a58990
    display_name:
      description: The display name. Null when unknown.
      type: str
      sample: nightly-export
    app_id:
      description: The application (client) ID. Null when there is no risk record.
      type: str
      sample: 4b5c3a1e-7f20-4c8c-9d51-6a0a3f2f1c77
    outcome:
      description:
        - V(changed), V(unchanged), V(skipped) or V(failed).
        - V(changed) means that it was written to, or in check mode would be.
      type: str
      sample: changed
    reason:
      description:
        - Null, or one word that tells why. V(not_listed) for unchanged ones without a risk record. V(excluded) and
          V(over_limit) for skipped ones. V(unknown_service_principal), V(modified_since), V(unknown_state),
          V(pending) and V(rejected) for failed ones.
        - Null for a failed one means that the task stopped before it was done. RV(service_principals[].message) tells
          whether it is known that nothing was written.
      type: str
      sample: null
    written:
      description:
        - Whether Graph accepted a write for this service principal in this task. V(false) in check mode, and where it
          is not known.
      type: bool
      sample: true
    message:
      description: An explanation for people. Every failed one has it.
      returned: when there is something to explain
      type: str
    before:
      description: The risk that was read. The values are null when there is no risk record.
      type: dict
      contains:
        risk_state:
          description: The C(riskState) of Graph.
          type: str
          sample: atRisk
        risk_level:
          description: The C(riskLevel) of Graph.
          type: str
          sample: medium
        risk_last_updated:
          description: The C(riskLastUpdatedDateTime) of Graph, as Graph wrote it.
          type: str
          sample: "2026-01-30T22:41:07.1234567Z"
    after:
      description: The risk afterwards, see RV(verified).
      type: dict
      contains:
        risk_state:
          description: The C(riskState) of Graph.
          type: str
          sample: dismissed
        risk_level:
          description: The C(riskLevel) of Graph.
          type: str
          sample: none
summary:
  description: How many had each outcome. Counts all of them, whatever O(return_service_principals) says.
  returned: always
  type: dict
  sample: {changed: 2, unchanged: 0, skipped: 0, failed: 0}
verified:
  description:
    - V(true) when everybody who was written to was read back in the new state (O(wait=true)), or nothing had to be
      written.
    - V(false) when anybody failed, when something was not seen, and in check mode.
  returned: always
  type: bool
evaluated_at:
  description:
    - When the reading began, by the clock of the service, in ISO 8601 and UTC. Null when no answer told the time.
    - Made for O(if_unmodified_since) of a later task. Whatever changed after the reading began is refused then, even if
      the change itself was read.
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
truncated:
  description: Whether Graph broke off the list that O(filters) was answered from, so that there may be more to act on.
  returned: always
  type: bool
  sample: false
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
      description: Seconds spent waiting, because of throttling, faults or O(wait=true).
      type: float
      sample: 0.0
    write_request_ids:
      description: The C(request-id) of each successful write, for the audit trail.
      type: list
      elements: str
      sample: [b7a5bd4a-0cb2-4d5b-8cd5-38ac0b2e53a3]
diff:
  description:
    - The service principals that change, by display name, or by object ID where the name is not known or not unique.
      The values are C(riskState (riskLevel)).
  returned: in diff mode
  type: dict
  sample:
    before: {nightly-export: atRisk (medium)}
    after: {nightly-export: dismissed (none)}
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
from ansible_collections.identityops.entra_risk.plugins.module_utils._tasks.change import (
    brakes,
    refused,
    run,
    task_spec,
)


def main() -> None:
    resource = RISKY_SERVICE_PRINCIPALS
    run_module(task_spec(resource), run, resource, refused=refused, brakes=brakes(resource))


if __name__ == "__main__":
    main()

#!/usr/bin/python

# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: risky_user
short_description: Dismiss the risk of Microsoft Entra users, or confirm them compromised or safe
version_added: 0.1.0
author:
  - identityops.entra_risk contributors (@identityops)
description:
  - Brings users of Microsoft Entra ID Protection to a risk state, through Microsoft Graph.
  - The module reads the present risk first and writes only what has to change. Check mode and diff mode read
    the same state and write nothing.
  - One task can serve one user or thousands. Put all users into one task instead of a C(loop), because the service
    allows one request a second for the whole tenant, and one request can carry 60 users.
  - A dismissal cannot be undone. It does not change the password of the user and does not make a stolen password
    harmless.
  - A user who is confirmed compromised meets the Conditional Access policies for high user risk at the next sign-in,
    which can lock the person out.
options:
  state:
    description:
      - The risk state that the users are to have.
      - V(dismissed) dismisses the risk of the users. It closes their risky sign-ins and detections as well.
        Use it for risk that was real, but is dealt with, or does not matter.
      - V(compromised) confirms the users as compromised. It sets their risk level to V(high). Everybody who is not
        confirmed as compromised yet is written to, users without any record as well. Whether those exist is checked
        in the directory before, as far as the permissions allow.
      - V(safe) confirms the users as safe. Use it for false positives. Entra ID Protection learns from it.
      - Users with the states V(dismissed), V(remediated), V(confirmedSafe) and V(none), and users without any
        record, have no active risk. They are left alone by O(state=dismissed) and O(state=safe).
    type: str
    required: true
    choices:
      - dismissed
      - compromised
      - safe
  users:
    description:
      - The users, as object IDs or user principal names. Both can be mixed.
      - Duplicates and upper or lower case do not matter. An empty list changes nothing and sends no request.
      - A value that can be neither fails the task before any request, so that a list that was taken for one name, or a
        quoted name, never ends as V(not_listed).
      - User principal names are looked up in the directory, 15 in a request, which needs the permission
        C(User.Read.All). The name on a risk record may be an old one, which belongs to somebody else by now. A name
        that nobody has fails with the reason V(unknown_user).
      - Without that permission, the names on the risk records decide, with a warning. A name that several records have
        is never guessed at.
      - An object ID without a risk record is unchanged with O(state=dismissed) and O(state=safe), with a warning, since
        a typing error looks the same.
      - A deleted user is never written to.
      - Exactly one of O(users) and O(filters) is required.
    type: list
    elements: str
    aliases:
      - user
      - user_ids
  exclude_users:
    description:
      - Users that are never written to, for example break-glass accounts, as object IDs or user principal names.
      - Before the first write every name is looked up in the directory, which needs the permission C(User.Read.All).
        Whoever has the name there is protected, and whoever has it on a risk record as well. A name that cannot be
        looked up, or that nobody has, fails the task before the first write. An object ID never needs a look-up.
      - Given, but null or blank, it fails the task. An empty list says on purpose that nobody is protected.
    type: list
    elements: str
  if_password_changed:
    description:
      - Only with O(state=dismissed). Whether to leave users alone whose password was not changed after the last change
        of the risk. They are skipped with the reason V(password_unchanged), and so is everybody for whom one of the two
        times is missing or cannot be read.
      - Needs the permission C(User.Read.All). Without it, the task fails before the first write.
      - The time of the password of a user who is synchronized from Active Directory is the time when Entra learned of
        the change. Creating a password counts as a change.
      - Given, but null or blank, it fails the task.
    type: bool
    default: false
  return_users:
    description:
      - Which users to return. V(all) returns all of them.
      - V(exceptions) returns only the users that were skipped or failed. Use it for tasks with thousands of users.
        Of the users that a stopped task did not come to, and of those that O(limit) left for later, only the first 20
        are returned, and never more than 1,000 users; the message says so then. RV(summary) counts all of them.
    type: str
    choices:
      - all
      - exceptions
    default: all
extends_documentation_fragment:
  - identityops.entra_risk.filters
  - identityops.entra_risk.changes
  - identityops.entra_risk.guards
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
  - Reading needs the Graph permission C(IdentityRiskyUser.Read.All), which is enough for check mode. Writing needs
    C(IdentityRiskyUser.ReadWrite.All). User principal names, in O(users) and O(exclude_users), need C(User.Read.All).
  - O(exclude_groups), O(exclude_role_holders) and O(if_password_changed) are guards. They are read from the directory
    once a task, also in check mode, and only when somebody is about to be written to. Each needs permissions of its
    own. A guard that cannot be read in full fails the task before the first write.
  - The tenant needs Microsoft Entra ID P2.
  - Guests are judged by the risk in their home tenant. They have no risk record here, and are V(not_listed).
  - The actions show up in the audit log of Entra, service C(Identity Protection), and may raise alerts in a SIEM.
seealso:
  - module: identityops.entra_risk.risky_user_info
  - module: identityops.entra_risk.risk_detection_info
  - module: identityops.entra_risk.user_sessions
  - module: identityops.entra_risk.risky_service_principal
  - ref: ansible_collections.identityops.entra_risk.docsite.guide_risky_users
    description: Which state to choose, how to read a result, and what to do about a failure.
  - ref: ansible_collections.identityops.entra_risk.docsite.guide_authentication
    description: Every way to log in.
  - name: Microsoft Graph, dismiss risky users
    description: The API call behind O(state=dismissed).
    link: https://learn.microsoft.com/graph/api/riskyuser-dismiss
  - name: Microsoft Graph, confirm risky users as compromised
    description: The API call behind O(state=compromised).
    link: https://learn.microsoft.com/graph/api/riskyuser-confirmcompromised
  - name: Microsoft Graph, confirm risky users as safe
    description: The API call behind O(state=safe).
    link: https://learn.microsoft.com/graph/api/riskyuser-confirmsafe
  - name: Give risk feedback in Entra ID Protection
    description: When to dismiss, when to confirm.
    link: https://learn.microsoft.com/entra/id-protection/howto-identity-protection-risk-feedback
"""

EXAMPLES = r"""
- name: Dismiss the risk of two reviewed users
  identityops.entra_risk.risky_user:
    state: dismissed
    users:
      - 04487ee0-f4f6-4e7f-8999-facc5a30e232
      - adele.vance@contoso.example

- name: Confirm the users of an incident as compromised and wait until Entra shows it
  identityops.entra_risk.risky_user:
    state: compromised
    users:
      - megan.bowen@contoso.example
    exclude_users:
      - 7d7e7ddc-2a4e-4f34-8cbb-cf3b0d1f0fc1  # break-glass account
    wait: true

- name: Confirm users as compromised, but never a break-glass account or an administrator
  identityops.entra_risk.risky_user:
    state: compromised
    users:
      - megan.bowen@contoso.example
      - alex.wilber@contoso.example
    exclude_groups:
      - 5d3e7c10-3c5a-4d0e-9a4b-2f6f0a1b2c3d  # break-glass accounts
    exclude_role_holders: true

- name: Dismiss the risk of those who changed their password since
  identityops.entra_risk.risky_user:
    state: dismissed
    filters: {}
    max_changes: 50
    if_password_changed: true

- name: Mark a false positive as safe
  identityops.entra_risk.risky_user:
    state: safe
    user: alex.wilber@contoso.example

- name: Dismiss low risk that has not moved for 90 days, at most 50 users
  identityops.entra_risk.risky_user:
    state: dismissed
    filters:
      risk_level: [low]
      updated_before: 90d
    max_changes: 50
    return_users: exceptions

- name: See who would be dismissed, without writing anything
  identityops.entra_risk.risky_user:
    state: dismissed
    filters: {}
    max_changes: 1000
  check_mode: true
  register: plan

- name: Dismiss exactly those users, unless their risk has changed since
  identityops.entra_risk.risky_user:
    state: dismissed
    users: "{{ plan.users | selectattr('outcome', 'eq', 'changed') | map(attribute='id') | list }}"
    if_unmodified_since: "{{ plan.evaluated_at }}"
"""

RETURN = r"""
changed:
  description: Whether at least one user was written to, or in check mode would be. Also after a failure.
  returned: always
  type: bool
  sample: true
state:
  description: The state that was asked for.
  returned: always
  type: str
  sample: dismissed
users:
  description:
    - What happened to each user, in the order of the task. With O(filters), by user principal name.
    - With O(return_users=exceptions), only the users that were skipped or failed.
    - Empty when the task failed before the users were read.
  returned: always
  type: list
  elements: dict
  contains:
    id:
      description: The object ID. Null when a name could not be resolved.
      type: str
      sample: 04487ee0-f4f6-4e7f-8999-facc5a30e232
    user_principal_name:
      description: The user principal name. Null when unknown.
      type: str
      sample: adele.vance@contoso.example
    outcome:
      description:
        - V(changed), V(unchanged), V(skipped) or V(failed).
        - V(changed) means that the user was written to, or in check mode would be.
      type: str
      sample: changed
    reason:
      description:
        - Null, or one word that tells why. V(not_listed) for unchanged users without a risk record.
          V(excluded), V(privileged), V(deleted), V(password_unchanged) and V(over_limit) for skipped users.
          V(unknown_user), V(modified_since), V(unknown_state), V(pending) and V(rejected) for failed users.
        - Null for a failed user means that the task stopped before this user was done. RV(users[].message) tells
          whether it is known that nothing was written.
      type: str
      sample: null
    written:
      description:
        - Whether Graph accepted a write for this user in this task. V(false) in check mode, and where it is not known.
      type: bool
      sample: true
    message:
      description: An explanation for people. Every failed user has one.
      returned: when there is something to explain
      type: str
    before:
      description: The risk that was read. The values are null when the user has no risk record.
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
  description: How many users had each outcome. Counts all users, whatever O(return_users) says.
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
    - The users that change, by user principal name, or by object ID where the name is not known. The values are
      C(riskState (riskLevel)).
  returned: in diff mode
  type: dict
  sample:
    before: {adele.vance@contoso.example: atRisk (medium)}
    after: {adele.vance@contoso.example: dismissed (none)}
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
from ansible_collections.identityops.entra_risk.plugins.module_utils._risk.resources import RISKY_USERS
from ansible_collections.identityops.entra_risk.plugins.module_utils._tasks.change import (
    brakes,
    refused,
    run,
    task_spec,
)


def main() -> None:
    run_module(task_spec(RISKY_USERS), run, RISKY_USERS, refused=refused, brakes=brakes(RISKY_USERS))


if __name__ == "__main__":
    main()

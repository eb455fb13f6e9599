#!/usr/bin/python

# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: user_sessions
short_description: End the sign-in sessions of Microsoft Entra users
version_added: 0.1.0
author:
  - identityops.entra_risk contributors (@identityops)
description:
  - Ends the sign-in sessions of users of Microsoft Entra ID, through Microsoft Graph. Confirming a user as compromised
    does not do that.
  - Refresh tokens and the session cookies of browsers that were issued before are refused from then on, so that
    everybody who uses the account has to sign in anew, on all devices. It takes a few minutes until that holds
    everywhere.
  - Access tokens that were issued already stay valid for up to an hour, except in applications that support continuous
    access evaluation. Session cookies that an application made itself are out of reach.
  - It neither changes a password nor disables an account. Whoever knows the password can sign in again.
  - The sessions of guests and other external users are those of their home tenant and cannot be ended here.
  - Check mode and diff mode read the same data and write nothing.
  - Put all users into one task instead of a C(loop). One request reads 15 users, and one request ends the sessions of
    20 where there are more than 20.
options:
  state:
    description:
      - What the sessions are to be. V(revoked) ends them.
    type: str
    choices:
      - revoked
    default: revoked
  users:
    description:
      - The users, as object IDs or user principal names. Both can be mixed.
      - Duplicates and upper or lower case do not matter. An empty list changes nothing and sends no request.
      - A value that can be neither fails the task before any request.
      - Everybody is looked up in the directory. A user that it does not know fails with the reason V(unknown_user). So
        does a deleted user, who has no sessions any more.
    type: list
    elements: str
    required: true
    aliases:
      - user
      - user_ids
  revoked_since:
    description:
      - A time in ISO 8601 with an offset, for example V(2026-01-31T08:15:00Z), or an age by the clock of the service,
        V(30m), V(12h), V(90d) or V(8w).
      - A user whose sessions were ended at this time or later is unchanged. Graph tells the time by the property
        C(signInSessionsValidFromDateTime), which a change of the password can move as well.
      - Use the time of the incident, or RV(evaluated_at) of an earlier task that was kept, so that a second run changes
        nothing. The time at which the play runs would end all sessions in every run.
      - B(Without it every run ends all sessions anew.) That does no harm but to make people sign in again.
      - Where the time of a user is missing or cannot be read, the sessions are ended, with a warning.
      - A time that is still to come fails the task before the first write. So does a value that is given, but null or
        blank.
    type: str
  exclude_users:
    description:
      - Users that are never written to, as object IDs or user principal names.
      - Before the first write every name is looked up in the directory. A name that nobody has fails the task before
        the first write.
      - Given, but null or blank, it fails the task. An empty list says on purpose that nobody is protected.
    type: list
    elements: str
  max_changes:
    description:
      - The task fails before the first write when the sessions of more users than this would be ended. It does so in
        check mode as well.
      - V(0) is allowed. Given, but null or blank, it fails the task.
    type: int
  return_users:
    description:
      - Which users to return. V(all) returns all of them.
      - V(exceptions) returns only the users that were skipped or failed. Use it for tasks with thousands of users.
        Of the users that a stopped task did not come to, only the first 20 are returned, and never more than 1,000
        users; the message says so then. RV(summary) counts all of them.
    type: str
    choices:
      - all
      - exceptions
    default: all
extends_documentation_fragment:
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
    support: partial
    details:
      - Full with O(revoked_since). Without it every run ends all sessions anew.
notes:
  - Reading needs the Graph permission C(User.Read.All), which is enough for check mode. Writing needs
    C(User.RevokeSessions.All) as well.
  - Without C(User.Read.All) the task fails before the first write, since users could not be told apart.
  - No license is needed.
  - Graph can refuse single users, such as administrators and guests. They fail with the reason V(rejected). When it
    refuses everybody and the token does not show the permission, the task fails with V(permission) in RV(error.kind).
  - An end of sessions whose answer is lost is read back before it is tried again. A second one does no harm.
seealso:
  - module: identityops.entra_risk.risky_user
  - ref: ansible_collections.identityops.entra_risk.docsite.guide_user_sessions
    description: What ending sessions does and does not do, and how to contain a compromised account.
  - ref: ansible_collections.identityops.entra_risk.docsite.guide_authentication
    description: Every way to log in.
  - name: Microsoft Graph, revoke the sign-in sessions of a user
    description: The API call behind it.
    link: https://learn.microsoft.com/graph/api/user-revokesigninsessions
  - name: Revoke user access in an emergency
    description: What else to do about a compromised account.
    link: https://learn.microsoft.com/entra/identity/users/users-revoke-access
"""

EXAMPLES = r"""
- name: End the sessions of a compromised user, unless that was done since the incident
  identityops.entra_risk.user_sessions:
    user: megan.bowen@contoso.example
    revoked_since: "2026-01-30T22:41:00Z"

- name: See whose sessions would be ended
  identityops.entra_risk.user_sessions:
    users:
      - adele.vance@contoso.example
      - 04487ee0-f4f6-4e7f-8999-facc5a30e232
    exclude_users:
      - alex.wilber@contoso.example
  check_mode: true
  diff: true
  register: plan

- name: End the sessions of exactly those users, unless somebody has done so since
  identityops.entra_risk.user_sessions:
    users: "{{ plan.users | selectattr('outcome', 'eq', 'changed') | map(attribute='id') | list }}"
    revoked_since: "{{ plan.evaluated_at }}"
    max_changes: 50

- name: End the sessions of users who have not been signed out for twelve hours
  identityops.entra_risk.user_sessions:
    users:
      - adele.vance@contoso.example
    revoked_since: 12h
"""

RETURN = r"""
changed:
  description: Whether the sessions of at least one user were ended, or in check mode would be. Also after a failure.
  returned: always
  type: bool
  sample: true
state:
  description: The state that was asked for.
  returned: always
  type: str
  sample: revoked
users:
  description:
    - What happened to each user, in the order of the task.
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
        - V(changed) means that the sessions were ended, or in check mode would be.
      type: str
      sample: changed
    reason:
      description:
        - Null, or one word that tells why. V(excluded) and V(privileged) for skipped users. V(unknown_user),
          V(pending) and V(rejected) for failed users.
        - Null for a failed user means that the task stopped before this user was done. RV(users[].message) tells
          whether it is known that nothing was written.
      type: str
      sample: null
    written:
      description:
        - Whether Graph accepted the end of the sessions in this task, or showed it when it was read back. V(false) in
          check mode, and where it is not known.
      type: bool
      sample: true
    message:
      description: An explanation for people. Every failed user has one.
      returned: when there is something to explain
      type: str
    before:
      description: What was read.
      type: dict
      contains:
        sessions_valid_from:
          description:
            - Sessions from before this time are ended. The C(signInSessionsValidFromDateTime) of Graph, as Graph wrote
              it. Null when it gave none.
          type: str
          sample: "2026-01-12T07:30:00Z"
    after:
      description: What holds afterwards.
      type: dict
      contains:
        sessions_valid_from:
          description:
            - For users that were written to, the time of Graph's answer, to which Graph sets it, give or take a second;
              nothing is read back for it. In check mode, the time by the clock of the service. Null where it is not
              known.
          type: str
          sample: "2026-01-31T08:15:02Z"
summary:
  description: How many users had each outcome. Counts all users, whatever O(return_users) says.
  returned: always
  type: dict
  sample: {changed: 2, unchanged: 1, skipped: 0, failed: 0}
evaluated_at:
  description:
    - When the reading began, by the clock of the service, in ISO 8601 and UTC. Null when no answer told the time.
    - Made for O(revoked_since) of a later task. Whoever was written to by this task is unchanged then.
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
      description: Seconds spent waiting, because of throttling and faults.
      type: float
      sample: 0.0
    write_request_ids:
      description: The C(request-id) of each request that ended sessions, for the audit trail.
      type: list
      elements: str
      sample: [b7a5bd4a-0cb2-4d5b-8cd5-38ac0b2e53a3]
diff:
  description:
    - The users that change, by user principal name. The values are the times since when sessions are valid.
  returned: in diff mode
  type: dict
  sample:
    before: {adele.vance@contoso.example: "2026-01-12T07:30:00Z"}
    after: {adele.vance@contoso.example: "2026-01-31T08:15:02Z"}
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
from ansible_collections.identityops.entra_risk.plugins.module_utils._tasks.sessions import (
    BRAKES,
    TASK_SPEC,
    refused,
    run,
)


def main() -> None:
    run_module(TASK_SPEC, run, refused=refused, brakes=BRAKES)


if __name__ == "__main__":
    main()

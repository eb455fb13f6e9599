#!/usr/bin/python

# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: access_info
short_description: Tell why something does not work in a tenant, before it matters
version_added: 0.1.0
author:
  - identityops.entra_risk contributors (@identityops)
description:
  - Logs in, reads what the access token says of itself, and asks each API of Microsoft Graph that this collection uses
    the smallest possible question. Returns what works, what does not, and which license, permission or role is missing.
  - Changes nothing. A write is never tried, not even an empty one.
  - What Graph answers decides. The claims of the token only explain it, and they tell about writes. They are read
    without being verified.
  - The task fails only when the login fails, or when Graph refuses the token. Everything else is in RV(checks).
extends_documentation_fragment:
  - identityops.entra_risk.connection
  - identityops.entra_risk.attributes
  - identityops.entra_risk.attributes.action_group
  - identityops.entra_risk.attributes.info_module
  - identityops.entra_risk.attributes.platform
notes:
  - Needs no permission. The more the application has, the more checks pass.
  - Takes about ten requests, four of them to Identity Protection, which allows one request a second for the whole
    tenant and all its apps.
  - When the first question gets no answer within O(retry_timeout), each of the others gets ten seconds.
  - A permission that was granted just now is only in a new token. A managed identity keeps its token for hours.
  - The check of the sessions tells nothing about administrators. Microsoft does not document whether an application
    without an Entra role may end their sessions.
seealso:
  - module: identityops.entra_risk.risky_user
  - ref: ansible_collections.identityops.entra_risk.docsite.guide_authentication
    description: Every way to log in.
  - name: Microsoft Graph permissions reference
    description: What each permission allows.
    link: https://learn.microsoft.com/graph/permissions-reference
  - name: Access token claims reference
    description: What the claims of a token mean.
    link: https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
"""

EXAMPLES = r"""
- name: See what works
  identityops.entra_risk.access_info:
  register: access

- name: Show it
  ansible.builtin.debug:
    msg: "{{ item.permission }}: {{ item.message or 'allowed' }}"
  loop: "{{ access.checks }}"
  loop_control:
    label: "{{ item.name }}"

- name: Stop here when risky_user could not work
  identityops.entra_risk.access_info:
  register: access
  failed_when: access.error is defined or not access.ok
"""

RETURN = r"""
ok:
  description:
    - Whether M(identityops.entra_risk.risky_user) has what it needs, in check mode and for writing. Both checks,
      C(read_risky_users) and C(write_risky_users), are allowed.
    - V(false) also when nobody can tell, for example with an opaque token or while Graph throttles.
    - Names, groups, roles and sessions do not count here. Look at their checks before you use these options.
  returned: always
  type: bool
  sample: true
identity:
  description:
    - Who the token says that it is for. Null is what it does not tell. With an opaque token everything is null, and
      RV(identity.kind) is V(unknown).
    - The token itself is never returned.
  returned: always
  type: dict
  contains:
    tenant_id:
      description: The ID of the tenant.
      type: str
      sample: 7c0f5d2e-2b1f-4b5e-9a53-2f1f2f6c9d10
    client_id:
      description: The application (client) ID.
      type: str
      sample: 00001111-aaaa-2222-bbbb-3333cccc4444
    object_id:
      description: The object ID of the service principal, or of the user of a delegated token.
      type: str
      sample: a0b1c2d3-1111-4222-8333-444455556666
    kind:
      description: The kind of token, V(application), V(delegated) (that of a user) or V(unknown).
      type: str
      sample: application
    permissions:
      description: The Graph permissions in the token. An empty list when it has none.
      type: list
      elements: str
      sample: [IdentityRiskyUser.ReadWrite.All, User.Read.All]
    directory_roles:
      description:
        - The Entra roles of the application or the user. Common roles by name, all others by the ID of their template.
      type: list
      elements: str
      sample: []
    expires_at:
      description: When the token ends, in ISO 8601 and UTC.
      type: str
      sample: "2026-01-31T09:15:00Z"
checks:
  description: What was checked. After a failure, those that were made before it.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description:
        - One of C(read_risky_users), C(write_risky_users), C(read_risk_detections), C(read_risky_service_principals),
          C(write_risky_service_principals), C(read_service_principal_risk_detections), C(look_up_users),
          C(look_up_service_principals), C(read_groups), C(read_active_roles), C(read_eligible_roles) and
          C(revoke_sessions).
      type: str
      sample: write_risky_users
    needed_for:
      description: The modules and the options that need it.
      type: list
      elements: str
      sample: [risky_user]
    permission:
      description: The least Graph permission that is enough.
      type: str
      sample: IdentityRiskyUser.ReadWrite.All
    licensed:
      description: Whether the tenant has the license. Null when no license is needed, and when nobody can tell.
      type: bool
      sample: true
    allowed:
      description:
        - Whether it is allowed. Null when nobody can tell, since Graph did not answer, or only a write could tell.
        - A write is V(true) when the token has the permission, and with a delegated token the Entra role, and when the
          reading before it works. It is V(false) when the token lacks the permission or the role, or when not even
          reading is allowed. Otherwise it is null, as with an opaque token.
      type: bool
      sample: false
    status:
      description: The HTTP status that Graph answered. Null for a write, since nothing is sent.
      type: int
      sample: 403
    code:
      description: The error code of Graph. Null when there was no error.
      type: str
      sample: Forbidden
    message:
      description: Why it is not allowed, or why nobody can tell, and what to do. Null when it is allowed.
      type: str
      sample: >-
        The token lacks the Graph permission IdentityRiskyUser.ReadWrite.All. Grant the app the application permission
        IdentityRiskyUser.ReadWrite.All and give admin consent, then run again with a new token.
evaluated_at:
  description:
    - When the checks began, by the clock of the service, in ISO 8601 and UTC. Null when no answer told the time.
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
      sample: login
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
from ansible_collections.identityops.entra_risk.plugins.module_utils._tasks.access import check_access, refused


def main() -> None:
    run_module({}, check_access, refused=refused)


if __name__ == "__main__":
    main()

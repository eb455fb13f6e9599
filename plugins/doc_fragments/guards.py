# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that protect users by what the directory says. Mirrors `GUARD_SPEC` in `_risk/guard_options.py`."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  exclude_groups:
    description:
      - Groups whose members are never written to, for example the group of the break-glass accounts, as object IDs.
        Members are skipped with the reason V(excluded), also those of nested groups.
      - Needs the permission C(GroupMember.Read.All), and C(Member.Read.Hidden) as well for a group with hidden
        membership.
      - A group that cannot be read in full, that does not exist, that shows no member at all, or that has more than
        20,000 members fails the task before the first write.
      - Given, but null or blank, it fails the task. An empty list says on purpose that nobody is protected.
    type: list
    elements: str
  exclude_role_holders:
    description:
      - Whether users with any Entra directory role are never written to. They are skipped with the reason
        V(privileged). It does not matter whether the role is active or eligible (PIM), which scope it has, and whether
        it comes through a role-assignable group.
      - Needs the permissions C(RoleManagement.Read.Directory), C(RoleEligibilitySchedule.Read.Directory), and
        C(GroupMember.Read.All) for groups that have a role. The tenant needs Microsoft Entra ID P2 or Microsoft Entra
        ID Governance.
      - Roles that cannot be read in full fail the task before the first write.
      - Users who could only join a group with a role (PIM for Groups) are not recognized. Protect them with
        O(exclude_groups) or O(exclude_users).
      - Given, but null or blank, it fails the task.
    type: bool
    default: false
"""

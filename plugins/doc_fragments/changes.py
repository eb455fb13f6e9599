# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that the modules which write have in common. Mirrors `task_spec` in `module_utils/_tasks/change.py`."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  max_changes:
    description:
      - The task fails before the first write when more than this would change. It does so in check mode as well.
      - Required with O(filters). V(0) is allowed. Given, but null or blank, it fails the task.
      - It is a brake, not a batch size. For that there is O(limit), which comes first.
    type: int
  limit:
    description:
      - Only with O(filters). Writes to at most this many, those whose risk changed first come first. The others are
        skipped with the reason V(over_limit). A batch size for a nightly job.
      - Whoever would not be written to anyway does not use it up.
    type: int
  if_unmodified_since:
    description:
      - A time in ISO 8601 with an offset, for example V(2026-01-31T08:15:00Z).
      - Whatever had its risk changed later is not written to, and fails with the reason V(modified_since).
        What needs no write is unchanged all the same.
      - Use RV(evaluated_at) of the task that the decision was made on. It protects against a decision on a risk that
        nobody has looked at yet.
      - Given, but null or blank, it fails the task.
    type: str
  wait:
    description:
      - Whether to wait until everything that was written to shows the new state, and Graph no longer works on it.
      - Graph accepts a change at once and carries it out later, usually within minutes.
      - A record that is gone after its risk was dismissed or confirmed as safe counts as applied.
    type: bool
    default: false
  wait_timeout:
    description:
      - The number of seconds to wait with O(wait=true). What does not show the new state by then fails with the
        reason V(pending). What was written stays written.
    type: int
    default: 300
"""

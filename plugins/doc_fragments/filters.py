# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """The option `filters`. Mirrors `FILTER_SPEC` in `module_utils/_risk/filters.py`."""

    DOCUMENTATION = r"""
options:
  filters:
    description:
      - Chooses by the present risk. All keys together must match.
      - An empty dictionary means the default of O(filters.risk_state). An empty list for a key is an error.
      - The choice is made here, on what Graph answers. A filter that Graph ignores or refuses never widens it.
    type: dict
    suboptions:
      risk_state:
        description:
          - The risk state is one of these.
          - If not set, V(atRisk) for the modules that write, and V(atRisk) or V(confirmedCompromised) for the modules
            that only read.
        type: list
        elements: str
        choices:
          - none
          - confirmedSafe
          - remediated
          - dismissed
          - atRisk
          - confirmedCompromised
      risk_level:
        description:
          - The risk level is one of these. If not set, the level does not matter.
          - V(hidden) is what Graph shows where the license does not show more.
        type: list
        elements: str
        choices:
          - low
          - medium
          - high
          - hidden
          - none
      updated_after:
        description:
          - The risk changed later than this. A time in ISO 8601 with an offset, such as V(2026-01-31T00:00:00Z), or an
            age such as V(30m), V(12h), V(90d) or V(8w), which counts back from now by the clock of the service.
          - Given, but null or blank, it fails the task.
        type: str
      updated_before:
        description:
          - The risk last changed earlier than this. Written like O(filters.updated_after).
        type: str
"""

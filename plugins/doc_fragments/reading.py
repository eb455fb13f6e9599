# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that the modules which only read have in common. Mirrors `query_spec` in `module_utils/_info.py`."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  limit:
    description:
      - Return at most this many, at least V(1). If not set, all of them.
      - Where it can, reading stops as soon as that many are known, which saves requests. RV(truncated) tells that there
        may be more.
    type: int
"""

    HISTORY = r"""
options:
  include_history:
    description:
      - Whether to return the history of the risk as well.
      - B(Mind the cost.) It takes at least one request for each record, and Graph allows Identity Protection one
        request a second for the whole tenant and all its apps. The history of 600 records takes ten minutes,
        in which every other app waits as well. Choose few, or set O(limit).
    type: bool
    default: false
"""

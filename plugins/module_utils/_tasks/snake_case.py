# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""Graph's names of properties in the spelling of Ansible. The values keep Graph's."""

from __future__ import annotations

import re
import typing as t

from .._text import DEEPEST

_BORDER = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def snake_case(name: str) -> str:
    """`riskLastUpdatedDateTime` becomes `risk_last_updated_date_time`."""
    return _BORDER.sub("_", name).lower()


def with_snake_case(value: t.Any, depth: int = 0) -> t.Any:
    """The same value with all keys in snake case, also those inside; annotations of OData are left out.

    What is nested deeper than a result can be stays as it is: the exit of the module leaves it out, and says so.
    """
    if depth > DEEPEST:
        return value
    if isinstance(value, dict):
        return {snake_case(key): with_snake_case(item, depth + 1) for key, item in value.items() if "@" not in key}
    if isinstance(value, list):
        return [with_snake_case(item, depth + 1) for item in value]
    return value

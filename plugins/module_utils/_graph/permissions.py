# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""What a call to Graph needs, for the error text when Graph says no."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class RequiredPermission:
    """What a call needs, for the error text when Graph says no."""

    permission: str
    role: str | None = None
    license: str | None = None
    # Identity Protection has one request a second; the directory has other limits and is paced on its own.
    rate_limit_group: str = "identityProtection"
    # Why Graph may refuse one object to a token that has the permission, as the end of a sentence.
    other_causes: str | None = None

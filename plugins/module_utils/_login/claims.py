# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""What an access token says of itself."""

from __future__ import annotations

import base64
import json
import typing as t


def claims(token: str) -> t.Mapping[str, t.Any]:
    """The claims of a JSON web token, empty for any other. Nobody has verified them: they tell, and prove nothing."""
    parts = token.split(".")
    try:
        found = json.loads(base64.urlsafe_b64decode(f"{parts[1]}==="))
    except (IndexError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}

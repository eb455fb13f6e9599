# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# FOR INTERNAL COLLECTION USE ONLY: this file may change in any release without notice.

"""OData text: the one place that writes it."""

from __future__ import annotations


def quoted(text: str) -> str:
    """An OData string literal: single quotes around it, and those inside doubled."""
    return "'" + text.replace("'", "''") + "'"

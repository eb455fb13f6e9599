#!/usr/bin/env python
# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one entry for people who work on the collection: `dev.py demo`, `dev.py test [part ...]`, `dev.py shell`.

It needs Python with venv, and git. The code is in tests/dev.
"""

from __future__ import annotations

import sys

from tests.dev import cli

if __name__ == "__main__":
    sys.exit(cli.main())

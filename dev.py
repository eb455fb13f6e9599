#!/usr/bin/env python
"""The one entry for people who work on the collection: `dev.py demo`, `dev.py test [part ...]`, `dev.py shell`.

It needs Python with venv, and git. The code is in tests/dev.
"""

from __future__ import annotations

import sys

from tests.dev import cli

if __name__ == "__main__":
    sys.exit(cli.main())

# Copyright (c) 2026, the identityops.entra_risk contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a command on a terminal of its own, types an answer when it is asked, and ends as the command does.

type_answer.py ANSWER COMMAND [ARGUMENT ...]
"""

from __future__ import annotations

import os
import pty
import sys
import typing as t

QUESTION = b"Only the answer yes goes on"


def typist(answer: str) -> t.Callable[[int], bytes]:
    """Gives a function that reads from a terminal and types the answer once, when the question stands there."""
    screen = bytearray()

    def read(terminal: int) -> bytes:
        data = os.read(terminal, 1024)
        asked = QUESTION in screen
        screen.extend(data)
        if QUESTION in screen and not asked:
            os.write(terminal, answer.encode() + b"\r")
        return data

    return read


if __name__ == "__main__":
    # Nothing comes from the keyboard.
    status = pty.spawn(sys.argv[2:], typist(sys.argv[1]), lambda terminal: b"")
    sys.exit(os.waitstatus_to_exitcode(status))

"""Runs a command on a terminal of its own, types an answer when it is asked, and ends as the command does.

type_answer.py ANSWER COMMAND [ARGUMENT ...]
"""

from __future__ import annotations

import os
import pty
import sys
import threading
import typing as t

QUESTION = b"Only the answer yes goes on"


def typist(answer: str, ended: threading.Event) -> t.Callable[[int], bytes]:
    """Gives a function that reads from a terminal, and begins to type when the question stands there."""
    screen = bytearray()

    def type_on(terminal: int) -> None:
        # More than once, since whoever asks may throw away what was typed before he listens.
        while not ended.wait(0.5):
            os.write(terminal, answer.encode() + b"\r")

    def read(terminal: int) -> bytes:
        data = os.read(terminal, 1024)
        asked = QUESTION in screen
        screen.extend(data)
        if QUESTION in screen and not asked:
            threading.Thread(target=type_on, args=(terminal,), daemon=True).start()
        return data

    return read


def main() -> int:
    ended = threading.Event()
    # Nothing comes from the keyboard.
    status = pty.spawn(sys.argv[2:], typist(sys.argv[1], ended), lambda terminal: b"")
    ended.set()
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main())

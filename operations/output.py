"""Tell a person how far a command is, on standard error; results go to standard output and are written elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

Progress = Callable[[str], None]
"""Told how far a command is, as often as it likes."""

_TTY_EVERY_S = 0.1
_LINE_EVERY_S = 5.0


class ProgressLine:
    """One line on a terminal, written over; elsewhere a line every few seconds."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._shown = time.monotonic()
        self._open = False

    def __call__(self, how_far: str) -> None:
        """Show how far it is, if enough time has passed."""
        now = time.monotonic()
        if now - self._shown < (_TTY_EVERY_S if self._terminal else _LINE_EVERY_S):
            return
        self._shown = now
        if self._terminal:
            sys.stderr.write(f"\r\033[K{how_far}")
            self._open = True
        else:
            sys.stderr.write(f"{how_far}\n")
        sys.stderr.flush()

    def say(self, sentence: str) -> None:
        """Write a sentence that stays."""
        self.end()
        sys.stderr.write(f"{sentence}\n")
        sys.stderr.flush()

    def end(self) -> None:
        """Clear the line."""
        if self._open:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()
            self._open = False

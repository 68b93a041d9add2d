"""What a module prints and logs goes line by line to its log in the panel."""

from __future__ import annotations

import io
import logging
import sys

from . import main

MOST_LINES = 300  # between two calls of the session: the panel keeps fewer still
LONGEST_LINE = 2000

_left = MOST_LINES


class LogStream(io.TextIOBase):
    """A stream whose lines are logged."""

    def __init__(self, level: str) -> None:
        self._level = level
        self._line = ""

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, text: str, /) -> int:
        """Takes some text; what ends a line logs it."""
        *lines, self._line = (self._line + text).split("\n")
        for line in lines:
            log(self._level, line)
        self._line = self._line[:LONGEST_LINE]
        return len(text)


class LogHandler(logging.Handler):
    """Logging's way to the same log."""

    def emit(self, record: logging.LogRecord) -> None:
        """Logs one record."""
        log("error" if record.levelno >= logging.ERROR else "info", self.format(record))


def log(level: str, line: str) -> None:
    """Logs a line; what is too much is dropped, and that is said once."""
    global _left
    _left -= 1
    if _left > 0:
        main.log(level, line)
    elif _left == 0:
        main.log("info", "(More was printed, and left out.)")


def listen() -> None:
    """Turns this Python's output to the log; each call of the session may fill it again."""
    global _left
    _left = MOST_LINES
    if isinstance(sys.stdout, LogStream):
        return
    sys.stdout, sys.stderr = LogStream("info"), LogStream("error")
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s", handlers=[LogHandler()], force=True)

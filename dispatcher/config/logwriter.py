"""Writes the log's lines in a thread of its own, so that a slow reader or disk never holds up the loop.

A line that cannot be written is dropped and counted. The log says how many were, as soon as it can be written again.
This module knows nothing of what is logged.
"""

from __future__ import annotations

import logging
import os
import threading
from collections import deque

__all__ = ["MOST_LINES", "LogWriter"]

#: Lines that wait to be written; more are dropped.
MOST_LINES = 1_000
#: How long the end of the program waits for the last lines.
_CLOSE_S = 1.0
_DROPPED = "%d lines of the log have been dropped since the start: they could not be written, or not fast enough"


class LogWriter(logging.Handler):
    """Writes to a descriptor, not to a stream: a stuck stream would keep the program from ending."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        #: How many lines were not written.
        self.dropped = 0
        self._told = 0
        self._descriptor = descriptor
        self._lines: deque[bytes] = deque()
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Called by logging. Never waits."""
        try:
            line = self._line(record)
        except Exception:  # noqa: BLE001 - as in every handler: a line that cannot be made must not fail the program
            self.handleError(record)
            return
        with self._changed:
            if len(self._lines) >= MOST_LINES:
                self.dropped += 1
                return
            if self.dropped > self._told:
                self._told = self.dropped
                self._lines.append(self._line(_notice(self.dropped)))
            self._lines.append(line)
            self._changed.notify()

    def _line(self, record: logging.LogRecord) -> bytes:
        return (self.format(record) + "\n").encode("utf-8", "backslashreplace")

    def close(self) -> None:
        """Lets the thread write the waiting lines, for a moment at most, and ends it."""
        with self._changed:
            if self._closed:
                return
            self._closed = True
            self._changed.notify()
        self._thread.join(_CLOSE_S)
        super().close()

    # -- in the thread

    def _run(self) -> None:
        while (line := self._next()) is not None:
            try:
                while line:
                    line = line[os.write(self._descriptor, line) :]
            except OSError:  # the disk is full, or the reader is gone
                with self._changed:
                    self.dropped += 1

    def _next(self) -> bytes | None:
        with self._changed:
            while not self._lines and not self._closed:
                self._changed.wait()
            return self._lines.popleft() if self._lines else None


def _notice(count: int) -> logging.LogRecord:
    return logging.LogRecord("pagehand.log", logging.WARNING, __file__, 0, _DROPPED, (count,), None)

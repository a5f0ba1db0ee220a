"""A bar on a terminal: how many jobs are over. On standard error, so that it does not mix with data."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TextIO

__all__ = ["Bar"]

_WIDTH = 30
_EVERY_S = 0.1


class Bar:
    """Shown if it is ``wanted``; without a wish, if standard error is a terminal."""

    def __init__(
        self,
        total: int | None,
        *,
        wanted: bool | None = None,
        stream: TextIO | None = None,
        what: str = "jobs",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._total = total
        self._what = what
        self._stream = stream or sys.stderr
        self._shown = bool(self._stream and self._stream.isatty()) if wanted is None else wanted
        self._clock = clock
        self._done = 0
        self._next = 0.0

    def step(self) -> None:
        """One more."""
        self.at(self._done + 1)

    def at(self, done: int) -> None:
        """So many."""
        self._done = done
        if self._shown and self._clock() >= self._next:
            self._next = self._clock() + _EVERY_S
            self._write("\r" + self._line())

    def _line(self) -> str:
        if not self._total:
            return f"{self._done} {self._what}"
        full = min(_WIDTH, _WIDTH * self._done // self._total)
        return f"[{'#' * full}{'.' * (_WIDTH - full)}] {self._done} of {self._total} {self._what}"

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            self._shown = False  # the terminal has gone: the work goes on

    def __enter__(self) -> Bar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown:
            self._write("\r" + self._line() + "\n")

"""Where a command writes: data to standard output, talk to standard error."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TextIO

from ..client.progress import Bar
from .exits import ReaderGone, abandon
from .text import aligned, indented, json_fit, painted, plain

__all__ = ["FORMS", "Output"]

FORMS = ("json", "table", "id")


class Output:
    """The two streams, and the form of the data. ``form`` is what was asked for, or empty."""

    def __init__(self, stdout: TextIO, stderr: TextIO, environ: Mapping[str, str]) -> None:
        self._out = stdout
        self._talk = stderr
        self.form = ""
        self.quiet = False
        self._environ = environ
        #: Whether people read the data.
        self.terminal = stdout.isatty()
        dumb = environ.get("TERM", "" if os.name == "nt" else "dumb") == "dumb"
        modern = os.name != "nt" or "WT_SESSION" in environ or "TERM" in environ
        #: Whether it understands the codes for colours and the cursor.
        self.moves = self.terminal and modern and not (dumb and os.name != "nt")
        self.colour = self.moves and not environ.get("NO_COLOR")

    def chosen(self, otherwise: str) -> str:
        """The form: as asked for; a table on a terminal; else ``otherwise``."""
        return self.form or ("table" if self.terminal else otherwise)

    # -- data

    def line(self, text: str) -> None:
        """A line of data, without anything that moves a cursor. Raises ReaderGone."""
        self.text(plain(text))

    def text(self, text: str) -> None:
        """A text as it is."""
        self.write(text.encode(self._encoding, "backslashreplace").decode(self._encoding) + "\n")

    def json(self, text: str) -> None:
        """JSON as the server wrote it: on one line, or on several for people."""
        fit = json_fit(text.strip(), self._encoding, terminal=self.terminal)
        self.write((indented(fit) if self.terminal else fit) + "\n")

    def item(self, fields: Mapping[str, Any]) -> None:
        """An object as one line of JSON."""
        text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
        self.write(json_fit(text, self._encoding, terminal=self.terminal) + "\n")

    def table(self, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Rows under their headings; a terminal's width cuts them."""
        width = self.size()[0] if self.terminal else None
        for line in aligned(heads, rows, width):
            self.text(painted(line) if self.colour else line)

    def state_line(self, line: str) -> None:
        """A line with states in it, at once."""
        self.text(painted(plain(line)) if self.colour else plain(line))
        self.flush()

    def size(self) -> tuple[int, int]:
        """Columns and lines of the terminal."""
        with contextlib.suppress(OSError, ValueError):
            columns, lines = os.get_terminal_size(self._out.fileno())
            if columns and lines:
                return columns, lines
        return int(self._environ.get("COLUMNS") or 80), int(self._environ.get("LINES") or 24)

    def pairs(self, pairs: Iterable[tuple[str, object]]) -> None:
        """Names and what they are, one on a line; those that are nothing are left out."""
        shown = [(name, plain(value)) for name, value in pairs if value not in (None, "", [], {})]
        wide = max(len(name) for name, _ in shown)
        for name, value in shown:
            line = f"{name:<{wide}}  {value}"
            self.text(painted(line) if self.colour and name == "state" else line)

    def write(self, text: str) -> None:
        """Raises ReaderGone. On Windows a broken pipe is another error of the system."""
        try:
            self._out.write(text)
            if self.terminal:
                self._out.flush()
        except OSError as error:
            raise ReaderGone(error) from error

    def flush(self) -> None:
        """Raises ReaderGone."""
        try:
            self._out.flush()
        except OSError as error:
            raise ReaderGone(error) from error

    def abandon(self) -> None:
        """Nobody reads any more."""
        abandon(self._out)

    @property
    def _encoding(self) -> str:
        return self._out.encoding or "utf-8"

    # -- talk

    def tell(self, words: str) -> None:
        """Talk for people; ``--quiet`` leaves it out."""
        if not self.quiet:
            self.complain(words)

    def complain(self, words: str) -> None:
        """What went wrong: always said."""
        lines = "\n".join(plain(line) for line in words.splitlines())
        encoding = self._talk.encoding or "utf-8"
        with contextlib.suppress(OSError, ValueError):
            self._out.flush()  # in one log of both, the words stand behind the data that they are about
        with contextlib.suppress(OSError, ValueError):  # a standard error that is closed holds up no work
            self._talk.write(lines.encode(encoding, "backslashreplace").decode(encoding) + "\n")
            self._talk.flush()

    def bar(self, total: int | None, what: str = "jobs", *, silent: bool = False) -> Bar:
        """A bar for long work, if people see it. They need none where they see the data come; ``silent``: none comes"""
        hidden = self.quiet or (self.terminal and not silent)
        return Bar(total, wanted=False if hidden else None, stream=self._talk, what=what)

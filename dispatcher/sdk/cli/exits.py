"""With which status a command ends, and in which words it says what went wrong."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from enum import IntEnum
from typing import TextIO

from ..client.errors import (
    BadConfig,
    Forbidden,
    NotFound,
    NotPagehand,
    RequestRefused,
    Unauthorized,
    Unavailable,
    Unreachable,
)

__all__ = ["CommandExit", "ReaderGone", "UsageFault", "abandon", "exit_of", "printed", "words_of_error"]

#: On Windows not each of these is known.
_FULL = {getattr(errno, name, None) for name in ("ENOSPC", "EDQUOT", "EFBIG", "EIO")}


class CommandExit(IntEnum):
    """The exit statuses; docs/cli.md has the table."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    TIMEOUT = 3
    UNREACHABLE = 4
    DENIED = 5
    INTERRUPTED = 130
    READER_GONE = 141


class UsageFault(Exception):
    """What was typed cannot be used; the words say what to type."""


class ReaderGone(Exception):
    """Whoever read standard output has gone (``| head``): there is nobody to work for.

    ``why``: what the system said, if it is not that (a full disk).
    """

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.why = error.strerror if error.errno in _FULL else ""


def printed(text: str) -> None:
    """Writes it to standard output, for programs that are no verbs. Raises ReaderGone.

    Not every console has every letter that a stranger may say.
    """
    encoding = sys.stdout.encoding or "utf-8"
    try:
        sys.stdout.write(text.encode(encoding, "replace").decode(encoding))
        sys.stdout.flush()
    except OSError as error:
        raise ReaderGone(error) from error


def abandon(stream: TextIO) -> None:
    """Nobody reads it any more: what is left must not fail once more when the program ends."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


_STATUS: tuple[tuple[tuple[type[Exception], ...], CommandExit], ...] = (
    ((UsageFault, BadConfig), CommandExit.USAGE),
    ((Unauthorized, Forbidden), CommandExit.DENIED),
    ((Unreachable, NotPagehand, Unavailable), CommandExit.UNREACHABLE),
    ((TimeoutError,), CommandExit.TIMEOUT),
)
#: The request itself is wrong: the same would be refused again.
_WRONG_REQUEST = {400, 413, 414, 415, 422, 431}
_WHO_ASKS = "Give it with --token, PAGEHAND_TOKEN, PAGEHAND_TOKEN_FILE, or in the file of settings (docs/client.md)."
_SCOPE = "Ask whoever runs the server for a token that may do this."
_DOCTOR = "`pagehand doctor` looks for the cause."
_NO_JOB = "Is the id whole? `pagehand list` shows the jobs that are kept."


def exit_of(error: Exception) -> CommandExit:
    """The status for an error."""
    for kinds, status in _STATUS:
        if isinstance(error, kinds):
            return status
    if isinstance(error, RequestRefused) and error.status in _WRONG_REQUEST:
        return CommandExit.USAGE
    unreadable = isinstance(error, OSError) and error.filename is not None
    return CommandExit.USAGE if unreadable else CommandExit.FAILED


def words_of_error(error: Exception) -> str:
    """What happened, and the next step."""
    if isinstance(error, RequestRefused) and "detail" in error.problem and (advice := _advice(error)):
        return f"{_sentence(str(error.problem['detail']))} {advice}"
    if isinstance(error, Unreachable | NotPagehand):
        return f"{error} {_DOCTOR}"
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return str(error) or type(error).__name__


def _advice(error: RequestRefused) -> str:
    if isinstance(error, Unauthorized):
        return _WHO_ASKS
    if isinstance(error, Forbidden):
        return _SCOPE if error.code in ("forbidden_scope", "forbidden_type", "forbidden_owner") else ""
    return _NO_JOB if isinstance(error, NotFound) and "/jobs/" in str(error.problem.get("instance")) else ""


def _sentence(words: str) -> str:
    return words if words.endswith((".", "!", "?")) else words + "."

"""Copies a store's file, checks the copy, and gives it its name once it is good. It is a program of its own.

The server that starts it holds the store's log still while this reads, so the file does not change although turns go
on. It is another process for two reasons: to close the store's file in the server would drop the server's locks, and a
check of a large file takes the processor for long. It needs nothing but the standard library.

It writes lines: ``copied N`` (bytes) now and then, ``whole`` when all is copied, ``done``, or ``failed WORDS``. After
``whole`` it waits for the line ``go``: if its server has died meanwhile, another one may have changed the file, and
then the copy is thrown away.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import sys

__all__ = ["DRAFT", "main"]

#: The ending of a copy's name until it is whole and checked.
DRAFT = ".new"
_PIECE_BYTES = 1 << 20
#: A copy holds all that its log had: it must not ask for that log (see log_mark).
_NEEDS_NO_LOG = "UPDATE meta SET value = replace(value, 'follows', 'moved') WHERE name = 'log'"


def main(source: str, target: str) -> int:
    """Copies ``source`` to ``target``; returns the exit status."""
    draft = target + DRAFT
    try:
        with contextlib.suppress(AttributeError, OSError):
            os.nice(10)  # jobs go first
        _copy(source, draft)
        _say("whole")
        if sys.stdin.readline() != "go\n":
            raise OSError("the server has ended")
        _check(draft)
        _sync(draft)
        os.replace(draft, target)
        _sync_directory(os.path.dirname(target))
    except (OSError, sqlite3.Error) as error:
        _say(f"failed {error}")
        for ending in ("", "-wal", "-shm", "-journal"):
            with contextlib.suppress(OSError):
                os.unlink(draft + ending)
        return 1
    _say("done")
    return 0


def _say(line: str) -> None:
    with contextlib.suppress(OSError):  # nobody may be there to read it
        print(line.replace("\n", " "), flush=True)


def _copy(source: str, draft: str) -> None:
    done = 0
    with open(source, "rb") as file, open(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as copy:
        while piece := file.read(_PIECE_BYTES):
            copy.write(piece)
            done += len(piece)
            _say(f"copied {done}")


def _check(draft: str) -> None:
    connection = sqlite3.connect(draft, isolation_level=None)
    try:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")  # so that there is no -shm
        fault = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if fault != "ok":
            raise sqlite3.DatabaseError(f"the copy is damaged: {fault}")
        connection.execute(_NEEDS_NO_LOG)
    finally:
        connection.close()


def _sync(path: str) -> None:
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sync_directory(directory: str) -> None:
    if os.name == "posix":
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

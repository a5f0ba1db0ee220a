"""Types a command of ``pagehand`` in this process, or in one of its own, and reads what it says."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from typing import Any, NamedTuple

from dispatcher.sdk.cli.output import Output
from dispatcher.sdk.cli.program import run
from tests.support.places import ROOT

__all__ = ["PROGRAM", "Said", "Terminal", "many", "spawned", "typed"]

PROGRAM = [sys.executable, "-m", "dispatcher.sdk"]


class Said(NamedTuple):
    """How a command ended, and what it wrote."""

    status: int
    out: str
    err: str


class Terminal(io.StringIO):
    """A stream that people read."""

    def isatty(self) -> bool:
        return True


def typed(
    *words: str, stdin: bytes = b"", terminal: bool = False, environ: dict[str, str] | None = None, **time: Any
) -> Said:
    """In this process. ``terminal``: people read both streams."""
    out, err = (Terminal() if terminal else io.StringIO() for _ in range(2))
    output = Output(out, err, {"TERM": "xterm"} if environ is None else environ)
    status = run(words, out=output, stdin=io.BytesIO(stdin), **time)
    return Said(status, out.getvalue(), err.getvalue())


def spawned(*words: str, stdin: bytes | None = b"", **environ: str) -> Said:
    """In a process of its own, with bytes and not letters between."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PAGEHAND_", "LC_", "LANG"))}
    done = subprocess.run(
        [*PROGRAM, *words], input=stdin, capture_output=True, cwd=ROOT, env=kept | environ, timeout=60
    )
    return Said(done.returncode, done.stdout.decode(), done.stderr.decode())


def many(job_type: str, count: int, at: list[str]) -> list[str]:
    """Submits so many jobs at once; their ids."""
    lines = "".join(f"{number}\n" for number in range(count))
    return typed("submit", job_type, "--ndjson=-", *at, stdin=lines.encode()).out.split()

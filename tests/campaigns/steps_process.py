"""Plays parts of ``steps`` under strace: each in a process of its own, forked from one that has imported all of it.

So strace sees nothing but the part, and no point waits for Python to start. A new process waits at its gate, a named
pipe, until strace is there.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any

from tests.campaigns import steps
from tests.campaigns.zygote import forks
from tests.support.places import ROOT

__all__ = ["Player", "surroundings"]

PATIENCE_S = 60


def surroundings(directory: Path) -> dict[str, str]:
    """The environment of a part. Who is killed cannot tidy up: what it leaves lies in the campaign's own directory."""
    return os.environ | {
        "TMPDIR": str(directory),
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
    }


class Player:
    """Plays one part at a time."""

    def __init__(self, directory: Path) -> None:
        self._gate, self._said, self._turn = directory / "gate", directory / "said", Lock()
        os.mkfifo(self._gate)
        self._zygote = subprocess.Popen(
            [sys.executable, "-m", __name__], cwd=ROOT, env=surroundings(directory), text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def __enter__(self) -> Player:
        """It is ready at once."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends it, and what it has forked."""
        self._zygote.kill()
        self._zygote.communicate()

    def play(self, words: Sequence[str], log: Path, expressions: Sequence[str]) -> tuple[int, str]:
        """The exit status of ``steps WORDS``, and what it has written. ``expressions`` are strace's."""
        assert self._zygote.stdin is not None
        with self._turn:
            wanted = {"words": words, "gate": str(self._gate), "said": str(self._said)}
            self._zygote.stdin.write(json.dumps(wanted) + "\n")
            with _traced(self._heard("pid"), log, expressions):
                self._gate.write_bytes(b"")  # returns when the process has come to its gate
                status = self._heard("ended")
            return status, self._said.read_text()

    def _heard(self, word: str) -> int:
        assert self._zygote.stdout is not None
        for line in self._zygote.stdout:
            if line.startswith(word):
                return int(line.removeprefix(word))
        raise ChildProcessError(f"who plays the parts has ended, and has not said {word!r}")


@contextmanager
def _traced(pid: int, log: Path, expressions: Sequence[str]) -> Iterator[None]:
    """While the process lives, strace follows it."""
    options = [word for expression in ("signal=none", *expressions) for word in ("-e", expression)]
    command = ["strace", "-f", "-y", "-o", str(log), *options, "-p", str(pid)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as strace:
        assert strace.stderr is not None
        line = strace.stderr.readline()
        assert "attached" in line, line
        yield
        strace.communicate(timeout=PATIENCE_S)


def _play(wanted: dict[str, Any]) -> int:
    """In the new process. One that hangs is ended by the alarm, and has the status of that."""
    signal.alarm(PATIENCE_S)
    os.dup2(os.open(wanted["said"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
    Path(wanted["gate"]).read_bytes()
    return steps.main(wanted["words"])


if __name__ == "__main__":
    forks(_play)

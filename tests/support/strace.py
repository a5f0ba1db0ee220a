"""Injects faults into the system calls of a running process, with strace."""

from __future__ import annotations

import asyncio
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.support.missing import missing
from tests.support.signals import send

__all__ = ["injected", "needs_strace"]

PATIENCE_S = 20.0


def needs_strace() -> None:
    """Skips the test (or fails it under CI) without strace, which makes system calls fail."""
    if shutil.which("strace") is None:
        missing("needs strace (Debian: apt-get install strace)")


@asynccontextmanager
async def injected(pid: int, call: str, fault: str) -> AsyncIterator[asyncio.Event]:
    """Inside this context the process meets the fault in this system call: ``error=EIO:when=3``, say.

    The event is set when it makes the first such call, before that returns.
    """
    strace = await asyncio.create_subprocess_exec(
        "strace", "-f", "-p", str(pid), "-e", f"trace={call}", "-e", f"inject={call}:{fault}",
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert strace.stderr is not None
    called = asyncio.Event()
    try:
        async with asyncio.timeout(PATIENCE_S):
            line = await strace.stderr.readline()
        assert b"attached" in line, line
        reading = asyncio.create_task(_read(strace.stderr, f"{call}(".encode(), called))
        yield called
    finally:
        send(strace, signal.SIGKILL)
        await strace.wait()
    await reading


async def _read(output: asyncio.StreamReader, word: bytes, seen: asyncio.Event) -> None:
    """Reads to the end, so that the pipe never fills up."""
    last = b""
    while piece := await output.read(65_536):
        last = last[-len(word) :] + piece
        if word in last:
            seen.set()

"""Starts the process that copies a store's file, and hears from it."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable
from pathlib import Path

from dispatcher.errors import BackupFailed

__all__ = ["take"]

_CHILD = Path(__file__).with_name("child.py")


async def take(
    source: Path, target: Path, *, whole: Callable[[], Awaitable[None]], told: Callable[[int], None]
) -> None:
    """Copies ``source`` to ``target``; returns when the copy is durable and checked.

    ``whole`` is awaited when all is copied: from then on the source may change. ``told`` hears how many bytes are.
    Raises BackupFailed. If it is cancelled, the process is killed and leaves only a draft.
    """
    # -I: the directory of the script, with our own modules in it, is not where it looks for the standard library.
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", str(_CHILD), str(source), str(target), stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    try:
        await _listen(process, whole, told)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _listen(process: Process, whole: Callable[[], Awaitable[None]], told: Callable[[int], None]) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    async for line in process.stdout:
        word, _, rest = line.decode("utf-8", "replace").strip().partition(" ")
        if word == "copied":
            told(int(rest))
        elif word == "whole":
            await whole()
            process.stdin.write(b"go\n")
            await process.stdin.drain()
        elif word == "done":
            return
        else:
            raise BackupFailed(rest or word)
    said = (await process.stderr.read()).decode("utf-8", "replace").strip()
    raise BackupFailed(said.rpartition("\n")[2] or "the process that copies has ended")

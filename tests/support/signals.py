"""Signals to processes that asyncio watches."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal

__all__ = ["send"]


def send(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    """Sends a signal; leaves a process alone that has ended.

    ``Process.send_signal`` asks first whether the process has ended, and if so takes its exit status away from
    asyncio's own watcher, which then logs a warning and reports 255.
    """
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)

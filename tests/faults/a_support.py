"""Helpers for the tests of faults of the server's process: a server with a planted fault, and the times of a form."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.faults.long_form import LONG
from tests.faults.planted import PLANTED
from tests.support.process import ServerProcess, quick

__all__ = ["LONG", "fault_numbers", "planted_server"]


@asynccontextmanager
async def planted_server(
    directory: Path, *fault: str, flags: tuple[str, ...] = (), store: Path | None = None, **seconds: float
) -> AsyncIterator[ServerProcess]:
    """A server with short times and a fault of ``planted.py``; it is killed at the end. Its log may say anything."""
    server = ServerProcess(directory, *quick(**seconds), *flags, store=store, faulty=PLANTED)
    try:
        await server.start(*fault)
        yield server
    finally:
        if server.starts:
            await server.kill()


def fault_numbers(server: ServerProcess) -> list[int]:
    """The numbers of the server's faults in its log."""
    return [int(number) for number in re.findall(r"\(fault (\d+) since the start\)", server.log.read_text())]

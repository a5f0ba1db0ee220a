"""A node of the campaign ``nodes``: forked by a zygote of its own, so that it is soon up again after a kill.

Unlike that of ``zygote`` this one holds no socket: nobody listens on the node's port while it is dead. The server in it
is ``server.main`` unchanged, but for a planted fault (``faulty_nodes``).
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import server
from tests.campaigns.zygote import forks
from tests.crash import faulty_nodes
from tests.support.places import ROOT, environment
from tests.support.process import Refused
from tests.support.server import port_in
from tests.support.signals import send
from tests.support.waiting import PATIENCE_S

__all__ = ["NodeProcess"]


def _serve(wanted: dict[str, Any]) -> int:
    """In the new process."""
    for fault, number in wanted["faults"].items():
        faulty_nodes.FAULTS[fault](number)
    return server.main(wanted["flags"])


class NodeProcess:
    """One process at a time, between ``open`` and ``close``. It keeps its port and its log over all its lives."""

    def __init__(self, log: Path, flags: list[str], environ: dict[str, str]) -> None:
        self.log, self._flags, self._environ = log, flags, environ
        self.port = self.starts = self._pid = 0
        #: How the last process has ended; None: it runs.
        self.status: int | None = 0
        self._banner = ""
        self._said = asyncio.Event()

    async def open(self) -> None:
        """Starts the zygote."""
        with self.log.open("ab") as log:
            self._zygote = await asyncio.create_subprocess_exec(
                sys.executable, "-m", __name__, cwd=ROOT, env=environment() | self._environ,
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=log,
            )  # fmt: skip
        self._reading = asyncio.create_task(self._read())

    async def close(self) -> int:
        """Ends it and what it has forked. Returns the zygote's number."""
        send(self._zygote, signal.SIGKILL)
        await self._zygote.wait()
        await self._reading
        return self._zygote.pid

    async def _read(self) -> None:
        assert self._zygote.stdout is not None
        while line := (await self._zygote.stdout.readline()).decode():
            word, _, rest = line.strip().partition(" ")
            if word == "pid":
                self._pid, self.status, self._banner = int(rest), None, ""
                self.starts += 1
            elif word == "ended":
                self.status = int(rest)
            else:
                self._banner += line
            self._said.set()

    async def _until(self, condition: Callable[[], Any]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                self._said.clear()
                await self._said.wait()

    async def start(self, **faults: int) -> None:
        """Returns when its banner is out. Raises Refused if it has ended instead."""
        starts, before = self.starts, self.log.stat().st_size
        assert self._zygote.stdin is not None
        wanted = {"faults": faults, "flags": ["--port", str(self.port), *self._flags]}
        self._zygote.stdin.write(json.dumps(wanted).encode() + b"\n")
        await self._until(lambda: self.starts > starts)
        await self._until(lambda: self.status is not None or port_in(self._banner))
        if self.status is not None:
            raise Refused(self.status, self.log.read_bytes()[before:].decode(errors="replace"))
        self.port = port_in(self._banner) or 0

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal, if it runs."""
        if self.status is None:
            with suppress(ProcessLookupError):
                os.kill(self._pid, number)

    async def ended(self) -> int:
        """Its exit status, once it has ended."""
        await self._until(lambda: self.status is not None)
        assert self.status is not None
        return self.status

    async def kill(self) -> None:
        """kill -9, and waits until it is gone."""
        self.signal(signal.SIGKILL)
        await self.ended()

    async def stop(self) -> int:
        """SIGTERM; returns the exit status."""
        self.signal(signal.SIGTERM)
        return await self.ended()


if __name__ == "__main__":
    forks(_serve)

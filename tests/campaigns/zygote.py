"""Forks servers: everything is imported once, so a new server is up some milliseconds after the last one died.

A process of its own (``zygote.py PORT_FD``), told what to do on standard input, one JSON line each: ``{"fault": ...,
"flags": [...]}`` starts a server, of which one lives at a time. On standard output: ``pid N``, the server's banner,
and when it is gone ``ended STATUS``. The listening socket is the zygote's and outlives the servers, so that a client
that connects while none lives waits, as it would behind a service manager's socket.

Other campaigns have zygotes of their own, by ``forks`` (``nodes_process``).

The server in it is ``server.main`` unchanged, but for its listening socket and, in controls, its store.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import faulthandler
import gc
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import server
from dispatcher.store.sqlite.store import SqliteStore
from tests.crash.faulty_server import FaultyStore
from tests.support.places import ROOT, environment
from tests.support.signals import send
from tests.support.waiting import PATIENCE_S

__all__ = ["Zygote", "die_with_parent", "forks"]

_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG, linux/prctl.h


def die_with_parent() -> None:
    """Whatever becomes of the campaign, nothing of it stays behind (on Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DEATH_SIGNAL, int(signal.SIGKILL))


# -- in the zygote


async def _synchronous_off(store: SqliteStore) -> Any:
    await store._thread.run(lambda: store._db.execute("PRAGMA synchronous = OFF"))
    return store


async def _acknowledge_first(store: SqliteStore) -> Any:
    return FaultyStore(store, "acknowledge-before-commit", 2)


_FAULTS: dict[str, Callable[[SqliteStore], Any]] = {
    "synchronous-off": _synchronous_off,
    "acknowledge-before-commit": _acknowledge_first,
}


def _serve(listening: socket.socket, wanted: dict[str, Any]) -> int:
    sound, fault = vars(server)["open_store"], wanted["fault"]

    async def open_store(*args: Any, **fields: Any) -> Any:
        store = await sound(*args, **fields)
        return await _FAULTS[fault](store) if fault else store

    def bind_sockets(*args: Any, **fields: Any) -> list[socket.socket]:
        taken = listening.dup()
        taken.setblocking(False)
        return [taken]

    vars(server).update(open_store=open_store, bind_sockets=bind_sockets)
    return server.main(wanted["flags"])


def _say(text: str) -> None:
    # On a line of its own: a server may have been killed in the middle of one.
    os.write(1, f"\n{text}\n".encode())


def _fork(serve: Callable[[dict[str, Any]], int], wanted: dict[str, Any]) -> None:
    child = os.fork()
    if child == 0:
        die_with_parent()
        _say(f"pid {os.getpid()}")  # by the child, so that it comes before the banner
        faulthandler.register(signal.SIGUSR1)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os._exit(serve(wanted))
    _, status = os.waitpid(child, 0)
    _say(f"ended {os.waitstatus_to_exitcode(status)}")


def forks(serve: Callable[[dict[str, Any]], int]) -> None:
    """Forks until standard input ends. ``serve`` is called in each new process, with what the line says."""
    die_with_parent()
    gc.freeze()
    for line in sys.stdin:
        _fork(serve, json.loads(line))


# -- in the campaign


class Zygote:
    """The campaign's end of it. One server at a time: ``start``, perhaps ``ready``, then ``kill`` or ``stop``."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._socket.getsockname()[1]
        self._pid = 0
        self._process: asyncio.subprocess.Process

    async def open(self) -> None:
        """Starts the zygote."""
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.campaigns.zygote", str(self._socket.fileno()), cwd=ROOT, env=environment(),
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=log,
                pass_fds=[self._socket.fileno()],
            )  # fmt: skip

    async def close(self) -> None:
        """Ends it and what it has forked."""
        send(self._process, signal.SIGKILL)
        await self._process.wait()
        self._socket.close()

    async def start(self, *flags: str, fault: str = "") -> None:
        """Forks a server; returns at once, see ``ready``."""
        assert self._process.stdin is not None
        wanted = {"fault": fault, "flags": ["--port", str(self.port), *flags]}
        self._process.stdin.write(json.dumps(wanted).encode() + b"\n")
        self._pid = int(await self._line("pid"))

    async def ready(self) -> None:
        """Returns when the server's banner is out."""
        await self._line("  reachable from")

    async def kill(self) -> int:
        """kill -9; returns the exit status once it is gone."""
        os.kill(self._pid, signal.SIGKILL)
        return int(await self._line("ended"))

    async def stop(self) -> int:
        """SIGTERM; returns the exit status."""
        os.kill(self._pid, signal.SIGTERM)
        return int(await self._line("ended"))

    def turn_away(self) -> None:
        """Hangs up on clients that wait for a server, with what they have sent: their round is over."""
        self._socket.setblocking(False)  # the servers' copies share the flag, and set it as well
        with contextlib.suppress(BlockingIOError):
            while True:
                self._socket.accept()[0].close()

    async def _line(self, beginning: str) -> str:
        """What follows this beginning in the next line that has it."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await self._next(beginning)
        except TimeoutError:
            raise ChildProcessError(f"no {beginning!r} in {PATIENCE_S:g} s: {self._look_at_processes()}") from None

    def _look_at_processes(self) -> str:
        """What the zygote and its server are doing, for people."""
        with contextlib.suppress(OSError):
            os.kill(self._pid, signal.SIGUSR1)
        time.sleep(0.5)
        said = [self.log()[-6000:]]
        for pid in (self._process.pid, self._pid):
            for name in ("stat", "wchan", "stack"):
                with contextlib.suppress(OSError):
                    said.append(f"{name} of {pid}: {Path(f'/proc/{pid}/{name}').read_text().strip()}")
        return "\n".join(said)

    async def _next(self, beginning: str) -> str:
        assert self._process.stdout is not None
        while line := (await self._process.stdout.readline()).decode():
            if line.startswith(beginning):
                return line.removeprefix(beginning).strip()
            if line.startswith("ended"):
                raise ChildProcessError(f"the server ended by itself ({line.strip()}): {self.log()[-3000:]}")
        raise ChildProcessError(f"the zygote ended: {self.log()[-3000:]}")

    def log(self) -> str:
        """What the servers have logged since the last call of ``forget_log``."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def forget_log(self) -> None:
        """The log begins anew; its writers append."""
        os.truncate(self._log, 0)


if __name__ == "__main__":
    forks(partial(_serve, socket.socket(fileno=int(sys.argv[1]))))

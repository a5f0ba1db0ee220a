"""Starts and stops the servers that are measured, each pinned to one core."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from bench import node
from bench.shares import share_of_a_core
from tests.support.ports import free_port

ROOT = Path(__file__).resolve().parent.parent
#: What all servers of a run have logged.
SERVER_LOG = ROOT / "bench" / "server.log"
_START_S = 30.0
_STOP_S = 20.0


@dataclass(frozen=True)
class Server:
    """A running server; or several nodes of one, of which this is the first."""

    pid: int
    port: int
    #: The other nodes.
    others: tuple[Server, ...] = ()
    #: What the load generator is told of its database.
    database: Mapping[str, Any] = field(default_factory=dict)


@contextlib.contextmanager
def pagehand(
    store: Path | str, *, core: int | None, prefix: tuple[str, ...] = (), flags: tuple[str, ...] = (), root: Path = ROOT
) -> Iterator[Server]:
    """``server.py`` of the checkout ``root``; ``prefix`` is a program that starts it, such as a profiler.

    ``store``: a file, or the address of a database.
    """
    port = free_port()
    command = [*(prefix or (sys.executable,)), str(root / "server.py"), "--port", str(port)]
    command += ["--store", store if isinstance(store, str) else f"sqlite:///{store}", "--drain-s", "0.1", *flags]
    with _running(command, port, "/readyz", core=core, root=root) as server:
        yield server


@contextlib.contextmanager
def nodes(
    url: str, names: str, *, flags: tuple[str, ...] = (), prefix: tuple[str, ...] = (), share: float = 0
) -> Iterator[Server]:
    """Nodes of one database, one for each letter of ``names``. They share the cores with it: pinned, one would rest.

    ``share``: so much of a core each of them has; 0: as much as there is.
    """
    with contextlib.ExitStack() as stack:
        first, *others = (
            stack.enter_context(pagehand(url, core=None, prefix=prefix, flags=("--node", name, *flags)))
            for name in names
        )
        for one in (first, *others) if share else ():
            stack.enter_context(share_of_a_core(one.pid, share))
        yield replace(first, others=tuple(others))


@contextlib.contextmanager
def floor(kind: str, *, core: int | None, npm: Path) -> Iterator[Server]:
    """A server to compare with: of ``floors.py``, Node's engine.io in ``npm``, or an echo on Pagehand's transport."""
    port = free_port()
    commands = {
        "node": node.command(npm, port),
        "echo": [sys.executable, "-m", "tests.support.echo", "--port", str(port)],
    }
    command = commands.get(kind) or [sys.executable, "-m", "bench.floors", kind, "--port", str(port)]
    with _running(command, port, "/engine.io/", core=core) as server:
        yield server


@contextlib.contextmanager
def _running(command: list[str], port: int, probe: str, *, core: int | None, root: Path = ROOT) -> Iterator[Server]:
    with SERVER_LOG.open("ab") as output:
        # Pinned before it starts: a later pinning would reach its first thread only.
        pin = None if core is None else partial(os.sched_setaffinity, 0, {core})
        process = subprocess.Popen(command, cwd=root, stdout=output, stderr=output, preexec_fn=pin)
        try:
            _wait_until_it_answers(process, port, probe)
            yield Server(_server_of(process), port)
        finally:
            _stop(process)


def _wait_until_it_answers(process: subprocess.Popen[bytes], port: int, path: str) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit(f"the server ended with status {process.returncode}; see bench/server.log")
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=1).read()
        except urllib.error.HTTPError as error:
            if error.code != 503:
                return
        except OSError:
            pass
        else:
            return
        time.sleep(0.02)
    raise SystemExit("the server did not answer in time; see bench/server.log")


def _server_of(process: subprocess.Popen[bytes]) -> int:
    """The process itself, or its only child if a profiler started it."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    found = children.read_text().split() if children.exists() else []
    return int(found[0]) if found else process.pid


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.kill(_server_of(process), signal.SIGTERM)
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        print("bench: a server did not stop within 20 s of SIGTERM and was killed", file=sys.stderr)


def copy_store(source: Path, target: Path) -> Path:
    """A fresh copy of a prepared store: every file that lies beside it."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source.parent, target)
    os.sync()
    return target / source.name

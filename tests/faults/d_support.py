"""What the tests of section D share: the long form, and raw sockets beside a real server process."""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.attack.live import Live, Page, head

__all__ = ["LONG", "cpu_s", "hang_up", "others_are_served", "post_head", "state_of"]

#: ``PAGEHAND_FAULTS=long``: the times of the catalogue instead of shorter ones.
LONG = os.environ.get("PAGEHAND_FAULTS") == "long"


def post_head(page: Page, port: int, length: int) -> bytes:
    """The head of a page's POST."""
    return head("POST", page.target, port, f"Content-Length: {length}", "Content-Type: text/plain;charset=UTF-8")


def hang_up(sock: socket.socket, how: str) -> None:
    """``close``: in good order, with a FIN; ``reset``: with a RST."""
    if how == "reset":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def state_of(server: Live, job_id: str) -> dict[str, Any]:
    """A job as the API shows it."""
    return dict(server.ask("GET", f"/api/v1/jobs/{job_id}").json())


def cpu_s(server: Live) -> float:
    """What the server's process has spent so far."""
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def others_are_served(server: Live) -> Iterator[list[float]]:
    """Ordinary requests, one after the other, while the block runs; how long each took."""
    took_s: list[float] = []
    failures: list[object] = []
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            began = time.monotonic()
            try:
                reply = server.ask("GET", "/jobs")
            except OSError as error:
                failures.append(error)
                return
            took_s.append(time.monotonic() - began)
            if reply.status != 200:
                failures.append(reply)
            over.wait(0.01)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield took_s
    finally:
        over.set()
        thread.join()
    assert not failures, failures[0]
    assert took_s, "nobody asked"

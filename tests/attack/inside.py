"""server.py as it is, and a look inside: for each line on its standard input it prints its counts as one line.

Run as a program by ``live.Live(watched=True)``. No address of the server shows these counts: asyncio's tasks
and timers, objects, connections. Memory is given back to the system first, so that what is left is in use: small blocks
when the counts are taken, large ones as soon as they are free (glibc would keep some for later).

The variable ``HASTY_S`` gives heads, bodies and readers this many seconds, not the usual 15, 15 and 30, and no more
for large ones.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import heapq
import json
import os
import sys
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import server  # the path must be set first
from dispatcher.transport.fronts import http, policy

#: mallopt(3)
_M_MMAP_THRESHOLD = -3


class Watched(server.Server):
    """A server that answers its standard input."""

    async def start(self) -> None:
        await super().start()
        asyncio.get_running_loop().add_reader(sys.stdin.fileno(), self._tell)

    def _tell(self) -> None:
        if os.read(sys.stdin.fileno(), 100):
            print(json.dumps(self._counts()), flush=True)
        else:
            asyncio.get_running_loop().remove_reader(sys.stdin.fileno())

    def _counts(self) -> dict[str, int]:
        _drop_cancelled(asyncio.get_running_loop())
        gc.collect()
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL("libc.so.6").malloc_trim(0)
        timers = getattr(asyncio.get_running_loop(), "_scheduled", [])
        return {
            "sessions": len(self.sessions),
            "session_infos": len(self.dispatcher.pages.sessions),
            "workers": len(self.dispatcher.machine.workers),
            "tasks": len(asyncio.all_tasks()),
            "timers": sum(not timer.cancelled() for timer in timers),
            "connections": len(vars(self.http)["_connections"]),
            "open": self.http._open,
            "poll_connections": len(self.front._connections),
            "wires": len(self.front.wires),
            "candidates": len(self.sessions._sockets._candidates),
            "objects": len(gc.get_objects()),
            "descriptors": len(os.listdir("/proc/self/fd")),
            "rss": int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"),
        }


def _drop_cancelled(loop: asyncio.AbstractEventLoop) -> None:
    """Takes cancelled timers out of the loop. It does so itself when they are most of its timers: until then there may
    be a hundred, more or less by chance, and each holds some objects.
    """
    state = vars(loop)
    if "_scheduled" in state:
        for timer in state["_scheduled"]:
            timer._scheduled = not timer.cancelled()
        state["_scheduled"][:] = [timer for timer in state["_scheduled"] if not timer.cancelled()]
        heapq.heapify(state["_scheduled"])
        loop._timer_cancelled_count = 0  # type: ignore[attr-defined]


def _make_hasty(seconds: float) -> None:
    http.Front = partial(  # type: ignore[assignment, misc]
        http.Front, head_timeout_s=seconds, body_timeout_s=seconds, write_timeout_s=seconds
    )
    policy._SLOWEST_LINE = 1 << 30


def _give_large_blocks_back() -> None:
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").mallopt(_M_MMAP_THRESHOLD, 1 << 20)


if __name__ == "__main__":
    _give_large_blocks_back()
    if hasty_s := float(os.environ.get("HASTY_S", "0")):
        _make_hasty(hasty_s)
    server.Server = Watched  # type: ignore[misc]
    sys.exit(server.main())

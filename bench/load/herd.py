"""Worker pages that come together."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from bench.load.pages import FleetPage, JobPage
from bench.load.progress import sleep, until
from bench.load.sockets import SocketPage

__all__ = ["TOGETHER", "come", "fill", "idle_kind", "job_pages", "register", "type_names"]

#: Pages that register at the same time.
TOGETHER = 20
_REGISTERED_S = 60


def type_names(spec: dict[str, Any]) -> Sequence[str]:
    """``bench``, or the requested number of types."""
    number = spec.get("types", 1)
    return ["bench"] if number == 1 else [f"bench-{n}" for n in range(number)]


def idle_kind(spec: dict[str, Any]) -> type[JobPage]:
    """A page with one connection, of the transport that is asked for."""
    return SocketPage if spec.get("transport") == "websocket" else FleetPage


async def job_pages(spec: dict[str, Any]) -> None:
    """The pages of a run, registered; with several nodes they are spread over ``pages_at``, ports."""
    kind = SocketPage if spec.get("transport") == "websocket" else JobPage
    how = {"slots": spec["slots"], "quick": spec["quick"], "types": type_names(spec)}
    how["fails"] = spec.get("fails", False)
    ports = spec.get("pages_at") or [spec["port"]]
    await _register([kind(ports[number % len(ports)], number=number, **how) for number in range(spec["workers"])])


async def register(kind: type[JobPage], port: int, numbers: range, types: Sequence[str] = ("bench",)) -> None:
    """Pages with these numbers, at the same time."""
    await _register([kind(port, number=number, types=types) for number in numbers])


async def fill(kind: type[JobPage], port: int, pages: int) -> None:
    """So many pages, some at a time."""
    for first in range(0, pages, TOGETHER):
        await register(kind, port, range(first, min(pages, first + TOGETHER)))


async def come(kind: type[JobPage], port: int, pages: int, seconds: float) -> None:
    """So many pages, one after the other, evenly over that time."""
    began = time.perf_counter()
    coming = [kind(port, number=number) for number in range(pages)]
    for number, page in enumerate(coming):
        await sleep(max(0.0, began + seconds * number / pages - time.perf_counter()))
        await page.open()
    for page in coming:
        await until(page.registered, _REGISTERED_S)


async def _register(pages: Sequence[JobPage]) -> None:
    for page in pages:
        await page.open()
    for page in pages:
        await until(page.registered, _REGISTERED_S)

"""Processor times, memory and counts of the server that is measured."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.load.progress import Run, sleep

__all__ = ["Meter", "Spent", "cpu_s", "idle_share", "loop_ms", "quantile", "resident_kb", "whole_ms", "window"]

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    """User and system time of a process so far; all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def family_cpu_s(pid: int) -> float:
    """The same of a process and its children, those that have ended among them."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ended_s = (int(fields[13]) + int(fields[14])) / _TICKS_PER_S
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return cpu_s(pid) + ended_s + sum(map(cpu_s, map(int, children)))


class Meter:
    """Counts and processor times between two instants, of the servers ``pids`` and of their ``database``."""

    def __init__(self, spec: Mapping[str, Any]) -> None:
        self._pids: Sequence[int] = spec["pids"]
        self._database: int = spec.get("database", 0)
        self._began = time.perf_counter()
        self._count, self._spent = Run.count, self._spent_now()

    def _spent_now(self) -> dict[str, float]:
        spent = {"server_cpu_s": sum(map(cpu_s, self._pids)), "load_cpu_s": time.process_time()}
        return spent | ({"database_cpu_s": family_cpu_s(self._database)} if self._database else {})

    def read(self) -> dict[str, float]:
        """What happened since this meter was made."""
        spent = {name: value - self._spent[name] for name, value in self._spent_now().items()}
        return {"seconds": time.perf_counter() - self._began, "count": Run.count - self._count, **spent}


async def window(spec: dict[str, Any]) -> dict[str, float]:
    """Warm up, measure for ``seconds``, or until ``limit`` of the prepared work is done."""
    await sleep(spec["warm_up_s"])
    meter = Meter(spec)
    limit = spec.get("limit") or float("inf")
    end = time.perf_counter() + spec["seconds"]
    while time.perf_counter() < end and Run.count < limit:
        await sleep(0.01)
    return meter.read()


def loop_ms(pid: int) -> float:
    """The processor time of the server's main thread, which runs its loop; 0 if the system does not tell."""
    return _ran_ms(Path(f"/proc/{pid}/task/{pid}/schedstat"))


def whole_ms(pid: int) -> float:
    """The same for all its threads."""
    return sum(_ran_ms(thread / "schedstat") for thread in Path(f"/proc/{pid}/task").iterdir())


class Spent:
    """Processor time since now, without what the idle pages' pings cost in the same time."""

    def __init__(self, clock: Callable[[int], float], pid: int, share: float) -> None:
        self._clock, self._pid, self._share = clock, pid, share
        self._ran_ms, self._began = clock(pid), time.perf_counter()

    async def each(self, count: int) -> float:
        """The time of one of ``count``, in ms. Waits first: a thread's time is exact only while it rests."""
        await sleep(0.02)
        idle_ms = 1000 * self._share * (time.perf_counter() - self._began)
        return max(0.0, self._clock(self._pid) - self._ran_ms - idle_ms) / count


def resident_kb(pid: int) -> float:
    """The memory that a process has in RAM."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024


async def idle_share(pid: int, seconds: float) -> float:
    """The share of a core that the server takes while nothing is asked of it."""
    began, before_s = time.perf_counter(), cpu_s(pid)
    await sleep(seconds)
    return (cpu_s(pid) - before_s) / (time.perf_counter() - began)


def quantile(sorted_values: list[float], share: float) -> float:
    """The value that this share of the values lies below."""
    return sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * share))]


def _ran_ms(path: Path) -> float:
    return int(path.read_text().split()[0]) / 1e6 if path.exists() else 0.0

"""A control group that limits memory: the kernel kills its processes when they take more (Linux)."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

__all__ = ["MemoryGroup", "NoGroups", "memory_group"]

_ROOT = Path("/sys/fs/cgroup")
_PATIENCE_S = 5.0


class NoGroups(Exception):
    """No control groups can be made here; the message says why."""


class MemoryGroup:
    """A group of the first or the second version of control groups, whose files have different names."""

    def __init__(self, directory: Path, second: bool) -> None:
        self._directory = directory
        self._second = second

    def limit(self, size: int) -> None:
        """Limits memory and swap together, in bytes."""
        names = (
            ("memory.max", "memory.swap.max")
            if self._second
            else ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes")
        )
        (self._directory / names[0]).write_text(str(size))
        with contextlib.suppress(OSError):  # where swap is not accounted for, there is none to speak of
            (self._directory / names[1]).write_text("0" if self._second else str(size))

    def enter(self) -> None:
        """Puts this process into the group, with all the memory that it takes from now on."""
        (self._directory / "cgroup.procs").write_text(str(os.getpid()))

    def kills(self) -> int:
        """How many processes the kernel has killed in it."""
        text = (self._directory / ("memory.events" if self._second else "memory.oom_control")).read_text()
        return int(dict(line.split() for line in text.splitlines())["oom_kill"])

    def used(self) -> int:
        """Bytes that its processes have now, without what the kernel only caches for them."""
        stat = dict(line.split() for line in (self._directory / "memory.stat").read_text().splitlines())
        return int(stat["anon" if self._second else "rss"])


@contextlib.contextmanager
def memory_group(size: int) -> Iterator[MemoryGroup]:
    """A new group; its processes must have ended when it is left. Raises NoGroups."""
    second = (_ROOT / "cgroup.controllers").exists()
    directory = (_ROOT if second else _ROOT / "memory") / f"pagehand-test-{os.getpid()}"
    try:
        directory.mkdir()
    except OSError as error:
        raise NoGroups(f"no control group can be made: {error}") from None
    try:
        group = MemoryGroup(directory, second)
        try:
            group.limit(size)
        except OSError as error:
            raise NoGroups(f"no limit of memory can be set: {error}") from None
        yield group
    finally:
        _remove(directory)


def _remove(directory: Path) -> None:
    """The kernel needs a moment to see that its processes have ended."""
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            directory.rmdir()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return

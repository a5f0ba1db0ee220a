"""Gives a process a share of a core and no more, by a control group of Linux (needs root).

A process that runs in real time (``chrt``) is not bound by it. Nodes that have a share each do not take cores from each
other, nor from their database: two of them on one machine stand for two on machines of their own.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

__all__ = ["lacking", "share_of_a_core"]

_ROOT = Path("/sys/fs/cgroup")
#: Version 1 has a tree for each resource.
_TREE = _ROOT / "cpu" if (_ROOT / "cpu").is_dir() else _ROOT
#: The share is given out for each of these spans.
_SPAN_US = 10_000


def lacking() -> str:
    """Why no shares can be given here, in words; empty if they can."""
    probe = _TREE / f"pagehand-{os.getpid()}"
    try:
        probe.mkdir()
        probe.rmdir()
    except OSError as error:
        return f"no control group can be made: {error.strerror}"
    return ""


@contextlib.contextmanager
def share_of_a_core(pid: int, share: float) -> Iterator[None]:
    """The process ``pid`` has this share of a core while this is open."""
    group = _TREE / f"pagehand-{pid}"
    group.mkdir()
    try:
        for name, value in _limits(int(share * _SPAN_US)):
            if (group / name).exists():  # each version and build of Linux has some of them
                (group / name).write_text(value)
        (group / "cgroup.procs").write_text(str(pid))
        yield
    finally:
        with contextlib.suppress(OSError):  # it has ended
            (_TREE / "cgroup.procs").write_text(str(pid))
        group.rmdir()


def _limits(run_us: int) -> list[tuple[str, str]]:
    return [
        ("cpu.max", f"{run_us} {_SPAN_US}"),
        ("cpu.cfs_period_us", str(_SPAN_US)),
        ("cpu.cfs_quota_us", str(run_us)),
    ]

"""Counts reads of files and directories by Python's own audit events, whoever reads."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["Reads", "watched"]


class Reads:
    """How often, below one directory, a directory was listed and a file opened."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.listed: list[str] = []
        self.opened: list[str] = []

    def see(self, event: str, path: object) -> None:
        if isinstance(path, str | Path) and Path(path).is_relative_to(self.root):
            (self.listed if event == "os.scandir" else self.opened).append(Path(path).name)


_watching: list[Reads] = []


def _audit(event: str, arguments: tuple[object, ...]) -> None:
    if _watching and event in ("os.scandir", "open"):
        for reads in _watching:
            reads.see(event, arguments[0])


@contextmanager
def watched(root: Path) -> Iterator[Reads]:
    """Counts what is read below ``root``. (A hook cannot be removed; without a watcher it does nothing.)"""
    if not _hooked:
        sys.addaudithook(_audit)
        _hooked.append(True)
    reads = Reads(root)
    _watching.append(reads)
    try:
        yield reads
    finally:
        _watching.remove(reads)


_hooked: list[bool] = []

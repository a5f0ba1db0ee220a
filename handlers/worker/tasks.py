"""The tasks that the site offers to worker pages: JavaScript files in one directory.

A task named ``print-label`` is the file ``print-label.js``. Its first line may say more about it:
``// pagehand: {"quick": true, "title": "Prints a label", "example": {"order": 7}}``.
Only files that lie in the directory itself are served, under the names in its listing: no request names a path.
"""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from dispatcher.clock import Clock, SystemClock
from dispatcher.core.jobs.terms import TYPE_PATTERN
from dispatcher.errors import SettingError

__all__ = ["LISTING_S", "Task", "TaskDirectory"]

#: A task has the name of the type of its jobs.
_NAME = re.compile(TYPE_PATTERN)
_HEAD = re.compile(r"//\s*pagehand:\s*(\{.*\})\s*")
#: How many bytes of a file are searched for its first line.
_HEAD_BYTES = 16_384

#: How long a listing of the directory is used, if nothing shows that it has changed.
LISTING_S = 1.0
#: (changed at, size, number) of a file.
_Stamp = tuple[int, int, int]

_log = logging.getLogger("pagehand.tasks")


class Task(Struct, frozen=True, kw_only=True):
    """What a task's file says about it."""

    name: str
    #: Whether it starts at once and sends only its result: for work of milliseconds.
    quick: bool = False
    #: One line for people.
    title: str = ""
    #: Data to try it with; None if the file gives none.
    example: Any = None


class _Head(Struct, frozen=True):
    quick: bool = False
    title: str = ""
    example: Any = None


class _Listing(Struct, frozen=True):
    """What the directory held at one instant."""

    #: Monotonic seconds.
    read: float
    #: The directory's own time of change, before it was read.
    changed_ns: int
    files: dict[str, Path]
    #: By name: what a file's first line says, and the stamp of the file that said it.
    heads: dict[str, tuple[_Stamp, Task]] = {}


class TaskDirectory:
    """The tasks in one directory. A changed file needs no restart: the change is seen at once if the stamp of the
    directory or the file shows it, and within LISTING_S in any case."""

    def __init__(self, directory: str | Path, host_call: Sequence[str] = (), clock: Clock | None = None) -> None:
        """Raises SettingError if there is no such directory."""
        self._root = Path(directory).resolve()
        if not self._root.is_dir():
            raise SettingError(f"tasks: {directory} is not a directory")
        self._host_call = list(host_call)
        self._clock = clock or SystemClock()
        self._listing: _Listing | None = None

    def _now(self) -> _Listing:
        now, changed_ns = self._clock.monotonic(), self._root.stat().st_mtime_ns
        known = self._listing
        if known is None or known.changed_ns != changed_ns or now - known.read >= LISTING_S:
            known = self._listing = _Listing(now, changed_ns, self._files())
        return known

    def _files(self) -> dict[str, Path]:
        found: dict[str, Path] = {}
        with os.scandir(self._root) as entries:
            for entry in entries:
                name = entry.name.removesuffix(".js")
                path = Path(entry.path)
                # A link may lead out of the directory; then it is not one of its tasks.
                named = name != entry.name and _NAME.match(name)
                if named and entry.is_file() and path.resolve().is_relative_to(self._root):
                    found[name] = path
        return dict(sorted(found.items()))

    def names(self) -> list[str]:
        """The names of all tasks, in order."""
        return list(self._now().files)

    def tasks(self) -> list[Task]:
        """All tasks, by name."""
        listing = self._now()
        found = [self._task(listing, name, path) for name, path in listing.files.items()]
        return [task for task in found if task is not None]

    def _task(self, listing: _Listing, name: str, path: Path) -> Task | None:
        """A task; None if its file has gone since the directory was read."""
        try:
            status = path.stat()
            stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
            if name not in listing.heads or listing.heads[name][0] != stamp:
                listing.heads[name] = (stamp, _read_head(name, path))
        except FileNotFoundError:
            return None
        return listing.heads[name][1]

    def source(self, name: str) -> bytes | None:
        """The text of a task's file; None if there is no such task."""
        path = self._now().files.get(name)
        try:
            return None if path is None else path.read_bytes()
        except FileNotFoundError:
            return None  # it has gone since the directory was read

    def index(self) -> dict[str, object]:
        """``/tasks/index.json``: the tasks, and the methods of the host program that ``host-call`` may call."""
        return {"tasks": [msgspec.to_builtins(task) for task in self.tasks()], "host_call": self._host_call}


def _read_head(name: str, path: Path) -> Task:
    with path.open("rb") as file:
        line = file.readline(_HEAD_BYTES).decode("utf-8", "replace").lstrip("\ufeff")
    match = _HEAD.match(line)
    if match is None:
        return Task(name=name)
    try:
        head = msgspec.json.decode(match[1], type=_Head)
    except (msgspec.DecodeError, RecursionError) as error:
        _log.warning("%s: its first line is not understood: %s", path.name, error)
        return Task(name=name)
    return Task(name=name, quick=head.quick, title=head.title, example=head.example)


def example_text(task: Task) -> str:
    """The task's example as JSON text for people."""
    return "" if task.example is None else json.dumps(task.example, ensure_ascii=False, indent=2)

"""The tasks that the site offers to worker pages: JavaScript files in one directory.

A task named ``print-label`` is the file ``print-label.js``. Its first line may say more of it:
``// pagehand: {"quick": true, "title": "Prints a label", "example": {"order": 7}}``.
Only files that lie in the directory itself are served, under names that it lists: no request names a path.
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

from dispatcher.errors import SettingError

__all__ = ["Task", "TaskDirectory"]

_FILE = re.compile(r"([A-Za-z0-9._-]{1,100})\.js")
_HEAD = re.compile(r"//\s*pagehand:\s*(\{.*\})\s*")
#: The first line of a file is looked for in so many bytes.
_HEAD_BYTES = 16_384

_log = logging.getLogger("pagehand.tasks")


class Task(Struct, frozen=True, kw_only=True):
    """What a task's file says of it."""

    name: str
    #: It starts at once and sends only its result: for work of milliseconds.
    quick: bool = False
    #: One line for people.
    title: str = ""
    #: Data to try it with; None: none is given.
    example: Any = None


class _Head(Struct, frozen=True):
    quick: bool = False
    title: str = ""
    example: Any = None


class TaskDirectory:
    """The tasks in one directory, read anew each time: a changed file needs no restart."""

    def __init__(self, directory: str | Path, host_call: Sequence[str] = ()) -> None:
        """Raises SettingError where there is no such directory."""
        self._root = Path(directory).resolve()
        if not self._root.is_dir():
            raise SettingError(f"tasks: {directory} is not a directory")
        self._host_call = list(host_call)

    def _files(self) -> dict[str, Path]:
        found: dict[str, Path] = {}
        with os.scandir(self._root) as entries:
            for entry in entries:
                match = _FILE.fullmatch(entry.name)
                path = Path(entry.path)
                # A link may lead out of the directory; then it is not one of its tasks.
                if match and entry.is_file() and path.resolve().is_relative_to(self._root):
                    found[match[1]] = path
        return dict(sorted(found.items()))

    def names(self) -> list[str]:
        """The names of all tasks, in order."""
        return list(self._files())

    def tasks(self) -> list[Task]:
        """All tasks, by name."""
        return [_read_head(name, path) for name, path in self._files().items()]

    def source(self, name: str) -> bytes | None:
        """The text of a task's file; None: there is no such task."""
        path = self._files().get(name)
        return None if path is None else path.read_bytes()

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

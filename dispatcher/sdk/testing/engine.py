"""A JavaScript engine with the worker's script and task files in it. It has no I/O: it says what it wants."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from .private import load

__all__ = ["PageEngine", "TaskFile", "TaskFileFault", "task_files"]

#: Less than the stack of a thread has on any system.
_STACK_BYTES = 256 * 1024
#: Random bytes for names of boots and the like.
_ENTROPY_BYTES = 4_096


class TaskFileFault(Exception):
    """A task file does not work; the text says which, where and why."""


class TaskFile(NamedTuple):
    """A file that registers the task of its name."""

    path: Path
    source: str


def task_files(path: Path) -> list[TaskFile]:
    """The files of a directory, or one file. Raises TaskFileFault for what a server would not offer."""
    directory, only = (path, None) if path.is_dir() else (path.parent, path.name)
    listing = load("handlers.worker.tasks").TaskDirectory(directory)
    faults = [fault for fault in listing.faults() if only in (None, fault.file)]
    if faults:
        raise TaskFileFault("\n".join(f"{fault.file}: {fault.why}" for fault in faults))
    names = [only] if only else [f"{name}.js" for name in listing.names()]
    found = [directory / name for name in names]
    if not found or not found[0].is_file():
        raise TaskFileFault(f"{path}: there is no task file")
    return [TaskFile(file, file.read_text("utf-8-sig")) for file in found]


class PageEngine:
    """One load of a page. Use it on one thread only."""

    def __init__(self, instants: Callable[[], tuple[float, float]], *, run_limit_s: float) -> None:
        """``instants`` tells the time: monotonic seconds, and those since 1970.

        ``run_limit_s``: of the processor's time, at a stretch. A script that takes more is stopped.
        """
        try:
            import _quickjs  # its wrapper, quickjs, starts a thread that stays
        except ImportError as error:
            raise ImportError(
                "task files need a JavaScript engine: pip install 'pagehand[testing]'", name=error.name
            ) from error
        self._instants = instants
        self._failure: type[Exception] = _quickjs.JSException
        self._context = _quickjs.Context()
        self._context.set_max_stack_size(_STACK_BYTES)
        self._context.set_time_limit(run_limit_s)
        self._context.eval(load("handlers.worker.script").join())
        self._control = self._context.eval(Path(__file__).with_name("window.js").read_text("utf-8"))

    def run(self, file: TaskFile) -> None:
        """Loads a task file. Raises TaskFileFault where it does not work."""
        name = file.path.name
        try:
            self._context.eval(file.source)
        except self._failure as error:
            words = str(error).strip()
            line = re.search(r"<input>:(\d+)", words)
            raise TaskFileFault(f"{name}{f', line {line[1]}' if line else ''}: {words.splitlines()[0]}") from None
        (registered,) = (wish["names"] for wish in self.tell("names") if wish["want"] == "names")
        if file.path.stem not in registered:
            what = ", ".join(registered) or "nothing"
            raise TaskFileFault(f'{name} does not register "{file.path.stem}", but {what}')

    def start(self, options: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The worker begins."""
        return self.tell("start", options=dict(options), entropy=list(os.urandom(_ENTROPY_BYTES)))

    def tell(self, what: str, **given: Any) -> list[dict[str, Any]]:
        """Something happens; returns what the page wants. Raises RuntimeError if its scripts come to no end."""
        wants = self._told(what, given)
        try:
            while self._context.execute_pending_job():
                pass
        except self._failure as error:
            raise RuntimeError(f"a promise of a task: {error}") from None
        return wants + self._told("look", {})

    def _told(self, what: str, given: Mapping[str, Any]) -> list[dict[str, Any]]:
        now, at = self._instants()
        told = json.dumps({"what": what, "now": now * 1000, "date": at * 1000, **given})
        try:
            return list(json.loads(self._control(told)))
        except self._failure as error:
            raise RuntimeError(f"a script of the page: {error}") from None

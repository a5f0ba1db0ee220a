"""The tasks that the site offers to worker pages: JavaScript files in one directory.

A task named ``print-label`` is the file ``print-label.js``. Its first line may say more about it:
``// pagehand: {"quick": true, "title": "Prints a label", "example": {"order": 7}}``.
Only files that lie in the directory itself are served, under the names in its listing: no request names a path.
Every file that looks like a task and does not work is named, with what is wrong, in the log and for people to see.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from hashlib import sha256
from math import inf
from operator import attrgetter
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from dispatcher.clock import Clock, SystemClock
from dispatcher.core.jobs.terms import TYPE_PATTERN, TYPE_WORDS
from dispatcher.core.jobs.views.deployed import WithheldTask, version_text
from dispatcher.errors import SettingError
from dispatcher.reading import without_mark
from handlers.worker.former import FormerTexts
from handlers.worker.heads import read_head
from handlers.worker.summary import SummaryTemplate, template_of

__all__ = ["LISTING_S", "MOST_FAULTS", "Fault", "Task", "TaskDirectory"]

#: A task has the name of the type of its jobs.
_NAME = re.compile(TYPE_PATTERN)
#: The longest first line that may say more about a task.
_HEAD_BYTES = 16_384
#: What somebody may have meant to be a task; ``README.md`` is not spoken of.
_MEANT = re.compile(r"\.(?:[cm]?js|jsx|ts)(?:\.txt)?\Z", re.IGNORECASE)

#: How many files that do not work are named at once.
MOST_FAULTS = 50
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
    #: What its jobs are called, with fields of their data; empty: the file does not say.
    summary: str = ""
    #: Of the file: see ``version_text``.
    version: str = ""


class Fault(Struct, frozen=True):
    """A file of the directory that does not work, or not as it says."""

    file: str
    #: What is wrong, and what to do, in words.
    why: str


class _Read(Struct, frozen=True):
    """What a look at a task's file has found: the task, the fault, or both."""

    task: Task | None
    wrong: str = ""


class _Listing(Struct, frozen=True):
    """What the directory held at one instant."""

    #: Monotonic seconds.
    read: float
    #: The directory's own time of change, before it was read.
    changed_ns: int
    files: dict[str, Path]
    #: Files that are no tasks, whatever is in them.
    faults: list[Fault] = []
    #: By name: what a file holds, and the stamp of the file that held it.
    reads: dict[str, tuple[_Stamp, _Read]] = {}


class TaskDirectory:
    """The tasks in one directory. A changed file needs no restart: the change is seen at once if the stamp of the
    directory or the file shows it, and within LISTING_S in any case."""

    def __init__(self, directory: str | Path, host_call: Sequence[str] = (), clock: Clock | None = None) -> None:
        """Raises SettingError if there is no such directory."""
        self._root = Path(directory).resolve()
        if not self._root.is_dir():
            raise SettingError(f"tasks: {directory} is not a directory")
        #: The methods that ``host-call`` may call.
        self.host_call = list(host_call)
        self._clock = clock or SystemClock()
        self._listing: _Listing | None = None
        #: The faults that the log has named.
        self._told: frozenset[Fault] = frozenset()
        #: Each submission asks for them, and one that looked at every file would cost more than all the rest.
        self._summaries: dict[str, SummaryTemplate] = {}
        self._summaries_due = -inf
        self._versions: dict[str, str] = {}
        self._former = FormerTexts()
        self._withheld: list[WithheldTask] = []

    def _now(self) -> _Listing:
        now, changed_ns = self._clock.monotonic(), self._root.stat().st_mtime_ns
        known = self._listing
        if known is None or known.changed_ns != changed_ns or now - known.read >= LISTING_S:
            known = self._listing = _Listing(now, changed_ns, *self._files())
        return known

    def _files(self) -> tuple[dict[str, Path], list[Fault]]:
        found: dict[str, Path] = {}
        faults: list[Fault] = []
        with os.scandir(self._root) as entries:
            for entry in sorted(entries, key=attrgetter("name")):
                if entry.name.startswith(".") or not _MEANT.search(entry.name):
                    continue
                if why := self._objection(entry):
                    faults.append(Fault(_shown(entry.name), why))
                else:
                    found[entry.name.removesuffix(".js")] = Path(entry.path)
        return found, faults

    def _objection(self, entry: os.DirEntry[str]) -> str:
        """Why an entry of the directory is no task; empty: it is one."""
        if not entry.name.endswith(".js"):
            return "it is not offered, because its name does not end in .js"
        if not _NAME.match(entry.name.removesuffix(".js")):
            return f"it is not offered, because a task is named after the type of its jobs: {TYPE_WORDS}, then .js"
        try:
            # A link may lead out of the directory; then it is not one of its tasks.
            if not Path(entry.path).resolve(strict=True).is_relative_to(self._root):
                return "it is not offered, because it is a link that leads out of the directory"
            return "" if entry.is_file() else "it is not offered, because it is no file"
        except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links, before Python 3.13
            return (
                f"it is not offered, because it cannot be read: {getattr(error, 'strerror', '') or 'a loop of links'}"
            )

    def names(self) -> list[str]:
        """The names of all tasks, in order."""
        return [task.name for task in self.tasks()]

    def versions(self) -> dict[str, str]:
        """The versions of all tasks, by their names; as they last were, if the directory has gone."""
        with contextlib.suppress(OSError):
            self._versions = {task.name: task.version for task in self.tasks()}
        return self._versions

    def tasks(self) -> list[Task]:
        """All tasks, by name. The log names the faults that it has not named yet."""
        tasks, faults = self._look()
        new = [fault for fault in faults if fault not in self._told]
        for fault in new[:MOST_FAULTS]:
            _log.warning("%s: %s", fault.file, fault.why, extra={"action": "task_file"})
        if len(new) > MOST_FAULTS:
            _log.warning("%d more task files do not work", len(new) - MOST_FAULTS, extra={"action": "task_file"})
        self._told = frozenset(faults)
        return tasks

    def summaries(self) -> Mapping[str, SummaryTemplate]:
        """The summaries that files give to the jobs of their tasks, as of LISTING_S ago at most."""
        now = self._clock.monotonic()
        if now >= self._summaries_due:
            self._summaries_due = now + LISTING_S
            with contextlib.suppress(OSError):  # no job is refused because the directory has gone
                self._summaries = {task.name: template_of(task.summary) for task in self.tasks() if task.summary}
        return self._summaries

    def faults(self) -> list[Fault]:
        """The files that do not work, by name."""
        return self._look()[1]

    def _look(self) -> tuple[list[Task], list[Fault]]:
        listing, tasks, faults = self._now(), [], []
        for name, path in listing.files.items():
            read = self._offered(name, self._read(listing, name, path))
            if read.task is not None:
                tasks.append(read.task)
            if read.wrong:
                faults.append(Fault(path.name, read.wrong))
        return sorted(tasks, key=attrgetter("name")), sorted([*listing.faults, *faults], key=attrgetter("file"))

    def _read(self, listing: _Listing, name: str, path: Path) -> _Read:
        try:
            status = path.stat()
            stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
            if name not in listing.reads or listing.reads[name][0] != stamp:
                text = path.read_bytes()
                read = _read(name, text, _version(text, status.st_mtime))
                listing.reads[name] = (stamp, read)
                if read.task is not None:
                    self._former.see(name, read.task.version, text)
        except FileNotFoundError:
            return _Read(None)  # it has gone since the directory was read
        except OSError as error:
            return _Read(None, f"it is not offered, because it cannot be read: {error.strerror}")
        return listing.reads[name][1]

    def source(self, name: str) -> bytes | None:
        """The text of a task's file; None if there is no such task."""
        path = self._now().files.get(name)
        try:
            text = None if path is None else path.read_bytes()
        except OSError:
            return None  # it has gone since the directory was read, or cannot be read
        if text is None or _not_utf8(text):
            return None
        former = self._former.instead(name, _version(text)) if self._former.rules() else None
        return text if former is None else former.text

    # -- what is withheld

    def _offered(self, name: str, read: _Read) -> _Read:
        """What pages get where a file holds this."""
        former = None if read.task is None else self._former.instead(name, read.task.version)
        return read if former is None else _read(name, former.text, former.version)

    def withhold(self, wanted: Iterable[WithheldTask], needed: Collection[str] = ()) -> list[WithheldTask]:
        """Withholds those whose former text is kept, and returns them: see ``FormerTexts``."""
        return self._former.withhold(wanted, needed)

    def withheld(self) -> list[WithheldTask]:
        """The tasks in whose place a former version is offered now, by name."""
        if rules := self._former.rules():
            with contextlib.suppress(OSError):  # as it last was, if the directory has gone
                self._withheld = [rule for rule in rules if self._is_withheld(rule.type)]
        else:
            self._withheld = []
        return self._withheld

    def _is_withheld(self, name: str) -> bool:
        listing = self._now()
        path = listing.files.get(name)
        task = None if path is None else self._read(listing, name, path).task
        return task is not None and self._former.instead(name, task.version) is not None

    def release(self) -> list[WithheldTask]:
        """Withholds nothing any more. Returns what was withheld until now."""
        released = self.withheld()
        self._former.release()
        return released

    # -- what is told

    def index(self) -> dict[str, object]:
        """``/tasks/index.json``: the tasks, the files that are none, and the methods that ``host-call`` may call."""
        tasks = self.tasks()
        files = {f"{task.name}.js" for task in tasks}
        absent = [fault for fault in self.faults() if fault.file not in files]
        return {
            "tasks": [msgspec.to_builtins(task) for task in tasks],
            "not_offered": [msgspec.to_builtins(fault) for fault in absent[:MOST_FAULTS]],
            "host_call": self.host_call,
        }


def _version(text: bytes, changed: float = 0.0) -> str:
    return version_text(sha256(text).hexdigest(), changed)


def _read(name: str, text: bytes, version: str) -> _Read:
    """What a task's file holds."""
    if wrong := _not_utf8(text):
        return _Read(None, f"it is not offered, because {wrong}")
    if not without_mark(text).strip():
        return _Read(Task(name=name, version=version), "it is empty")
    head, wrong = read_head(text[:_HEAD_BYTES].decode("utf-8", "replace"))
    task = Task(name=name, quick=head.quick, title=head.title, example=head.example, summary=head.summary)
    return _Read(replace(task, version=version), wrong)


def _not_utf8(text: bytes) -> str:
    """Why the text is not UTF-8; empty: it is."""
    if text.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in text[:4]:
        return "it is UTF-16: save it as UTF-8"
    try:
        text.decode("utf-8")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        return f"it is not UTF-8 (line {line}): save it as UTF-8"
    return ""


def _shown(name: str) -> str:
    """A file's name for people, whatever its bytes are."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def example_text(task: Task) -> str:
    """The task's example as JSON text for people."""
    return "" if task.example is None else json.dumps(task.example, ensure_ascii=False, indent=2)

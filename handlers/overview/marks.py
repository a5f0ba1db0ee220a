"""Deploys, pauses and restarts as marks in charts, made of acts of the audit log: what happened when it began. Pure.

Acts of one kind by one actor within a quarter of an hour are one mark: who pauses fifty workers has done one thing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import quote

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from dispatcher.access.acts import AuditEntry, AuditOutcome
from dispatcher.core.jobs.acts.kept import EVERY_TYPE
from dispatcher.core.jobs.views.deployed import read_versions
from handlers.console.shown import short_id
from handlers.console.words import plural

__all__ = [
    "MARKED",
    "MOST_MARKS",
    "MOST_NAMED",
    "NO_MARKS",
    "ActGroup",
    "ChartMark",
    "ChartMarks",
    "before",
    "grouped",
    "marks_of",
]

#: The actions that have marks, and of which kind these are.
MARKED: Mapping[str, str] = {
    "rollout.begin": "deploy",
    "rollout.stop": "deploy",
    "rollout.end": "deploy",
    "task.version": "deploy",
    "type.pause": "pause",
    "type.resume": "pause",
    "worker.pause": "pause",
    "worker.drain": "pause",
    "worker.resume": "pause",
    "workers.pause": "pause",
    "workers.drain": "pause",
    "workers.resume": "pause",
    "server.start": "restart",
    "server.stop": "restart",
}
#: The most marks that are shown; of the others the number is told.
MOST_MARKS = 40
#: Names that one mark tells.
MOST_NAMED = 3
_TOGETHER_S = 900.0
_DONE = {
    "type.pause": "paused", "worker.pause": "paused", "worker.drain": "paused, to leave,",
    "type.resume": "resumed", "worker.resume": "resumed",
}  # fmt: skip
#: A node that has its store for itself.
_ALONE = "main"


class ChartMark(Struct, frozen=True, kw_only=True):
    """One mark."""

    #: UTC seconds: of its first act.
    at: float
    #: ``deploy``, ``pause`` or ``restart``.
    kind: str
    #: The action in the audit log.
    code: str
    words: str
    #: Who did it; ``server``: it did so by itself.
    by: str
    #: A path of the console that shows more; empty: none does.
    link: str = ""
    #: How many acts it stands for.
    acts: int = 1


class ChartMarks(Struct, frozen=True, kw_only=True):
    """The marks of some time, the newest first."""

    title: str = "Deploys, pauses and restarts"
    items: list[ChartMark]
    #: How many older ones of that time are not among them.
    left_out: int = 0
    #: There may be still more, which nobody has counted.
    more: bool = False


NO_MARKS = ChartMarks(items=[])


def before(marks: ChartMarks, at: float) -> ChartMarks:
    """The older ones alone: the others stand in another list."""
    title = f"{marks.title} before the last 24 hours"
    return replace(marks, title=title, items=[mark for mark in marks.items if mark.at < at])


class ActGroup(Struct):
    """Acts that are one mark, the first one first."""

    acts: list[AuditEntry]

    @property
    def targets(self) -> list[str]:
        """What they were done to, each once."""
        return list(dict.fromkeys(act.target for act in self.acts))


def grouped(acts: Iterable[AuditEntry], type_name: str = "") -> list[ActGroup]:
    """The acts that are marks together, the newest first. ``type_name``: without those of other types."""
    groups: list[ActGroup] = []
    joined: dict[tuple[str, ...], ActGroup] = {}
    versions: dict[str, str] = {}
    for act in sorted(acts, key=lambda act: (act.at, act.number)):
        if act.outcome is not AuditOutcome.DONE or not _concerns(act, type_name) or _is_known(act, versions):
            continue
        key = _key(act)
        group = joined.get(key)
        if group is None or act.at - group.acts[0].at >= _TOGETHER_S:
            group = joined[key] = ActGroup([])
            groups.append(group)
        group.acts.append(act)
    return groups[::-1]


def _concerns(act: AuditEntry, type_name: str) -> bool:
    of_type = act.action.startswith(("type.", "task."))
    return not type_name or not of_type or act.target in (type_name, EVERY_TYPE)


def _is_known(act: AuditEntry, versions: dict[str, str]) -> bool:
    """It tells nothing new: a version that another node has noted already, or one with which a task was first seen."""
    if act.action != "task.version":
        return False
    version, was = read_versions(act.detail)
    if was is None or versions.get(act.target) == version:
        return True
    versions[act.target] = version
    return False


def _key(act: AuditEntry) -> tuple[str, ...]:
    if act.action.startswith(("rollout.", "workers.")):
        return (str(act.number),)
    said = "" if act.action == "task.version" else act.detail
    node = act.target if act.action.startswith("server.") else ""
    alone = act.target if act.target == EVERY_TYPE else ""
    return act.action, act.actor.name, said, node, alone


def marks_of(groups: Iterable[ActGroup], names: Mapping[str, str]) -> list[ChartMark]:
    """A mark for each group. ``names``: those of workers, by their ids, as far as somebody knows them."""
    return [_mark(group, names) for group in groups]


def _mark(group: ActGroup, names: Mapping[str, str]) -> ChartMark:
    act = group.acts[0]
    return ChartMark(
        at=act.at, kind=MARKED[act.action], code=act.action, words=_words(group, names), by=act.actor.name,
        link=_link(group), acts=len(group.acts),
    )  # fmt: skip


def _words(group: ActGroup, names: Mapping[str, str]) -> str:
    act = group.acts[0]
    if act.action.startswith("server."):
        return _of_server(group)
    if act.action.startswith("rollout."):
        return _of_rollout(act)
    if act.action.startswith("workers."):
        return _of_many_workers(act)
    if act.action == "task.version":
        one = len(group.targets) == 1
        return f"New version of {act.target}" if one else f"New versions of {_many(group, 'task', group.targets)}"
    reason = f": {act.detail}" if act.detail else ""
    verb = "was" if len(group.targets) == 1 and act.target != EVERY_TYPE else "were"
    return f"{_subject(group, names)} {verb} {_DONE[act.action]} by {act.actor.name}{reason}"


def _subject(group: ActGroup, names: Mapping[str, str]) -> str:
    act, one = group.acts[0], len(group.targets) == 1
    if act.action.startswith("type."):
        if act.target == EVERY_TYPE:
            return "All types"
        return f"Type {act.target}" if one else _many(group, "type", group.targets)
    if one:
        return f"Worker {names.get(act.target) or short_id(act.target)}"
    return _many(group, "worker", [names[target] for target in group.targets if target in names])


def _many(group: ActGroup, word: str, called: Sequence[str]) -> str:
    """``5 workers (A, B, C and others)``: those of which names are known."""
    shown = list(called[:MOST_NAMED])
    others = " and others" if len(shown) < len(group.targets) else ""
    return plural(len(group.targets), word) + (f" ({', '.join(shown)}{others})" if shown else "")


def _of_server(group: ActGroup) -> str:
    act = group.acts[0]
    node = "" if act.target in ("", _ALONE) else f" {act.target}"
    done = "started" if act.action == "server.start" else "was asked to stop"
    times = f" {len(group.acts)} times" if len(group.acts) > 1 else ""
    return f"The server{node} {done}{times} (version {act.detail})"


def _of_rollout(act: AuditEntry) -> str:
    told = _told(act.detail)
    reason = f": {told['reason']}" if told.get("reason") else ""
    if act.action == "rollout.begin":
        return f"A rollout was begun by {act.actor.name}{reason}"
    if act.action == "rollout.stop":
        return f"The rollout was stopped by {act.actor.name}"
    if told.get("state") != "done":
        return f"The rollout stopped by itself{reason}"
    pages = told.get("reloaded")
    return "The rollout ended" + (f": {plural(pages, 'page')} loaded anew" if isinstance(pages, int) else "")


def _of_many_workers(act: AuditEntry) -> str:
    """One order for many: it was written when it began, so it says how many it was for."""
    told = _told(act.detail)
    matched = told.get("matched")
    who = plural(matched, "worker") if isinstance(matched, int) else "Many workers"
    reason = f": {told['reason']}" if told.get("reason") else ""
    done = _DONE[act.action.replace("workers.", "worker.")]
    return f"{who} {'was' if matched == 1 else 'were'} {done} by {act.actor.name}{reason}"


def _told(detail: str) -> dict[str, object]:
    """What was written as JSON; a detail that was cut tells nothing."""
    try:
        return msgspec.json.decode(detail, type=dict[str, object])
    except msgspec.DecodeError:
        return {}


def _link(group: ActGroup) -> str:
    act = group.acts[0]
    if act.action.startswith("rollout."):
        return "/rollout"
    if act.action.startswith("workers."):
        return "/workers"
    where = {"type": "/types", "task": "/types", "worker": "/workers"}.get(act.action.partition(".")[0])
    if where is None or len(group.targets) > 1:
        return where or ""
    return f"{where}/{quote(act.target, safe='*')}"

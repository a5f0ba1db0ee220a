"""``watch`` and ``events``: what happens, while it happens."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from ...client.answers import outcome_of
from ...client.client import Job
from ...client.together import changes
from ..exits import CommandExit
from ..invocation import Invocation
from ..text import instant
from ..verb import Verb, some

__all__ = ["EVENTS", "WATCH"]

_LOOK_S = 1
_WATCH_EXAMPLE = """\
example:
  pagehand watch "$JOB"
"""
_EVENTS_EXAMPLES = """\
examples:
  pagehand events --state failed
  pagehand events --after oldest --count 100 -o json
  pagehand events --event workers.missed --event workers.complete
"""


def _watch_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="a job's id or address")


def _watch(call: Invocation) -> int:
    client, job_id = call.client, call.one_id()
    job = client.job(job_id)
    call.unfinished[job_id] = job
    seen: dict[str, Any] = {}
    lines: list[dict[str, Any]] = []
    while True:
        lines = _tell_log(call, lines, job.fields.get("log") or [])
        seen = _tell_state(call, seen, job)
        if job.over:
            break
        job.fields = client._do(client._plans.job(job_id, wait_s=_LOOK_S))
    call.unfinished.clear()
    outcome_of(job)
    return CommandExit.DONE


def _tell_state(call: Invocation, seen: dict[str, Any], job: Job) -> dict[str, Any]:
    """Says what is new since ``seen``."""
    names = ("id", "state", "number", "worker_name", "waits", "progress")
    now = {name: job.fields.get(name) for name in names}
    if now == seen:
        return seen
    if call.out.chosen("table") == "json":
        call.out.item(now)
    else:
        progress = now["progress"] or {}
        where = f"on {now['worker_name']}, try {now['number']}" if job.state == "running" and now["worker_name"] else ""
        done = f"{progress.get('percent') or 0:g} % {progress.get('note') or ''}".strip() if progress else ""
        parts = [job.state, where, done if job.state == "running" else "", now["waits"] or ""]
        call.out.state_line("  ".join(part for part in parts if part))
    return now


def _tell_log(call: Invocation, seen: list[dict[str, Any]], now: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The lines of the task that are new; only the newest ones are kept on the server."""
    new = now[now.index(seen[-1]) + 1 :] if seen and seen[-1] in now else now
    for line in new:
        if call.out.chosen("table") == "json":
            call.out.item(line)
        else:
            call.out.state_line(f"{instant(line['at'])}  {line['line']}")
    return now or seen


WATCH = Verb("watch", "follow a job to its end: states, progress, log", _watch_arguments, _watch, _WATCH_EXAMPLE)

# -- events


def _events_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--job", action="append", metavar="ID", help="of this job; may be repeated, as the others")
    add("--type", action="append", help="of jobs of this type")
    add("--state", action="append", help="only what becomes this")
    add("--worker", action="append", metavar="ID", help="of this worker")
    add("--event", action="append", metavar="NAME", help="job (if none is named), workers.missed, workers.complete")
    add("--after", metavar="ID", help="what came behind this one; oldest: all that are kept")
    add("-n", "--count", type=some, metavar="N", help="end after so many")


def _events(call: Invocation) -> int:
    left = call.options.count
    for event in _told(call):
        _show(call, event)
        if left is not None and (left := left - 1) <= 0:
            break
    return CommandExit.DONE


def _told(call: Invocation) -> Iterator[dict[str, Any]]:
    options = call.options
    filters = {name: getattr(options, name) for name in ("job", "type", "state", "worker", "event")}
    after = options.after
    while True:
        page = call.client._do(changes(call.client._plans, filters, after))
        if gap := page["gap"]:
            call.out.complain(f"pagehand: some changes are missing. {gap['detail']}")
        yield from page["items"]
        call.out.flush()
        after = page["after"]


def _show(call: Invocation, event: dict[str, Any]) -> None:
    if call.out.chosen("json") == "json":
        call.out.item(event)
    elif "event" in event:
        _show_roll(call, event)
    else:
        _show_change(call, event)


def _show_roll(call: Invocation, roll: dict[str, Any]) -> None:
    """With ``-o id`` the names of workers, which other commands take for ids."""
    names = [worker["name"] for worker in roll["workers"]]
    if call.out.chosen("json") == "id":
        for name in names:
            call.out.line(name)
    else:
        count = f"{roll['here']} of {roll['usual']} are here"
        call.out.state_line(f"{instant(roll['at'])}  {roll['event']}  {count}  {', '.join(names)}".rstrip())


def _show_change(call: Invocation, change: dict[str, Any]) -> None:
    if call.out.chosen("json") == "id":
        call.out.line(change["job"])
    else:
        became = f"{change['from'] or 'new'} > {change['to']}"
        line = f"{instant(change['at'])}  {change['job']}  {change['type']}  {became}  {change['reason'] or ''}"
        call.out.state_line(line.rstrip())


EVENTS = Verb("events", "follow the changes of jobs, and who is missed", _events_arguments, _events, _EVENTS_EXAMPLES)

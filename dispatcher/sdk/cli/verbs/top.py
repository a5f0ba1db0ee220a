"""``top``: the server on one screen, once a second. On anything but a terminal: once, as plain lines.

With ``-o json``: once, as one object.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from ...client.errors import Unreachable
from ..exits import CommandExit
from ..invocation import Invocation
from ..text import aligned, instant, painted, plain
from ..verb import Verb, seconds

__all__ = ["TOP"]

_HOME, _REST_OF_LINE, _REST_OF_SCREEN = "\x1b[H", "\x1b[K", "\x1b[J"
_HIDE_CURSOR, _SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"
_OPEN = ("scheduled", "queued", "running", "in_doubt")
_ENDED = ("succeeded", "failed", "cancelled", "expired")
_MOST_TYPES, _MOST_RUNNING = 200, 30
_EXAMPLE = """\
example:
  pagehand top --every 5s
"""


@dataclass(slots=True)
class _Look:
    """What the server said at an instant of our clock."""

    at_s: float
    stats: dict[str, Any]
    types: list[dict[str, Any]]
    running: list[dict[str, Any]]
    failed: list[dict[str, Any]]


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--every", type=seconds, default=1.0, metavar="TIME", help="how often it looks (1 s)")
    parser.set_defaults(retry_for=0.0)  # the next look is the next try


def _top(call: Invocation) -> int:
    if call.out.form == "json":
        call.out.item({name: value for name, value in asdict(_look(call)).items() if name != "at_s"})
        return CommandExit.DONE
    if not call.out.moves:
        for line in _lines(call, _look(call), None):
            call.out.line(line)
        return CommandExit.DONE
    call.out.write(_HIDE_CURSOR + _HOME + _REST_OF_SCREEN)
    try:
        _go_on(call)
    except KeyboardInterrupt:
        return CommandExit.DONE  # the usual way to end it
    finally:
        call.out.write(_SHOW_CURSOR)
    return CommandExit.DONE


def _go_on(call: Invocation) -> None:
    """A server that is away for a while leaves the last screen, with a line that says so."""
    before: _Look | None = None
    now: _Look | None = None
    while True:
        trouble = ""
        try:
            before, now = now, _look(call)
        except Unreachable as error:
            if now is None:
                raise
            before, trouble = None, str(error)
        _draw(call, now, before, trouble)
        call.sleep(call.options.every)


def _look(call: Invocation) -> _Look:
    client = call.client
    return _Look(
        call.clock(),
        client.stats(),
        list(islice(client.types(), _MOST_TYPES)),
        [job.fields for job in islice(client.jobs(state="running", limit=_MOST_RUNNING), _MOST_RUNNING)],
        [job.fields for job in islice(client.jobs(state=["failed", "in_doubt"], limit=5), 5)],
    )


def _draw(call: Invocation, look: _Look, before: _Look | None, trouble: str) -> None:
    width, height = call.out.size()
    lines = [line[:width] for line in _lines(call, look, before)][: height - 2]
    if trouble:
        lines = [*lines[: height - 3], plain(trouble)[:width]]
    shown = [painted(line) if call.out.colour else line for line in lines]
    call.out.write(_HOME + "".join(f"{line}{_REST_OF_LINE}\n" for line in shown) + _REST_OF_SCREEN)


def _lines(call: Invocation, look: _Look, before: _Look | None) -> Iterator[str]:
    width = call.out.size()[0] if call.out.terminal else None
    jobs, workers = look.stats["jobs"], look.stats["workers"]
    yield f"Pagehand at {call.client.url}{'  (it is about to stop)' if look.stats['draining'] else ''}"
    yield "open     " + "  ".join(f"{state} {jobs.get(state, 0)}" for state in _OPEN)
    yield "ended    " + "  ".join(f"{state} {jobs.get(state, 0)}" for state in _ENDED) + _rate(look, before)
    yield "workers  " + ("  ".join(f"{state} {count}" for state, count in workers.items()) or "none")
    busy = sorted(look.types, key=lambda item: (-_open_jobs(item), item["type"]))
    yield ""
    yield from aligned(("TYPE", "WORKERS", "QUEUED", "RUNNING", "FAILED"), map(_type_row, busy[:12]), width)
    if look.running:
        yield ""
        heads = ("RUNNING", "TYPE", "SINCE (UTC)", "WORKER", "PROGRESS")
        yield from aligned(heads, map(_running_row, look.running[:10]), width)
    if look.failed:
        yield ""
        yield from aligned(("TROUBLE", "STATE", "TYPE", "WHY"), map(_failed_row, look.failed), width)


def _rate(look: _Look, before: _Look | None) -> str:
    """How many jobs end a second. Those that retention removes make it smaller, never negative."""
    if before is None or look.at_s <= before.at_s:
        return ""
    ended = sum(look.stats["jobs"].get(state, 0) - before.stats["jobs"].get(state, 0) for state in _ENDED)
    return f"  ({max(0.0, ended / (look.at_s - before.at_s)):.1f}/s)"


def _open_jobs(item: dict[str, Any]) -> int:
    return sum(item["counts"].get(state, 0) for state in _OPEN)


def _type_row(item: dict[str, Any]) -> tuple[object, ...]:
    counts = item["counts"]
    return item["type"], item["workers"], *(counts.get(state, 0) for state in ("queued", "running", "failed"))


def _running_row(fields: dict[str, Any]) -> tuple[object, ...]:
    progress = fields.get("progress") or {}
    done = f"{progress.get('percent') or 0:g} % {progress.get('note') or ''}" if progress else ""
    return fields["id"], fields["type"], instant(fields.get("started_at")), fields.get("worker_name") or "", done


def _failed_row(fields: dict[str, Any]) -> tuple[object, ...]:
    why = (fields.get("error") or {}).get("message") or fields.get("detail") or fields.get("reason") or ""
    return fields["id"], fields["state"], fields["type"], why


TOP = Verb("top", "the server on one screen, once a second", _arguments, _top, _EXAMPLE)

"""``get`` and ``list``: jobs as they are."""

from __future__ import annotations

import argparse
import json
from itertools import islice
from typing import Any

from ...client.answers import fields_of
from ...client.exchange import HttpCall, path_of
from ..exits import CommandExit, UsageFault
from ..invocation import Invocation
from ..text import instant
from ..verb import Verb, add_ids, instant_or_time, some

__all__ = ["GET", "LIST", "add_filters", "filters_of", "show_job"]

_PAGE = 100
_EXAMPLES = """\
examples:
  pagehand list --state failed --since 1h
  pagehand list --all --state failed --type ocr | pagehand retry -
"""
_GET_EXAMPLES = """\
examples:
  pagehand get "$JOB"
  pagehand list --state failed | pagehand get - -o json
  pagehand get "$JOB" --log --search printer
"""


def _get_arguments(parser: argparse.ArgumentParser) -> None:
    add_ids(parser)
    parser.add_argument("--log", action="store_true", help="the lines that its tasks wrote, instead")
    parser.add_argument("--search", default="", metavar="TEXT", help="of these lines those that hold this text")


def _get(call: Invocation) -> int:
    if call.options.search and not call.options.log:
        raise UsageFault("get --search looks into the lines of a job: it goes with --log")
    return call.each(lambda job_id: _log_of(call, job_id) if call.options.log else _get_one(call, job_id))


def _log_of(call: Invocation, job_id: str) -> CommandExit:
    """Each line with its number and its instant."""
    fields = call.fields(HttpCall("GET", path_of("jobs", job_id, fields="log")), "log")
    sought = call.options.search.casefold()
    for line in fields["log"]:
        if sought not in line["line"].casefold():
            continue
        if call.out.form == "json":
            call.out.item(line)
        else:
            call.out.line(f"{line['line_no']} {line['at']} {line['line']}")
    return CommandExit.DONE


def _get_one(call: Invocation, job_id: str) -> CommandExit:
    text = call.ask(HttpCall("GET", path_of("jobs", job_id)))
    form = call.out.chosen("json")
    if form == "json":
        call.out.json(text)
    elif form == "id":
        call.out.line(fields_of(json.loads(text), "id")["id"])
    else:
        show_job(call, fields_of(json.loads(text), "id", "type", "state"))
    return CommandExit.DONE


def show_job(call: Invocation, fields: dict[str, Any]) -> None:
    """For people: what they ask first."""
    error, progress = fields.get("error") or {}, fields.get("progress") or {}
    done = f"{progress.get('percent') or 0:g} % {progress.get('note') or ''}" if progress else ""
    if len(call.options.ids) > 1:
        call.out.line("")
    call.out.pairs(
        [
            ("id", fields["id"]),
            ("type", fields["type"]),
            ("summary", fields.get("summary")),
            ("tags", ", ".join(fields.get("tags") or [])),
            ("state", fields["state"]),
            ("why", fields.get("detail") or fields.get("reason")),
            ("waits", fields.get("waits")),
            ("place", _place((fields.get("waiting") or {}).get("outlook") or {})),
            ("requires", _labels(fields.get("requires") or {})),
            ("priority", fields.get("priority")),
            ("progress", done.strip()),
            ("worker", fields.get("worker_name") or fields.get("worker")),
            ("tries", fields.get("number")),
            ("created", instant(fields.get("created_at"))),
            *((name, instant(fields[f"{name}_at"])) for name in ("started", "ended") if fields.get(f"{name}_at")),
            ("error", error.get("message")),
            ("data", _short(fields.get("data"))),
            ("result", _short(fields.get("result"))),
            ("page", f"{call.client.url}/jobs/{fields['id']}"),
        ]
    )


def _place(outlook: dict[str, Any]) -> str:
    """Among the ready jobs of its type and requirement, and when it starts."""
    if not outlook:
        return ""
    place = f"{outlook['place']:,} of {outlook['of']:,}" if outlook["place"] else f"behind 1,000 of {outlook['of']:,}"
    about_s = outlook["estimate_s"]
    return place if about_s is None else f"{place}, starts in about {about_s:g} s"


def _labels(requires: dict[str, Any]) -> str:
    return ", ".join(
        f"{name}:{value if isinstance(value, str) else ' or '.join(value)}" for name, value in requires.items()
    )


def _short(value: object) -> str:
    """The whole stands in -o json."""
    if value is None:
        return ""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 200 else text[:199] + "…"


GET = Verb("get", "show jobs, or the lines of their logs", _get_arguments, _get, _GET_EXAMPLES)

# -- list


def add_filters(parser: argparse.ArgumentParser) -> None:
    """Which jobs."""
    add = parser.add_argument
    add(
        "--state", action="append", help="scheduled, queued, running, in_doubt, succeeded, failed, ...; may be repeated"
    )
    add("--type", help="of this type")
    add("--worker", metavar="NAME", help="whom it ran on last")
    add("--requires", action="append", metavar="LABEL:VALUE", help="that require this label; may be repeated")
    add("--tag", action="append", metavar="TEXT", help="that have this tag; may be repeated")
    add("--batch", metavar="ID", help="of this batch")
    add("--owner", metavar="NAME", help="submitted with the token of this name")
    add("--key", help="with this idempotency key, or of the batch that has it")
    add("--error", metavar="CODE", help="with this code in the last error")
    add(
        "--search",
        metavar="TEXT",
        dest="q",
        help='with these words in data, result, error or summary, "a phrase" as it stands; or with this id or key',
    )
    add(
        "--since",
        metavar="TIME",
        type=instant_or_time,
        dest="created_after",
        help="created since: 1h, 7d, or an instant (2026-11-23T21:04:05Z)",
    )
    add("--until", metavar="TIME", type=instant_or_time, dest="created_before", help="created before")
    add("--ended-since", metavar="TIME", type=instant_or_time, dest="ended_after", help="ended since")
    add("--ended-until", metavar="TIME", type=instant_or_time, dest="ended_before", help="ended before")


def _list_arguments(parser: argparse.ArgumentParser) -> None:
    add_filters(parser)
    add = parser.add_argument
    add("-n", "--limit", type=some, default=50, metavar="N", help="at most so many, the newest (50)")
    add("--all", action="store_true", help="all of them")


_FILTERS = ("state", "type", "worker", "requires", "tag", "batch", "owner", "key", "error", "q")
_INSTANTS = ("created_after", "created_before", "ended_after", "ended_before")


def filters_of(options: argparse.Namespace) -> dict[str, Any]:
    """The same as the API wants it; what was not said is None."""
    filters: dict[str, Any] = {name: getattr(options, name) for name in _FILTERS}
    return filters | {name: getattr(options, name) for name in _INSTANTS}


def _list(call: Invocation) -> int:
    options, out = call.options, call.out
    filters = filters_of(options)
    limit = None if options.all else options.limit
    found = call.client.jobs(limit=_PAGE if limit is None else min(_PAGE, limit + 1), **filters)
    jobs = (job.fields for job in islice(found, limit))
    form = out.chosen("id")
    if form == "table":
        out.table(("ID", "STATE", "TYPE", "CREATED (UTC)", "WORKER", "WHY"), map(_row, jobs))
    for fields in jobs:
        out.line(fields["id"]) if form == "id" else out.item(fields)
    if limit and next(found, None) is not None:
        out.tell(f"There are more than these {limit}: --limit or --all shows them.")
    return CommandExit.DONE


def _row(fields: dict[str, Any]) -> tuple[object, ...]:
    error = fields.get("error") or {}
    why = fields.get("waits") or error.get("message") or fields.get("detail") or ""
    worker = fields.get("worker_name") or fields.get("worker") or ""
    return fields["id"], fields["state"], fields["type"], instant(fields["created_at"]), worker, why


LIST = Verb("list", "list jobs, newest first", _list_arguments, _list, _EXAMPLES)

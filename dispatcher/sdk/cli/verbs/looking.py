"""``workers``, ``types`` and ``stats``: the server at this moment."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ...client.errors import NotFound
from ...client.exchange import HttpCall, path_of
from ..exits import CommandExit, UsageFault
from ..invocation import Invocation
from ..text import instant
from ..verb import Verb
from .manyworkers import many_arguments, order_many
from .rollout import ROLLOUT, roll_out, rollout_arguments
from .workerorders import WORKER_ORDERS, body_of, check_order, order_arguments, order_one

__all__ = ["STATS", "TYPES", "WORKERS"]

ORDERS = (*WORKER_ORDERS, ROLLOUT)
_EXAMPLE = """\
examples:
  pagehand workers pause FRONT-DESK-07 --reason lunch
  pagehand workers rename 0358abe0... --to FRONT-DESK-08 --reason "it moved"
  pagehand workers labels --name FRONT- --set site:bonn --yes
  pagehand workers test FRONT-DESK-07 --example print-label --reason "a new printer"
  pagehand workers rollout --at-a-time 5 --canary
"""
#: The name that stands for all types.
_ALL = "*"
TYPE_ORDERS = ("pause", "resume", "defaults")
_TYPES_EXAMPLE = """\
examples:
  pagehand types print
  pagehand types pause print-label --reason "no paper"
  pagehand types pause --all --reason "a wrong price list went out"
  pagehand types defaults print-label priority=5 timeout_s=30 max_attempts=
"""
_STATS_EXAMPLE = """\
examples:
  pagehand stats -o json
  pagehand stats --type print-label --window 1h
"""


def _listed(
    call: Invocation,
    items: Iterable[dict[str, Any]],
    name: str,
    heads: Sequence[str],
    row: Callable[[dict[str, Any]], Sequence[object]],
) -> int:
    form = call.out.chosen("id")
    if form == "table":
        call.out.table(heads, map(row, items))
        return CommandExit.DONE
    for item in items:
        if form == "json":
            call.out.item(item)
        elif item[name]:  # a worker that has gone has none
            call.out.line(item[name])
    return CommandExit.DONE


def _workers_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("order", nargs="?", choices=ORDERS, metavar="ORDER", help=f"{', '.join(ORDERS)}: of the workers that follow")
    add("ids", nargs="*", metavar="NAME|ID", help="a worker's name or id; - reads them from standard input")
    add("--name", help="whose name begins so")
    add("--type", help="that offer this type")
    add("--label", metavar="LABEL:VALUE", help="that have this label")
    add("--state", help="connected, quiet, away, set_aside or gone")
    order_arguments(parser)
    many_arguments(parser)
    rollout_arguments(parser)


def _workers(call: Invocation) -> int:
    options = call.options
    if options.order == ROLLOUT:
        if options.ids:
            raise UsageFault("workers rollout names no workers: it is for all pages that have old tasks")
        return roll_out(call)
    filters = {name: getattr(options, name) for name in ("name", "type", "label", "state")}
    if options.order:
        wanted = {name: value for name, value in filters.items() if value}
        if bool(wanted) == bool(options.ids):
            words = "the names or the ids of workers, or a filter for all that match: --label and so on"
            raise UsageFault(f"workers {options.order} needs {words}")
        check_order(call, many=bool(wanted))
        return order_many(call, wanted, body_of(options)) if wanted else call.each(lambda word: order_one(call, word))
    heads = ("NAME", "STATE", "JOBS", "DONE", "FAILED", "LABELS", "TYPES")
    return _listed(call, call.client.workers(**filters), "id", heads, _worker_row)


def _worker_row(item: dict[str, Any]) -> Sequence[object]:
    if item.get("gone_at"):
        return item["name"], item["state"], "-", "-", "-", f"since {instant(item['gone_at'])}", ""
    labels = ",".join(f"{name}:{value}" for name, value in (item.get("labels") or {}).items())
    paused = " (paused)" if item.get("paused") else ""
    busy = f"{len(item.get('jobs') or [])}/{item.get('slots')}"
    types, unloaded = ",".join(item.get("types") or []), ",".join(item.get("unloaded") or {})
    types += f"{' ' if types else ''}(not loaded: {unloaded})" if unloaded else ""
    return item["name"], f"{item['state']}{paused}", busy, item.get("done"), item.get("failed"), labels, types


WORKERS = Verb("workers", "list workers, or order them about", _workers_arguments, _workers, _EXAMPLE)


def _types_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "words", nargs="*", metavar="NAME", help="whose name begins so; or pause, resume or defaults, and types"
    )
    parser.add_argument("--reason", default="", metavar="TEXT", help="why; of a pause it is said why their jobs wait")
    parser.add_argument("--all", action="store_true", help="pause or resume all types together")


def _types(call: Invocation) -> int:
    words = call.options.words
    if call.options.all:
        if len(words) != 1 or words[0] not in ("pause", "resume"):
            raise UsageFault("--all goes with pause or resume, without the names of types")
        return _ordered_type(call, words[0], _ALL)
    if words and words[0] in TYPE_ORDERS:
        if len(words) == 1:
            raise UsageFault(f"types {words[0]} needs the name of a type")
        if words[0] == "defaults":
            return _type_defaults(call, words[1], words[2:])
        return _first_fault(_ordered_type(call, words[0], name) for name in words[1:])
    if len(words) > 1:
        raise UsageFault(
            f"{words[0]!r} is no order: types takes the beginning of one name, or pause, resume or defaults"
        )
    heads = ("TYPE", "WORKERS", "QUEUED", "RUNNING", "SUCCEEDED", "FAILED", "IN DOUBT", "PAUSED", "NOT LOADED")
    return _listed(call, call.client.types(q=words[0] if words else None), "type", heads, _type_row)


def _first_fault(ends: Iterable[CommandExit]) -> CommandExit:
    return next((end for end in list(ends) if end), CommandExit.DONE)


def _ordered_type(call: Invocation, order: str, name: str) -> CommandExit:
    body = {"reason": call.options.reason} if call.options.reason else {}
    try:
        text = call.ask(HttpCall("POST", path_of("types", name, order), json.dumps(body).encode()))
    except NotFound as error:
        call.out.complain(f"pagehand: {name}: {error}")
        return CommandExit.FAILED
    call.out.json(text) if call.out.form == "json" else call.out.line(name)
    return CommandExit.DONE


def _type_defaults(call: Invocation, name: str, words: Sequence[str]) -> CommandExit:
    """With ``field=value`` it sets these; an empty value takes one away. Then it tells those that there are."""
    path = path_of("types", name)
    if words:
        body = {"defaults": dict(map(_default, words)), "reason": call.options.reason}
        asked = HttpCall("PATCH", path, json.dumps(body).encode())
    else:
        asked = HttpCall("GET", path)
    try:
        defaults = call.fields(asked, "defaults")["defaults"]
    except NotFound as error:
        call.out.complain(f"pagehand: {name}: {error}")
        return CommandExit.FAILED
    if call.out.chosen("json") != "table":
        call.out.json(json.dumps(defaults))
    else:
        call.out.line(" ".join(f"{field}={value}" for field, value in defaults.items()))
    return CommandExit.DONE


def _default(word: str) -> tuple[str, object]:
    field, equals, text = word.partition("=")
    if not equals:
        raise UsageFault(f"{word!r} is no default: write it as priority=5, or priority= to take it away")
    try:
        return field, json.loads(text) if text else None
    except ValueError:
        return field, text


def _type_row(item: dict[str, Any]) -> Sequence[object]:
    counts, paused = item["counts"], item.get("paused")
    states = ("queued", "running", "succeeded", "failed", "in_doubt")
    why = f"by {paused['by']}: {paused['reason']}" if paused else ""
    unloaded = item.get("unloaded")
    lacks = f"by {unloaded['pages']} of {unloaded['of']} pages" if unloaded else ""
    return item["type"], item["workers"], *(counts.get(state, 0) for state in states), why, lacks


TYPES = Verb("types", "list types, or have their jobs wait", _types_arguments, _types, _TYPES_EXAMPLE)


def _stats_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--type", metavar="TYPE", help="also how the jobs of this type have ended in the last hour")
    parser.add_argument(
        "--window", metavar="TIME", help="in this time instead, from 1m to 30d; without a type: all jobs"
    )


def _stats(call: Invocation) -> int:
    options = call.options
    asked = HttpCall("GET", path_of("stats", type=options.type, window=options.window))
    if call.out.chosen("json") != "table":
        call.out.json(call.ask(asked))
        return CommandExit.DONE
    if options.type or options.window:
        ended = call.fields(asked, "ended")["ended"]
        call.out.table(("WHAT", f"IN {ended['window_ms'] // 60_000} MINUTES"), _ended_rows(ended))
        return CommandExit.DONE
    stats = call.fields(asked, "jobs", "workers", "draining")
    rows = [(f"jobs {name}", count) for name, count in stats["jobs"].items()]
    rows += [(f"workers {name}", count) for name, count in stats["workers"].items()]
    call.out.table(("WHAT", "NOW"), [*rows, *([("the server stops", "yes")] if stats["draining"] else [])])
    return CommandExit.DONE


def _ended_rows(ended: dict[str, Any]) -> Iterable[Sequence[object]]:
    outcomes = ("succeeded", "failed", "cancelled", "expired")
    yield from ((f"jobs {outcome}", ended[outcome]) for outcome in outcomes)
    yield "tried per hour", f"{ended['per_hour']:.1f}"
    share = ended["failed_percent"]
    yield "failed", "-" if share is None else f"{share:.1f} %"
    for name in ("wait", "run"):
        durations = ended[name]
        for place in ("p50", "p95"):
            length = durations[f"{place}_ms"]
            yield f"{name} {place}", "-" if length is None else f"{length / 1_000:.3g} s (n = {durations['n']})"


STATS = Verb(
    "stats", "count jobs and workers by state, and how jobs have ended", _stats_arguments, _stats, _STATS_EXAMPLE
)

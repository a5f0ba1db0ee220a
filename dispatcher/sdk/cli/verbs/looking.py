"""``workers``, ``types`` and ``stats``: the server at this moment."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ...client.exchange import HttpCall, path_of
from ..exits import CommandExit
from ..invocation import Invocation
from ..text import instant
from ..verb import Verb

__all__ = ["STATS", "TYPES", "WORKERS"]


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
    add("--name", help="whose name begins so")
    add("--type", help="that offer this type")
    add("--label", metavar="LABEL:VALUE", help="that have this label")
    add("--state", help="connected, quiet, away, set_aside or gone")


def _workers(call: Invocation) -> int:
    options = call.options
    filters = {name: getattr(options, name) for name in ("name", "type", "label", "state")}
    heads = ("NAME", "STATE", "JOBS", "DONE", "FAILED", "LABELS", "TYPES")
    return _listed(call, call.client.workers(**filters), "id", heads, _worker_row)


def _worker_row(item: dict[str, Any]) -> Sequence[object]:
    if item.get("gone_at"):
        return item["name"], item["state"], "-", "-", "-", f"since {instant(item['gone_at'])}", ""
    labels = ",".join(f"{name}:{value}" for name, value in (item.get("labels") or {}).items())
    paused = " (paused)" if item.get("paused") else ""
    busy = f"{len(item.get('jobs') or [])}/{item.get('slots')}"
    types = ",".join(item.get("types") or [])
    return item["name"], f"{item['state']}{paused}", busy, item.get("done"), item.get("failed"), labels, types


WORKERS = Verb("workers", "list workers: who they are, what they do", _workers_arguments, _workers)


def _types_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("q", nargs="?", metavar="NAME", help="whose name begins so")


def _types(call: Invocation) -> int:
    heads = ("TYPE", "WORKERS", "QUEUED", "RUNNING", "SUCCEEDED", "FAILED", "IN DOUBT")
    return _listed(call, call.client.types(q=call.options.q), "type", heads, _type_row)


def _type_row(item: dict[str, Any]) -> Sequence[object]:
    counts = item["counts"]
    states = ("queued", "running", "succeeded", "failed", "in_doubt")
    return item["type"], item["workers"], *(counts.get(state, 0) for state in states)


TYPES = Verb("types", "list types: who offers them, how many jobs they have", _types_arguments, _types)


def _stats(call: Invocation) -> int:
    text = call.ask(HttpCall("GET", path_of("stats")))
    if call.out.chosen("json") != "table":
        call.out.json(text)
        return CommandExit.DONE
    stats = call.client.stats()
    rows = [(f"jobs {name}", count) for name, count in stats["jobs"].items()]
    rows += [(f"workers {name}", count) for name, count in stats["workers"].items()]
    call.out.table(("WHAT", "NOW"), [*rows, *([("the server stops", "yes")] if stats["draining"] else [])])
    return CommandExit.DONE


STATS = Verb("stats", "count jobs and workers by state", lambda parser: None, _stats)

"""``act``: one order for all jobs that match. The server counts them, and carries it out; this side watches."""

from __future__ import annotations

import argparse
from typing import Any

from ...client.exchange import HttpCall, path_of
from ..exits import CommandExit, UsageFault
from ..invocation import Invocation
from ..verb import Verb
from .reading import add_filters, filters_of

__all__ = ["ACT", "operation_shown", "until_ended"]

_LOOK_S = 1
_ACTIONS = {"cancel": "cancel", "retry": "retry", "rm": "delete", "set": "set_priority"}
_EXAMPLES = """\
examples:
  pagehand act retry --state failed --ended-since 1h
  pagehand act retry --state failed --ended-since 1h --expect 40 --yes
"""


def _arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("action", choices=tuple(_ACTIONS), metavar="ACTION", help="cancel, retry, rm or set (a priority)")
    add_filters(parser)
    add("--priority", type=int, metavar="N", help="for set: -1000 to 1000")
    add("--free-key", action="store_true", help="for rm: also jobs whose keys are young")
    add("--reason", metavar="TEXT", help="why; the audit log and cancelled jobs show it")
    add("--expect", type=int, metavar="N", help="do nothing if another number of jobs matches")
    add("--yes", action="store_true", help="do it; otherwise the jobs are only counted")


def _act(call: Invocation) -> int:
    options = call.options
    wanted = {name: value for name, value in filters_of(options).items() if value}
    if not wanted:
        raise UsageFault("say which jobs: --state, --type, --since and so on")
    if (options.action == "set") == (options.priority is None):
        raise UsageFault("--priority belongs to set, and set needs it")
    order = {
        "filter": wanted, "expect": options.expect, "priority": options.priority, "reason": options.reason,
        "free_key": options.free_key or None, "dry_run": not options.yes,
    }  # fmt: skip
    client = call.client
    operation = client._do(client._plans.act_on_jobs(_ACTIONS[options.action], order))
    if options.yes:
        call.resume = f"The server goes on with the operation {operation['id']}."
        operation = until_ended(call, operation)
        call.resume = ""
    return operation_shown(call, operation)


def until_ended(call: Invocation, operation: dict[str, Any]) -> dict[str, Any]:
    """It when it is over; a bar shows how far it is."""
    with call.out.bar(None, silent=True) as bar:
        while operation["ended_at"] is None:
            path = path_of("operations", operation["id"], wait=_LOOK_S)
            operation = call.fields(HttpCall("GET", path, wait_s=_LOOK_S), "id", "state", "matched", "done", "skipped")
            bar.at(operation["done"] + sum(operation["skipped"].values()))
    return operation


def operation_shown(call: Invocation, operation: dict[str, Any], noun: str = "jobs") -> CommandExit:
    """Prints how many were done, or with ``--yes`` missing, counted."""
    out = call.out
    if out.chosen("id") == "json":
        out.item(operation)
    else:
        out.line(str(operation["done"] if call.options.yes else operation["matched"]))
    could = "could not be helped" if call.options.yes else "would stay as they are"
    for code, count in operation["skipped"].items():
        out.tell(f"{count} {could}: {code}")
    if not call.options.yes:
        _tell_counted(call, operation, noun)
    if operation["stopped"]:
        out.complain(f"pagehand: the operation {operation['id']} was stopped: {operation['detail']}")
        return CommandExit.FAILED
    return CommandExit.DONE


def _tell_counted(call: Invocation, operation: dict[str, Any], noun: str) -> None:
    would_do = operation.get("would_do")
    if would_do == 0:
        call.out.tell(f"So many {noun} match, and nothing can be done to them.")
    else:
        most = "" if would_do is None or not operation["skipped"] else f" It can be done to {would_do}."
        how = f"Do it: --expect {operation['matched']} --yes"
        call.out.tell(f"So many {noun} match, and nothing was done.{most} {how}")


ACT = Verb("act", "count all jobs that match, or do one thing to them", _arguments, _act, _EXAMPLES)

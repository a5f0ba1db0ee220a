"""One order for all workers that match: a part of ``workers``. The server counts them, and carries it out."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from typing import Any

from ...client.exchange import HttpCall, path_of
from ..exits import CommandExit
from ..invocation import Invocation
from .many import operation_shown, until_ended

__all__ = ["forget_by_name", "many_arguments", "order_many"]


def many_arguments(parser: argparse.ArgumentParser) -> None:
    """Those of an order for all workers that match."""
    parser.add_argument("--expect", type=int, metavar="N", help="all that match: do nothing if they are not so many")
    parser.add_argument("--yes", action="store_true", help="all that match: do it; otherwise they are only counted")


def order_many(call: Invocation, wanted: Mapping[str, str], said: Mapping[str, Any]) -> CommandExit:
    """Counts them, or with ``--yes`` orders all of them about. ``said``: what the order says."""
    options = call.options
    more = {**said, "filter": dict(wanted), "expect": options.expect, "dry_run": not options.yes}
    operation = _begun(call, more)
    if options.yes:
        call.resume = f"The server goes on with the operation {operation['id']}."
        operation = until_ended(call, operation)
        call.resume = ""
    return operation_shown(call, operation, "workers")


def _begun(call: Invocation, more: Mapping[str, Any]) -> dict[str, Any]:
    body = {"action": call.options.order, "reason": call.options.reason, **more}
    asked = HttpCall("POST", path_of("workers", "actions"), json.dumps(body).encode())
    operation: dict[str, Any] = call.fields(asked, "matched", "done", "skipped", "operation")["operation"]
    return operation


def forget_by_name(call: Invocation, name: str) -> CommandExit:
    """Forgets one that has gone, of which the server may know nothing else."""
    operation = until_ended(call, _begun(call, {"ids": [f"name:{name}"]}))
    if operation["done"]:
        call.out.item(operation) if call.out.form == "json" else call.out.line(name)
        return CommandExit.DONE
    here = "wrong_state" in operation["skipped"]
    why = "it is here, or blocked" if here else "no worker of this name has gone"
    call.out.complain(f"pagehand: {name}: {why}")
    return CommandExit.FAILED

"""An order for workers, as it is typed: a part of ``workers``. For one and for many it says the same."""

from __future__ import annotations

import argparse
import json
import re
from typing import Any

from ...client.exchange import HttpCall, path_of
from ..exits import CommandExit, UsageFault
from ..invocation import Invocation
from .manyworkers import forget_by_name

__all__ = ["WORKER_ORDERS", "body_of", "check_order", "order_arguments", "order_one"]

WORKER_ORDERS = ("pause", "resume", "drain", "reload", "block", "unblock", "forget", "rename", "labels", "test")
_ID = re.compile(r"[0-9a-f]{32}")
#: The options that belong to one order, by their names here.
_OWN = {"to": "rename", "set": "labels", "unset": "labels", "example": "test", "now": "reload"}
_ONE_NAME = "workers rename is for one worker: of several with one name any would get the jobs that are for it"


def order_arguments(parser: argparse.ArgumentParser) -> None:
    """Those of an order."""
    add = parser.add_argument
    add("--reason", default="", metavar="TEXT", help="why; the audit log has it, and the person at a paused page")
    add("--now", action="store_true", help="reload: at once, whatever the page does")
    add("--to", metavar="NAME", help="rename: its name; an empty one takes back what was given")
    add("--set", action="append", metavar="LABEL:VALUE", help="labels: set this one, leave the others; may be repeated")
    add("--unset", action="append", metavar="LABEL", help="labels: take back what --set has said; may be repeated")
    add("--example", metavar="TYPE", help="test: with the example of this task (else the first that it offers)")


def check_order(call: Invocation, *, many: bool) -> None:
    """Raises UsageFault if the options do not belong to the order, or say too little."""
    options = call.options
    for name, order in _OWN.items():
        if getattr(options, name) not in (None, False) and options.order != order:
            raise UsageFault(f"--{name} belongs to workers {order}")
    if many and options.now:
        raise UsageFault("--now is for workers by name: of many each page loads anew when it is idle")
    if options.order == "labels" and not (options.set or options.unset):
        raise UsageFault("workers labels needs --set LABEL:VALUE or --unset LABEL")
    if options.order == "rename" and options.to is None:
        raise UsageFault("workers rename needs --to NAME")
    if options.order == "rename" and (many or len(options.ids) != 1):
        raise UsageFault(_ONE_NAME)


def body_of(options: argparse.Namespace) -> dict[str, Any]:
    """What the order says, for one worker or for many."""
    body: dict[str, Any] = {"reason": options.reason} if options.reason else {}
    if options.order == "rename":
        body["name"] = options.to or None
    elif options.order == "labels":
        body["labels"] = dict.fromkeys(options.unset or ()) | dict(map(_label, options.set or ()))
    elif options.order == "test" and options.example:
        body["type"] = options.example
    elif options.order == "reload" and options.now:
        body["now"] = True
    return body


def _label(word: str) -> tuple[str, str]:
    label, colon, value = word.partition(":")
    if not (label and colon and value):
        raise UsageFault(f"{word!r} is no label: write it as site:berlin")
    return label, value


def order_one(call: Invocation, word: str) -> CommandExit:
    """Orders one about; prints its id, or that of its test job."""
    order = call.options.order
    found = [word] if _ID.fullmatch(word) else [item["id"] for item in call.client.workers(label=f"name:{word}")]
    ids = [worker_id for worker_id in found if worker_id]
    if order == "forget" and not ids:
        return forget_by_name(call, word)
    if len(ids) != 1:
        several = f"{len(ids)} workers here have this name; give an id"
        none = "no worker here has this name: `pagehand workers` lists them"
        call.out.complain(f"pagehand: {word}: {several if ids else none}")
        return CommandExit.FAILED
    body = json.dumps(body_of(call.options)).encode()
    patched = order in ("rename", "labels")
    asked = HttpCall("PATCH", path_of("workers", ids[0]), body) if patched else None
    text = call.ask(asked or HttpCall("POST", path_of("workers", ids[0], order), body))
    call.out.json(text) if call.out.form == "json" else call.out.line(json.loads(text)["id"])
    return CommandExit.DONE

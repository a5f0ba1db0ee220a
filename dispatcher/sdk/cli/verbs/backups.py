"""``backup``: has the server back its store up, and waits until that is done."""

from __future__ import annotations

import argparse
from typing import Any

from ...client.exchange import HttpCall, path_of
from ..exits import CommandExit
from ..invocation import Invocation
from ..text import instant
from ..verb import Verb

__all__ = ["BACKUP"]

_LOOK_S = 0.5
_KIB = 1024
_EXAMPLES = """\
examples:
  pagehand backup
  pagehand backup --list
"""


def _arguments(parser: argparse.ArgumentParser) -> None:
    does = parser.add_mutually_exclusive_group()
    does.add_argument("--no-wait", action="store_true", help="only begin")
    does.add_argument("--list", action="store_true", help="make none: list those that are kept, the newest first")


def _backup(call: Invocation) -> int:
    if call.options.list:
        return _list(call)
    backup = _ask(call, "POST", path_of("backups"))
    if not call.options.no_wait:
        call.resume = f"The server goes on with {backup['name']}: pagehand backup --list"
        backup = _until_done(call, backup)
        call.resume = ""
    if call.out.chosen("id") == "json":
        call.out.item(backup)
    else:
        call.out.line(backup["name"])
    if backup["state"] == "failed":
        call.out.complain(f"pagehand: the backup {backup['name']} failed: {backup['detail']}")
        return CommandExit.FAILED
    return CommandExit.DONE


def _until_done(call: Invocation, backup: dict[str, Any]) -> dict[str, Any]:
    total = backup["bytes"] // _KIB or None
    with call.out.bar(total, "KiB", silent=True) as bar:
        while True:
            bar.at((backup["copied_bytes"] or 0) // _KIB)
            if backup["state"] != "running":
                return backup
            call.sleep(_LOOK_S)
            backup = _ask(call, "GET", path_of("backups", backup["name"]))


def _list(call: Invocation) -> int:
    items = call.fields(HttpCall("GET", path_of("backups")), "items")["items"]
    form = call.out.chosen("id")
    if form == "table":
        rows = ((item["name"], item["state"], item["bytes"], instant(item["begun_at"])) for item in items)
        call.out.table(("NAME", "STATE", "BYTES", "BEGUN (UTC)"), rows)
    for item in items if form != "table" else ():
        call.out.item(item) if form == "json" else call.out.line(item["name"])
    return CommandExit.DONE


def _ask(call: Invocation, method: str, path: str) -> dict[str, Any]:
    return call.fields(HttpCall(method, path), "name", "state", "bytes", "copied_bytes", "detail")


BACKUP = Verb("backup", "back the server's store up, and print the backup's name", _arguments, _backup, _EXAMPLES)

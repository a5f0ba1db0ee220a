"""``workers rollout``: pages with old tasks load anew, some at a time; tells how far it is until it ends."""

from __future__ import annotations

import argparse
import json
from typing import Any

from ...client.exchange import HttpCall, path_of
from ..exits import CommandExit
from ..invocation import Invocation

__all__ = ["ROLLOUT", "roll_out", "rollout_arguments"]

#: The order's name.
ROLLOUT = "rollout"
_LOOK_S = 1.0


def rollout_arguments(parser: argparse.ArgumentParser) -> None:
    """Its flags among those of ``workers``."""
    add = parser.add_argument
    add("--at-a-time", type=int, default=5, metavar="N", help="rollout: pages that load anew at once (%(default)s)")
    add(
        "--canary", action="store_true", help="rollout: one page, then three; go back if they fail more than the others"
    )
    add("--without", action="append", default=[], metavar="LABEL:VALUE", help="rollout: leave out pages with it")
    does = parser.add_mutually_exclusive_group()
    does.add_argument("--no-wait", action="store_true", help="rollout: only begin")
    does.add_argument("--stop", action="store_true", help="rollout: begin none, stop the one that runs")
    does.add_argument("--release", action="store_true", help="rollout: begin none, offer what failed all the same")


def roll_out(call: Invocation) -> int:
    """Begins one and waits for its end, or stops it. Ends with 1 if it stopped."""
    options = call.options
    if options.release:
        return _release(call)
    if options.stop:
        told = _ask(call, "POST", {}, "stop")
    else:
        order = {name: getattr(options, name) for name in ("at_a_time", "canary", "without", "reason")}
        told = _ask(call, "POST", order)
        if not options.no_wait:
            call.resume = "The server goes on: pagehand workers rollout --stop ends it"
            told = _until_over(call, told)
            call.resume = ""
    if call.out.chosen("text") == "json":
        call.out.item(told)
    else:
        call.out.line(told["sentence"])
    return CommandExit.FAILED if told["state"] == "stopped" and not options.stop else CommandExit.DONE


def _release(call: Invocation) -> int:
    told = _ask(call, "POST", {}, "release")
    if call.out.chosen("text") == "json":
        call.out.item(told)
    else:
        call.out.line("All task files are offered as they are.")
    return CommandExit.DONE


def _until_over(call: Invocation, told: dict[str, Any]) -> dict[str, Any]:
    total = told["reloaded"] + len(told["reloading"]) + told["left"]
    with call.out.bar(total or None, "pages", silent=True) as bar:
        while told["state"] in ("running", "going_back"):
            bar.at(told["reloaded"])
            call.sleep(_LOOK_S)
            told = _ask(call, "GET", None)
        return told


def _ask(call: Invocation, method: str, body: dict[str, Any] | None, *names: str) -> dict[str, Any]:
    data = None if body is None else json.dumps(body).encode()
    told = call.fields(HttpCall(method, path_of("rollout", *names), data), "rollout")["rollout"]
    return dict(told)

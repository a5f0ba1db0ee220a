"""``status`` and ``failures``: whether all is well, and what jobs fail with."""

from __future__ import annotations

import argparse
from typing import Any

from ...client.exchange import HttpCall, path_of
from ..exits import CommandExit
from ..invocation import Invocation
from ..text import instant
from ..verb import Verb

__all__ = ["FAILURES", "STATUS"]

_STATUS_EXAMPLE = """\
Ends with 0 if all is well, and with 1 if there is something to look at.

example:
  pagehand status -o json
"""
_FAILURES_EXAMPLE = """\
example:
  pagehand failures --type print-label -o id | pagehand retry -
"""


def _no_arguments(parser: argparse.ArgumentParser) -> None:
    """It takes none."""
    del parser


def _status(call: Invocation) -> int:
    asked = HttpCall("GET", path_of("overview"))
    seen = call.fields(asked, "well", "sentence", "problems")
    if call.out.form == "json":
        call.out.item(seen)
    else:
        call.out.line(seen["sentence"])
        for problem in seen["problems"]:
            call.out.line(f"- {problem['sentence']}")
    return CommandExit.DONE if seen["well"] else CommandExit.FAILED


STATUS = Verb("status", "whether all is well, or what to look at", _no_arguments, _status, _STATUS_EXAMPLE)


def _failures_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--type", metavar="TYPE", help="only of this type")


def _failures(call: Invocation) -> int:
    asked = HttpCall("GET", path_of("failures", type=call.options.type))
    items: list[dict[str, Any]] = call.fields(asked, "items")["items"]
    form = call.out.chosen("id")
    if form == "table":
        rows = ((item["jobs"], item["type"], instant(item["last_at"]), item["message"]) for item in items)
        call.out.table(("JOBS", "TYPE", "LAST", "WHAT THEY FAILED WITH"), rows)
        return CommandExit.DONE
    for item in items:
        if form == "json":
            call.out.item(item)
        else:
            for job_id in item["ids"]:
                call.out.line(job_id)
    return CommandExit.DONE


FAILURES = Verb(
    "failures", "the newest failed jobs, by what they failed with", _failures_arguments, _failures, _FAILURES_EXAMPLE
)

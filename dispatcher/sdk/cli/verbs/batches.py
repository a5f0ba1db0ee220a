"""``batches``: how far jobs are that were submitted together, and what has become of them."""

from __future__ import annotations

import argparse

from ...client.client import Batch
from ...client.exchange import HttpCall, path_of
from ..exits import CommandExit
from ..invocation import Invocation
from ..verb import Verb, add_wait
from .waiting import limit_of

__all__ = ["BATCHES"]

_EXAMPLE = """\
example:
  pagehand batches --wait=10m --results 01a2b3c4
"""


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ids", nargs="+", metavar="ID", help="a batch's id or address; - reads ids from standard input")
    parser.add_argument("--results", action="store_true", help="a line of JSON for each of its jobs, in their order")
    add_wait(parser)


def _batches(call: Invocation) -> int:
    return call.each(lambda batch_id: _shown(call, batch_id))


def _shown(call: Invocation, batch_id: str) -> CommandExit:
    batch = call.client.batch(batch_id)
    time_s = call.options.wait
    in_time = time_s is None or batch.wait(limit_of(time_s))
    if call.options.results:
        for result in batch.results():
            call.out.item(result)
    elif call.out.chosen("table") == "json":
        call.out.json(call.ask(HttpCall("GET", path_of("batches", batch_id))))
    else:
        call.out.line(batch.id if call.out.form == "id" else _line(batch))
    if not in_time:
        call.out.complain(f"pagehand: the batch {batch_id} is not over after {time_s:g} s. It goes on")
        return CommandExit.TIMEOUT
    failed = time_s is not None and batch.counts.get("succeeded", 0) < batch.jobs
    return CommandExit.FAILED if failed else CommandExit.DONE


def _line(batch: Batch) -> str:
    counts = ", ".join(f"{count:,} {state.replace('_', ' ')}" for state, count in batch.counts.items())
    return f"{batch.id}  {'over' if batch.ended else 'goes on'}  {counts}"


BATCHES = Verb("batches", "how far batches are, and their results", _arguments, _batches, _EXAMPLE)

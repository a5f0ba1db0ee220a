"""``wait`` and ``result``: the end of jobs."""

from __future__ import annotations

import argparse
import json
import queue
from collections.abc import Callable
from contextlib import closing
from typing import Any

from ...client.answers import outcome_of
from ...client.client import Job
from ...client.errors import JobUnsuccessful, PagehandClientError
from ...client.exchange import HttpCall, path_of
from ...client.watch import Watcher
from ..exits import CommandExit, exit_of, words_of_error
from ..invocation import Invocation
from ..verb import FOREVER_S, Verb, add_ids, add_wait, limit

__all__ = ["RESULT", "WAIT", "end_of", "limit_of", "state_of", "wait_for"]

_CONNECTIONS = 8
#: On Windows Ctrl-C does not end the waiting for a queue.
_LOOK_S = 0.5
_RESULT_EXAMPLES = """\
examples:
  pagehand result "$JOB" --wait=10m
  pagehand result "$JOB" --raw > label.txt
"""
_WAIT_EXAMPLES = """\
examples:
  pagehand wait "$JOB" --timeout 1h
  pagehand wait - --any < ids.txt
"""


def limit_of(time_s: float) -> float | None:
    """How long to wait, for the client."""
    return None if time_s == FOREVER_S else time_s


def state_of(job: Job) -> str:
    """Its state, and why it waits."""
    return f"{job.state} ({job.fields['waits']})" if job.fields.get("waits") else job.state


def end_of(call: Invocation, job: Job, time_s: float) -> CommandExit:
    """Waits, and shows the result, or the job as -o wants it. Raises what became of it instead."""
    call.unfinished[job.id] = job
    over = job.wait(limit_of(time_s))
    if not over:
        return _not_over(call, job, time_s)
    call.unfinished.clear()
    if call.out.form == "json":
        call.out.json(call.ask(HttpCall("GET", path_of("jobs", job.id))))
    elif call.out.form:
        call.out.line(job.id if call.out.form == "id" else f"{job.id}  {job.type}  {job.state}")
    elif job.state == "succeeded":
        _print_result(call, job.id)
    outcome_of(job)
    return CommandExit.DONE


def _not_over(call: Invocation, job: Job, time_s: float) -> CommandExit:
    call.out.complain(
        f"pagehand: the job {job.id} ({job.type}) is not over after {time_s:g} s: it is {state_of(job)}. "
        f"It goes on: {job.url} To wait again: pagehand wait {job.id}"
    )
    return CommandExit.TIMEOUT


def _print_result(call: Invocation, job_id: str) -> None:
    """In the letters that the page sent."""
    text = call.ask(HttpCall("GET", path_of("jobs", job_id, "result")))
    if getattr(call.options, "raw", False) and text.startswith('"'):
        call.out.text(json.loads(text))
    else:
        call.out.json(text)


# -- result


def _result_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="a job's id or address")
    parser.add_argument("-r", "--raw", action="store_true", help="a text without its quotation marks")
    add_wait(parser)


def _result(call: Invocation) -> int:
    job = call.client.job(call.one_id())
    if not job.over and call.options.wait is None:
        call.out.complain(f"pagehand: {job.id} is {state_of(job)}: it has no result yet. Use --wait to wait for it")
        return CommandExit.TIMEOUT
    return end_of(call, job, call.options.wait or 0.0)


RESULT = Verb("result", "the result of a job", _result_arguments, _result, _RESULT_EXAMPLES)

# -- wait


def _wait_arguments(parser: argparse.ArgumentParser) -> None:
    add_ids(parser)
    parser.add_argument("--timeout", type=limit, default=FOREVER_S, metavar="TIME", help="how long (no end)")
    parser.add_argument("--any", action="store_true", help="until the first of them is over")


def _wait(call: Invocation) -> int:
    ids = list(dict.fromkeys(call.ids()))
    return wait_for(call, ids, call.options.timeout, first_only=call.options.any)


def wait_for(call: Invocation, ids: list[str], time_s: float, *, first_only: bool = False) -> int:
    """Waits for all, and shows each as it ends."""
    ended: queue.Queue[tuple[str, Any]] = queue.Queue()
    client, until = call.client, call.clock() + time_s
    for job_id in ids:
        call.unfinished[job_id] = Job(client, {"id": job_id})
    status = CommandExit.DONE
    ask = lambda job_id, wait_s: client._do(client._plans.job(job_id, wait_s=wait_s))  # noqa: E731
    with closing(Watcher(ask, _CONNECTIONS)) as watcher, call.out.bar(len(ids)) as bar:
        for job_id in ids:
            watcher.watch(job_id, _teller(ended, job_id))
        while call.unfinished:
            news = _next(call, ended, until)
            if news is None:
                return _some_left(call, len(ids), time_s, status)
            one = _ended(call, *news)
            status = status or one
            bar.step()
            if first_only:
                call.unfinished.clear()
    return status


def _teller(ended: queue.Queue[tuple[str, Any]], job_id: str) -> Callable[[Any], None]:
    return lambda news: ended.put((job_id, news))


def _next(call: Invocation, ended: queue.Queue[tuple[str, Any]], until: float) -> tuple[str, Any] | None:
    """The next one that is over; None when the time is."""
    while True:
        left_s = until - call.clock()
        try:
            return ended.get(timeout=max(0.0, min(left_s, _LOOK_S)))
        except queue.Empty:
            if left_s <= _LOOK_S:
                return None


def _ended(call: Invocation, job_id: str, news: dict[str, Any] | PagehandClientError) -> CommandExit:
    if isinstance(news, PagehandClientError):
        status = exit_of(news)
        if status in (CommandExit.DENIED, CommandExit.UNREACHABLE):
            raise news
        call.unfinished.pop(job_id, None)
        call.out.complain(f"pagehand: {job_id}: {words_of_error(news)}")
        return status
    call.unfinished.pop(job_id, None)
    job = Job(call.client, news)
    form = call.out.chosen("id")
    if form == "json":
        call.out.json(call.ask(HttpCall("GET", path_of("jobs", job_id))))
    else:
        call.out.line(job.id if form == "id" else f"{job.id}  {job.state}")
    try:
        outcome_of(job)
    except JobUnsuccessful as error:
        call.out.complain(f"pagehand: {error}")
        return CommandExit.FAILED
    return CommandExit.DONE


def _some_left(call: Invocation, total: int, time_s: float, status: CommandExit) -> CommandExit:
    job_id = next(iter(call.unfinished))
    left = f"{len(call.unfinished)} of {total} jobs are not over after {time_s:g} s, among them {job_id}"
    call.out.complain(f"pagehand: {left}. They go on: `pagehand get {job_id}` says why it waits")
    call.unfinished.clear()
    return status or CommandExit.TIMEOUT


WAIT = Verb("wait", "wait until jobs are over", _wait_arguments, _wait, _WAIT_EXAMPLES)

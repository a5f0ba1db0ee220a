"""``cancel``, ``retry``, ``set``, ``duplicate`` and ``rm``: what is done to jobs that are there."""

from __future__ import annotations

import argparse
import json
from typing import Any

from ...client.exchange import HttpCall, path_of
from ..exits import CommandExit, UsageFault
from ..invocation import Invocation
from ..jobtext import data_of, job_body, requires_of, terms_of
from ..verb import Verb, add_ids, add_terms, add_wait, seconds
from .submitting import add_data, send_job

__all__ = ["CANCEL", "DUPLICATE", "RETRY", "RM", "SET"]

_CANCEL_EXAMPLES = """\
example:
  pagehand list --all --state queued --type ocr | pagehand cancel - --reason "wrong scans"
"""
_RETRY_EXAMPLES = """\
examples:
  pagehand retry "$JOB"
  pagehand list --all --state failed --since 1h | pagehand retry - --reason "new toner"
"""
_RM_EXAMPLES = """\
examples:
  pagehand rm "$JOB"
  pagehand list --all --state cancelled --type ocr | pagehand rm - --free-key
"""
_SET_EXAMPLE = """\
example:
  pagehand set "$JOB" --priority 9 --expires-s 1h
"""
_DUPLICATE_EXAMPLE = """\
example:
  pagehand duplicate "$JOB" --data @corrected.json --wait
"""


def _shown(call: Invocation, fields: dict[str, Any]) -> CommandExit:
    """A job to which something was done."""
    form = call.out.chosen("id")
    if form == "json":
        call.out.item(fields)
    else:
        call.out.line(fields["id"] if form == "id" else f"{fields['id']}  {fields['state']}")
    return CommandExit.DONE


def _act(call: Invocation, action: str, body: dict[str, Any]) -> CommandExit:
    client = call.client
    return call.each(lambda job_id: _shown(call, client._do(client._plans.act(job_id, action, body))))


def _cancel_arguments(parser: argparse.ArgumentParser) -> None:
    add_ids(parser)
    parser.add_argument("--reason", metavar="TEXT", help="why; the job shows it")


def _retry_arguments(parser: argparse.ArgumentParser) -> None:
    add_ids(parser)
    parser.add_argument("--reason", metavar="TEXT", help="why; the audit log keeps it")


CANCEL = Verb(
    "cancel",
    "end jobs, also those that run",
    _cancel_arguments,
    lambda call: _act(call, "cancel", {"reason": call.options.reason}),
    _CANCEL_EXAMPLES,
)
RETRY = Verb(
    "retry",
    "give jobs another round that failed, expired or were cancelled",
    _retry_arguments,
    lambda call: _act(call, "retry", {"reason": call.options.reason}),
    _RETRY_EXAMPLES,
)

# -- rm


def _rm_arguments(parser: argparse.ArgumentParser) -> None:
    add_ids(parser)
    parser.add_argument(
        "--free-key", action="store_true", help="also if its key is young: the same submission would then run again"
    )


def _rm(call: Invocation) -> int:
    return call.each(lambda job_id: _rm_one(call, job_id))


def _rm_one(call: Invocation, job_id: str) -> CommandExit:
    client = call.client
    client._do(client._plans.remove(job_id, free_key=call.options.free_key))
    call.out.line(job_id) if call.out.form != "json" else call.out.item({"id": job_id})
    return CommandExit.DONE


RM = Verb("rm", "remove jobs that have ended, with all that belongs to them", _rm_arguments, _rm, _RM_EXAMPLES)

# -- set


def _set_arguments(parser: argparse.ArgumentParser) -> None:
    add_ids(parser)
    add = parser.add_argument
    add("--priority", type=int, metavar="N", help="-1000 to 1000: higher ones first")
    add("--delay-s", type=seconds, metavar="TIME", help="it does not start earlier, from now on; 0: at once")
    add("--expires-s", type=_expiry, metavar="TIME", help="it does not start later, from now on; never takes this away")
    requires = parser.add_mutually_exclusive_group()
    requires.add_argument("--requires", action="append", metavar="LABEL:VALUE", help="instead of what it required")
    requires.add_argument("--any-worker", action="store_true", help="it requires nothing")
    tags = parser.add_mutually_exclusive_group()
    tags.add_argument("--tag", action="append", metavar="TEXT", help="a tag instead of those that it had (repeat it)")
    tags.add_argument("--no-tags", action="store_true", help="it has no tags")
    add("--reason", metavar="TEXT", help="why; the audit log keeps it")


_CHANGES = "--priority, --delay-s, --expires-s, --requires, --any-worker, --tag or --no-tags"


def _expiry(text: str) -> float | str:
    return "never" if text == "never" else seconds(text)


def _set(call: Invocation) -> int:
    options = call.options
    names = ("priority", "delay_s", "expires_s")
    fields = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    if fields.get("expires_s") == "never":
        fields["expires_s"] = None
    if options.requires or options.any_worker:
        fields["requires"] = requires_of(options.requires or [])
    if options.tag or options.no_tags:
        fields["tags"] = options.tag or []
    if not fields:
        raise UsageFault(f"say what is to be different: {_CHANGES}")
    if options.reason:
        fields["reason"] = options.reason
    body = json.dumps(fields).encode()

    def change(job_id: str) -> CommandExit:
        return _shown(call, call.fields(HttpCall("PATCH", path_of("jobs", job_id), body), "id", "state"))

    return call.each(change)


SET = Verb("set", "change jobs that wait", _set_arguments, _set, _SET_EXAMPLE)

# -- duplicate


def _duplicate_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="a job's id or address")
    parser.add_argument("--type", help="another type")
    add_data(parser)
    parser.add_argument("--key", help="the same key means the same job")
    add_wait(parser)
    add_terms(parser)


def _duplicate(call: Invocation) -> int:
    options = call.options
    fields = terms_of(options) | ({"type": options.type} if options.type is not None else {})
    return send_job(call, path_of("jobs", call.one_id(), "duplicate"), job_body(fields, data_of(options, call.stdin)))


DUPLICATE = Verb(
    "duplicate",
    "submit a job like another one, with what is to be different",
    _duplicate_arguments,
    _duplicate,
    _DUPLICATE_EXAMPLE,
)

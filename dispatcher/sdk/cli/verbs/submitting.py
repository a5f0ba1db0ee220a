"""``submit``: one job, or a file of them."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator

from ...client.answers import fields_of
from ...client.client import Job
from ...client.errors import RequestRefused
from ...client.exchange import HttpCall, path_of
from ...client.mapping import batches
from ...client.plans import key_or_new
from ..exits import CommandExit, UsageFault
from ..invocation import Invocation, decoded
from ..jobtext import checked_json, data_of, file_at, job_body, terms_of
from ..verb import Verb, add_terms, add_wait
from .waiting import end_of, state_of, wait_for

__all__ = ["SUBMIT", "add_data", "send_job"]

_CHUNK = 500
#: Where the statuses begin that do not say whether it was done.
_OF_THE_SERVER = 500
_EXAMPLES = """\
examples:
  pagehand submit word-count --text "to be or not to be" --wait
  pagehand submit print-label --data @label.json --requires site:berlin
  pagehand submit print-label --ndjson labels.ndjson --key labels-of-monday
"""


def add_data(parser: argparse.ArgumentParser) -> argparse._MutuallyExclusiveGroup:
    """The ways to give data; only one of them counts."""
    data = parser.add_mutually_exclusive_group()
    data.add_argument("--data", metavar="JSON", help="the data: JSON, @FILE, or - for standard input")
    data.add_argument("--text", metavar="TEXT", help="the data: a text, without quotation marks of its own")
    return data


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("type", nargs="?", metavar="TYPE", help="the job's type; a file of whole jobs needs none")
    add_data(parser).add_argument(
        "--ndjson", metavar="FILE", help="many jobs: the data of one on each line, or (without TYPE) a whole job"
    )
    parser.add_argument("--key", help="the same key means the same job: submit again after a broken connection")
    add_wait(parser)
    add_terms(parser)


def _submit(call: Invocation) -> int:
    options = call.options
    if options.ndjson is not None:
        return _submit_file(call)
    if options.type is None:
        raise UsageFault("say which type the job has: pagehand submit TYPE (`pagehand types` lists them)")
    body = job_body({"type": options.type, **terms_of(options)}, data_of(options, call.stdin))
    return send_job(call, path_of("jobs"), body)


def key_of(options: argparse.Namespace) -> str:
    """The key that was given, or one that nobody else has. Raises UsageFault."""
    try:
        return key_or_new(options.key)
    except ValueError as error:
        raise UsageFault(str(error)) from error


def send_job(call: Invocation, path: str, body: bytes) -> int:
    """Submits with a key, shows the job, and waits for it if that was asked for."""
    options, out = call.options, call.out
    key = key_of(options)
    call.resume = f"It is not known whether the job was taken: submit it again with --key {key}"
    try:
        answer = call.ask(HttpCall("POST", path, body, key))
    except RequestRefused as error:
        if error.status < _OF_THE_SERVER:  # it says no: nothing was taken
            call.resume = ""
        raise
    job = Job(call.client, fields_of(json.loads(answer), "id", "type", "state"))
    call.resume = ""
    if options.wait is not None:
        out.tell(f"{job.id} is {job.state}: {job.url}")
        return end_of(call, job, options.wait)
    if (form := out.form or "id") == "json":
        out.json(answer)
    else:
        out.line(job.id if form == "id" else f"{job.id}  {job.type}  {job.state}")
    out.tell(f"It is {state_of(job)}: {job.url}")
    return CommandExit.DONE


# -- many jobs


def _submit_file(call: Invocation) -> int:
    options, out = call.options, call.out
    key = key_of(options)
    ids: list[str] = []
    with out.bar(None, silent=options.wait is not None) as bar:
        try:
            for number, bodies in enumerate(batches(_bodies(call), _CHUNK)):
                call.resume = f"{len(ids)} jobs are submitted. Run it again with --key {key}: no job is taken twice"
                for job in call.client._submit_bodies(bodies, f"{key}-{number}"):
                    ids.append(job.id)
                    bar.step()
                    if options.wait is None:
                        _show(call, job)
        except BaseException:
            call.resume = f"{len(ids)} jobs are submitted. Run it again with --key {key}: no job is taken twice"
            raise
    out.tell(f"{len(ids)} jobs are submitted.")
    call.resume = ""
    return CommandExit.DONE if options.wait is None else wait_for(call, ids, options.wait)


def _show(call: Invocation, job: Job) -> None:
    form = call.out.chosen("id")
    if form == "json":
        call.out.item(job.fields)
    else:
        call.out.line(job.id if form == "id" else f"{job.id}  {job.type}  {job.state}")


def _bodies(call: Invocation) -> Iterator[bytes]:
    """One for each line that is not empty. Raises UsageFault with the number of a bad one."""
    options = call.options
    fields = {"type": options.type, **terms_of(options)}
    if options.type is None and len(fields) > 1:
        raise UsageFault("without TYPE each line is a whole job with its terms: leave the terms out, or name the type")
    for number, line in enumerate(_lines(call), 1):
        if not (text := line.strip()):
            continue
        checked_json(text, f"line {number} of {options.ndjson}")
        yield job_body(fields, text) if options.type is not None else text.encode()


def _lines(call: Invocation) -> Iterator[str]:
    if call.options.ndjson == "-":
        yield from map(decoded, call.stdin)
        return
    with file_at(call.options.ndjson).open("rb") as file:
        utf16 = file.read(2) in (b"\xff\xfe", b"\xfe\xff")
    with file_at(call.options.ndjson).open(encoding="utf-16" if utf16 else "utf-8-sig", newline="\n") as text:
        try:
            yield from text
        except UnicodeDecodeError as error:
            raise UsageFault(f"{call.options.ndjson} is neither UTF-8 nor UTF-16 with its mark: {error}") from error


SUBMIT = Verb("submit", "submit a job, or a file of them", _arguments, _submit, _EXAMPLES)

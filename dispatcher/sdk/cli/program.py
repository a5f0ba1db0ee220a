"""The program of the verbs: reads what was typed, runs one, and ends with its status."""

from __future__ import annotations

import argparse
import difflib
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO, NoReturn

from .. import __version__
from ..client.errors import PagehandClientError
from .exits import CommandExit, ReaderGone, UsageFault, exit_of, words_of_error
from .invocation import Invocation
from .output import Output
from .verb import COMMON, Verb, VerbGroup, add_common, limit
from .verbs.acting import CANCEL, DUPLICATE, RETRY, RM, SET
from .verbs.backups import BACKUP
from .verbs.batches import BATCHES
from .verbs.completion import COMPLETION, completions
from .verbs.following import EVENTS, WATCH
from .verbs.looking import STATS, TYPES, WORKERS
from .verbs.many import ACT
from .verbs.reading import GET, LIST
from .verbs.status import FAILURES, STATUS
from .verbs.storecheck import RESTORE_CHECK
from .verbs.submitting import SUBMIT
from .verbs.tokens import TOKEN
from .verbs.top import TOP
from .verbs.waiting import RESULT, WAIT
from .verbs.webhooks import WEBHOOK

__all__ = ["GROUPS", "PROGRAMS", "VerbParser", "flags", "make_parser", "run"]

GROUPS = (
    VerbGroup("Jobs", (SUBMIT, GET, RESULT, WAIT, WATCH, LIST, CANCEL, RETRY, SET, DUPLICATE, RM, ACT, BATCHES)),
    VerbGroup("The server", (STATUS, FAILURES, WORKERS, TYPES, STATS, TOP, EVENTS, BACKUP, TOKEN, WEBHOOK)),
    VerbGroup("This machine", (RESTORE_CHECK, COMPLETION)),
)
#: Programs with flags of their own; ``__main__`` runs them.
PROGRAMS = {
    "serve": "run the server (`pagehand serve --help` lists its settings)",
    "migrate": "bring a store to this version's schema, and end (flags as those of serve)",
    "move": "move a store from its file into a PostgreSQL database, and end",
    "simulate": "play worker pages, and load, against a server",
    "doctor": "say what is wrong with a server, or on the way to it",
}
_EPILOG = """\
`pagehand COMMAND --help` explains each. The server: --url, --token, PAGEHAND_URL, PAGEHAND_TOKEN,
or the file of settings. Data goes to standard output, talk to standard error.
Ends with 0 done, 1 a job failed, 2 cannot be used, 3 not in time, 4 no server, 5 not allowed.
"""


class VerbParser(argparse.ArgumentParser):
    """Says what was meant, and groups the verbs in its help."""

    def error(self, message: str) -> NoReturn:
        """Ends with 2."""
        found = re.search(r"invalid choice: '(.*?)' \(choose from (.*)\)", message)
        if found and (near := difflib.get_close_matches(found[1], re.findall(r"[\w-]+", found[2]), 1)):
            message = f"{found[1]} is not known: did you mean {near[0]}?"
        self.exit(CommandExit.USAGE, f"{self.prog}: {message}\nTry `{self.prog} --help`.\n")


class _TopParser(VerbParser):
    def format_help(self) -> str:
        """The verbs by group."""
        lines = ["usage: pagehand COMMAND ...", "", "Hands jobs to workers that are web pages."]
        for title, verbs in _contents():
            lines += ["", f"{title}:", *(f"  {name:<14} {text}" for name, text in verbs)]
        return "\n".join([*lines, "", _EPILOG])


def _contents() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    *verbs, last = [(group.title, [(verb.name, verb.help) for verb in group.verbs]) for group in GROUPS]
    yield from verbs
    yield last[0], [*last[1], *PROGRAMS.items()]


def make_parser() -> argparse.ArgumentParser:
    """The whole tree."""
    parser = _TopParser(prog="pagehand", allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"pagehand {__version__}")
    add_common(parser)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=VerbParser)
    for name, text in PROGRAMS.items():
        commands.add_parser(name, help=text, add_help=False)
    for group in GROUPS:
        for verb in group.verbs:
            _add(commands, verb)
    return parser


def _add(commands: Any, verb: Verb) -> None:
    parser = commands.add_parser(
        verb.name,
        help=verb.help,
        description=verb.help[0].upper() + verb.help[1:] + ".",
        epilog=verb.examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    verb.arguments(parser)
    add_common(parser)
    parser.set_defaults(run=verb.run)


def flags() -> set[str]:
    """Every long flag of every verb."""
    known = completions(make_parser()).commands.values()
    return {word for words in known for word in words if word.startswith("--")}


def run(words: Sequence[str], *, out: Output | None = None, stdin: BinaryIO | None = None, **time: Any) -> int:
    """Runs one verb; returns the exit status. ``time``: the clock of tests."""
    out = out or _standard_output(os.environ)
    if not words:
        out.complain(make_parser().format_help())
        return CommandExit.USAGE
    if words[0] == "help":
        words = [*words[1:2], "--help"]
    try:
        typed = [_whole(word) for word in _with_wait(words)]
    except UnicodeError:
        out.complain("pagehand: what was typed is not UTF-8: put it into a file, and write --data @FILE")
        return CommandExit.USAGE
    options = argparse.Namespace(**{**COMMON, **vars(_parsed(typed))})
    out.form, out.quiet = options.form, options.quiet
    with Invocation(options, out, stdin or sys.stdin.buffer, **time) as call:
        return _guarded(call)


def _parsed(words: Sequence[str]) -> argparse.Namespace:
    """What was typed. Of a flag that there is not the verb speaks, which knows its own."""
    parser = make_parser()
    options, strange = parser.parse_known_args(words)
    if strange:
        flags = [word for word in completions(parser).commands[options.command] if word.startswith("--")]
        near = difflib.get_close_matches(strange[0].partition("=")[0], flags, 1)
        message = f"{strange[0]} is not known: did you mean {near[0]}?" if near else ""
        VerbParser(prog=f"pagehand {options.command}").error(message or f"unrecognized arguments: {' '.join(strange)}")
    return options


def _guarded(call: Invocation) -> int:
    try:
        status: int = call.options.run(call)
        call.out.flush()
        return status
    except ReaderGone as gone:
        call.out.abandon()
        if gone.why:
            call.out.complain(f"pagehand: standard output: {gone.why}")
            return CommandExit.FAILED
        return CommandExit.READER_GONE
    except KeyboardInterrupt:
        _interrupted(call)
        return CommandExit.INTERRUPTED
    except (UsageFault, PagehandClientError, OSError) as error:
        _flushed(call.out)
        call.out.complain(f"pagehand: {_about(error)}{words_of_error(error)}")
        if call.resume:
            call.out.complain(call.resume)
        return exit_of(error)


def _about(error: Exception) -> str:
    """The id of the job that it is about, if the words lack it."""
    job = error.job if isinstance(error, PagehandClientError) else None
    return f"{job.id}: " if job is not None and job.id not in str(error) else ""


def _flushed(out: Output) -> None:
    """What was printed before the trouble is worth reading."""
    try:
        out.flush()
    except ReaderGone:
        out.abandon()


def _interrupted(call: Invocation) -> None:
    """Nothing is cancelled; people are told what goes on, and where."""
    _flushed(call.out)
    jobs = list(call.unfinished.values())
    for job in jobs[:3]:
        call.out.complain(f"The job goes on: {job.url}")
    if len(jobs) > 3:
        call.out.complain(f"So do {len(jobs) - 3} others.")
    if call.resume:
        call.out.complain(call.resume)


def _standard_output(environ: Mapping[str, str]) -> Output:
    return Output(sys.stdout, sys.stderr, environ)


def _whole(typed: str) -> str:
    """In a locale that does not know the letters, Python keeps the bytes that were typed as half characters."""
    if not any("\ud800" <= letter <= "\udfff" for letter in typed):
        return typed
    return typed.encode(sys.getfilesystemencoding(), "surrogateescape").decode()


def _with_wait(words: Sequence[str]) -> list[str]:
    """``--wait TYPE`` would take the type for a time."""
    found = list(words)
    for at, word in enumerate(words):
        if word == "--wait" and at + 1 < len(words) and not _is_time(words[at + 1]):
            found[at] = "--wait=60"
    return found


def _is_time(word: str) -> bool:
    try:
        limit(word)
    except argparse.ArgumentTypeError:
        return False
    return True

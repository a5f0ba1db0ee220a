"""What a verb is, and the flags that many verbs share."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable
from typing import NamedTuple

from .invocation import Invocation
from .output import FORMS

__all__ = [
    "COMMON",
    "FOREVER_S",
    "Verb",
    "VerbGroup",
    "add_common",
    "add_ids",
    "add_terms",
    "add_wait",
    "instant_or_time",
    "limit",
    "seconds",
    "some",
]

FOREVER_S = math.inf
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
#: How long the flag ``--wait`` alone waits.
_WAIT = "60"
#: What each verb knows, and how it is if nobody says.
COMMON: dict[str, object] = {"url": None, "token": None, "form": "", "quiet": False, "retry_for": 60.0}


class Verb(NamedTuple):
    """A command: its flags, and what it does. It returns the exit status."""

    name: str
    help: str
    arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[Invocation], int]
    examples: str = ""


class VerbGroup(NamedTuple):
    """Verbs that stand together in the help."""

    title: str
    verbs: tuple[Verb, ...]


def add_common(parser: argparse.ArgumentParser) -> None:
    """The flags of every verb."""
    group = parser.add_argument_group("how to ask, and how to answer")
    add = group.add_argument
    nothing = argparse.SUPPRESS
    add("--url", default=nothing, help="address of the server (PAGEHAND_URL, http://127.0.0.1:8888)")
    add("--token", default=nothing, help="who asks (PAGEHAND_TOKEN or PAGEHAND_TOKEN_FILE, which others cannot see)")
    add("-o", "--output", dest="form", choices=FORMS, default=nothing, help="the form of the data")
    add("-q", "--quiet", action="store_true", default=nothing, help="no talk, no bars: only data and errors")
    add(
        "--retry-for",
        type=limit,
        default=nothing,
        metavar="TIME",
        help="how long to ask again when no answer comes (60 s)",
    )


def add_ids(parser: argparse.ArgumentParser) -> None:
    """One or more jobs."""
    parser.add_argument("ids", nargs="+", metavar="ID", help="a job's id or address; - reads ids from standard input")


def add_wait(parser: argparse.ArgumentParser) -> None:
    """``--wait``, or ``--wait=TIME``."""
    parser.add_argument(
        "--wait",
        type=limit,
        nargs="?",
        const=seconds(_WAIT),
        metavar="TIME",
        help="wait for the end, so long at most (60 s); forever has no end",
    )


def add_terms(parser: argparse.ArgumentParser) -> None:
    """The fields of a job, as docs/api.md has them."""
    add = parser.add_argument_group("the job's terms (docs/api.md)").add_argument
    add("--priority", type=int, metavar="N", help="-1000 to 1000: higher ones first")
    add("--delay-s", type=seconds, metavar="TIME", help="it does not start earlier")
    add("--expires-s", type=seconds, metavar="TIME", help="it does not start later")
    add("--timeout-s", type=seconds, metavar="TIME", help="how long an attempt may take")
    add("--heartbeat-s", type=seconds, metavar="TIME", help="the longest silence of an attempt")
    add("--max-attempts", type=int, metavar="N", help="attempts that may end in an error or a timeout")
    add("--max-crashes", type=int, metavar="N", help="attempts that may be lost with their page")
    add("--effects", choices=("repeat", "once"), help="once: it never runs again by itself")
    add("--requires", action="append", metavar="LABEL:VALUE", help="a worker's label, such as site:berlin")
    add("--tag", action="append", metavar="TEXT", help="to find it by; may be repeated")
    add("--summary", metavar="TEXT", help="what people call it: order 4711")
    add("--callback-url", metavar="URL", help="who is told when the job has ended (docs/webhooks.md)")


def seconds(text: str) -> float:
    """A time: ``90``, ``90s``, ``15m``, ``1.5h`` or ``7d``."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?|\.\d+)([smhd]?)", text.strip())
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no time: write 90, 90s, 15m, 1h or 7d")
    return float(found[1]) * _UNITS[found[2]]


def some(text: str) -> int:
    """A number of things."""
    if not (text.isascii() and text.isdigit() and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 on")
    return int(text)


def instant_or_time(text: str) -> str:
    """An instant as the API wants it; ``1h`` is a time back from now, ``-3600s`` there."""
    if re.match(r"\d{4}-\d\d-\d\d[Tt ]", text):
        return text
    try:
        return f"-{math.ceil(seconds(text.removeprefix('-')))}s"
    except argparse.ArgumentTypeError:
        words = f"{text!r} is no time: write 1h, 7d, or an instant such as 2026-11-23T21:04:05Z"
        raise argparse.ArgumentTypeError(words) from None


def limit(text: str) -> float:
    """A time, or ``forever``."""
    return FOREVER_S if text == "forever" else seconds(text)

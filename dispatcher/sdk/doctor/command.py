"""The command line of ``pagehand doctor``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from ..cli.exits import printed
from ..client.config import find_config
from ..client.errors import BadConfig
from .messenger import Messenger
from .probes import look
from .report import as_json, as_text, examine, exit_status

__all__ = ["main"]

_HOLD_S = 30
_MOST_HOLD_S = 60
#: As shells say it.
_INTERRUPTED = 130
_EPILOG = """\
Ends with 0 when nothing is wrong, with 1 when something is, with 2 when a flag cannot be used, and with 4 when no
answer of Pagehand's comes. Takes about --hold-s, and a few seconds more; where answers are slow up to 25 s.

example:
  pagehand doctor --url https://jobs.example/pagehand/ --hold-s 60
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Looks at a server, and shows what is wrong. Returns the exit status."""
    options = _parser().parse_args(argv)
    try:
        config = find_config(options.url, options.token)
    except BadConfig as error:
        print(f"pagehand doctor: {error}", file=sys.stderr)
        return 2
    try:
        seen = look(Messenger(config), options.hold_s, _say)
    except KeyboardInterrupt:
        print("pagehand doctor: interrupted", file=sys.stderr)
        return _INTERRUPTED
    findings = examine(seen)
    printed(as_json(seen, findings) if options.output == "json" else as_text(findings))
    return exit_status(seen, findings)


def _say(words: str) -> None:
    print(f"pagehand doctor: {words} ...", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pagehand doctor",
        description="Looks at a server through whatever stands before it, and says what is wrong and how to mend it.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--url", help="address of the server, as people type it (PAGEHAND_URL, http://127.0.0.1:8888)")
    add("--token", help="the server's token, if it has one (PAGEHAND_TOKEN, PAGEHAND_TOKEN_FILE)")
    add(
        "--hold-s",
        type=_seconds,
        default=_HOLD_S,
        metavar="N",
        help=f"how long a request must be able to wait, 1 to {_MOST_HOLD_S} s (%(default)s)",
    )
    add("-o", "--output", choices=("text", "json"), default="text", help="what is printed (%(default)s)")
    return parser


def _seconds(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= _MOST_HOLD_S:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 to {_MOST_HOLD_S}")
    return int(text)

"""The command ``pagehand``: finds the program of a subcommand and hands it the rest of the line."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from . import __version__

__all__ = ["main"]

_EPILOG = """\
Ends with 0 when done, with 2 when a flag or a setting cannot be used.
`pagehand serve --help` lists every setting of the server.
"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pagehand",
        description="Hands jobs to workers that are web pages.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"pagehand {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    # Each program reads its own flags, even --help.
    commands.add_parser("serve", help="run the server", add_help=False)
    commands.add_parser("simulate", help="play worker pages, and load, against a server", add_help=False)
    commands.add_parser("doctor", help="say what is wrong with a server, or on the way to it", add_help=False)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one subcommand; returns the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    parser = _parser()
    if not words:
        parser.print_help(sys.stderr)
        return 2
    command = parser.parse_known_args(words[:1])[0].command
    run = {"serve": _serve, "simulate": _simulate, "doctor": _doctor}[command]
    return run(words[1:]) or 0


def _serve(argv: list[str]) -> int | None:
    here = Path(__file__).resolve().parent
    installed = here / "_app"
    # In a checkout, or an editable installation of one, the server lies two directories up.
    sys.path.insert(0, str(installed if installed.is_dir() else here.parent.parent))
    status: int | None = importlib.import_module("server").main(argv)
    return status


def _simulate(argv: list[str]) -> int | None:
    from .simulate import main as simulate

    return simulate(argv)


def _doctor(argv: list[str]) -> int:
    from .doctor.command import main as doctor

    return doctor(argv)


if __name__ == "__main__":
    sys.exit(main())

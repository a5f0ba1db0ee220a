"""The command line of ``pagehand move``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from dispatcher.errors import StoreRefused

__all__ = ["main"]

_FILE, _DATABASE = "sqlite:///", ("postgresql://", "postgres://")
_EPILOG = """\
Stop the server first. The file stays as it is, and can be used again; as long as no server has used the database, the
move can be made once more, and brings what the file has then. Ends with 0, with 2 if a flag cannot be used, and with 3
if it did not come about: then nothing of the database has changed. Give a password as libpq takes it (PGPASSWORD, or a
passfile).

example:
  pagehand move --from sqlite:///pagehand.db --to postgresql://pagehand@db.example/pagehand
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Moves a store. Returns the exit status."""
    options = _parser().parse_args(argv)
    if find_spec("psycopg") is None:
        print("pagehand move: needs the driver of PostgreSQL: pip install 'pagehand[postgres]'", file=sys.stderr)
        return 2
    from dispatcher.store.move.moving import move_store

    try:
        jobs = move_store(Path(options.source.removeprefix(_FILE)).absolute(), options.target, _told)
    except StoreRefused as error:
        print(f"pagehand move: {error}", file=sys.stderr)
        return 3
    print(f"moved {jobs:,} jobs; start the server with --store and the new address")
    return 0


def _told(table: str, rows: int) -> None:
    print(f"pagehand move: {table}: {rows:,}", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pagehand move",
        description="Moves all jobs, and what belongs to them, from a file into a PostgreSQL database.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--from", dest="source", required=True, type=_file, metavar="URL", help="sqlite:///path")
    parser.add_argument("--to", dest="target", required=True, type=_database, metavar="URL", help="postgresql://...")
    return parser


def _file(text: str) -> str:
    if not text.startswith(_FILE):
        raise argparse.ArgumentTypeError("must be sqlite:///path/to/file.db")
    return text


def _database(text: str) -> str:
    if not text.startswith(_DATABASE):
        raise argparse.ArgumentTypeError("must be postgresql://USER@HOST/DATABASE")
    return text

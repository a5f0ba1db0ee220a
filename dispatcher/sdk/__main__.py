"""The command ``pagehand``: runs a program with flags of its own (the server), or a verb of ``cli``."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

from .cli.exits import CommandExit, ReaderGone, abandon, printed

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    _open_streams()
    try:
        if words and words[0] in _PROGRAMS:
            # Each program reads its own flags, even --help. The verbs are not loaded for it.
            return _program(words[0], words[1:])
        from .cli.program import run

        return run(words)
    except KeyboardInterrupt:  # before it began
        return 130


def _open_streams() -> None:
    """Without a window, or behind ``<&-``, standard streams may lack: then nobody writes, and nobody reads."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 - for as long as it runs


def _program(name: str, argv: list[str]) -> int:
    try:
        status = _PROGRAMS[name](argv) or 0
        printed("")
        return status
    except ReaderGone as gone:
        return _unheard(name, gone)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in ("", "server", "dispatcher", "handlers", __name__.partition(".")[0]):
            raise
        print(
            f"pagehand {name}: {package} is not installed here. `pip install pagehand` installs all that it needs; "
            "with --no-deps there is only what asks a server.",
            file=sys.stderr,
        )
        return 2


def _unheard(name: str, gone: ReaderGone) -> int:
    """The exit status, as the verbs have it."""
    abandon(sys.stdout)
    if not gone.why:
        return CommandExit.READER_GONE
    print(f"pagehand {name}: standard output: {gone.why}", file=sys.stderr)
    return CommandExit.FAILED


def _serve(argv: list[str]) -> int | None:
    status: int | None = _server().main(argv)
    return status


def _migrate(argv: list[str]) -> int | None:
    status: int | None = _server().migrate(argv)
    return status


def _move(argv: list[str]) -> int | None:
    _server()
    status: int | None = importlib.import_module("dispatcher.store.move.command").main(argv)
    return status


def _server() -> ModuleType:
    """The server of this installation."""
    here = Path(__file__).resolve().parent
    installed = here / "_app"
    # In a checkout, or an editable installation of one, the server lies two directories up.
    sys.path.insert(0, str(installed if installed.is_dir() else here.parent.parent))
    return importlib.import_module("server")


def _simulate(argv: list[str]) -> int | None:
    from .simulate import main as simulate

    return simulate(argv)


def _doctor(argv: list[str]) -> int:
    from .doctor.command import main as doctor

    return doctor(argv)


_PROGRAMS: dict[str, Callable[[list[str]], int | None]] = {
    "serve": _serve,
    "migrate": _migrate,
    "move": _move,
    "simulate": _simulate,
    "doctor": _doctor,
}


if __name__ == "__main__":
    sys.exit(main())

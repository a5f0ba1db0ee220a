"""The command ``pagehand``: runs a program with flags of its own (the server), or a verb of ``cli``."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    programs = {"serve": _serve, "migrate": _migrate, "simulate": _simulate, "doctor": _doctor}
    if words and words[0] in programs:
        # Each program reads its own flags, even --help. The verbs are not loaded for it.
        return programs[words[0]](words[1:]) or 0
    try:
        from .cli.program import run

        return run(words)
    except KeyboardInterrupt:  # before the verb began
        return 130


def _serve(argv: list[str]) -> int | None:
    status: int | None = _server().main(argv)
    return status


def _migrate(argv: list[str]) -> int | None:
    status: int | None = _server().migrate(argv)
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


if __name__ == "__main__":
    sys.exit(main())

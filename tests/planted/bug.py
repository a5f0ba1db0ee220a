"""What a planted bug is, and the tree it is planted in: always a copy, never the working tree."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import quickjs

__all__ = ["MODEL", "ROOT", "Bug", "Misfit", "copy_tree", "misfits", "plant"]

ROOT = Path(__file__).resolve().parent.parent.parent
#: Found by the model test of the core, run alone and without shrinking (``model.py``).
MODEL = "model"

_COPIED = ("dispatcher", "handlers", "static", "tests", "server.py", "setup.py", "pyproject.toml", "README.md")


class Bug(NamedTuple):
    """A piece of text that is put in the place of another."""

    file: str
    #: Stands in the file exactly once; as short as it can be, so that it outlives changes around it.
    old: str
    new: str
    #: ``MODEL``, or test files that pytest is given, in this order, until one fails.
    found_by: str = MODEL


class Misfit(Exception):
    """The text of a bug does not stand in the source exactly once: it must be planted anew."""


def copy_tree(to: Path) -> None:
    """The program and its tests. Compiled files go along: they spare each hunt a second."""
    for name in _COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, to / name)
        else:
            shutil.copy2(source, to / name)


def _planted(name: str, bug: Bug, tree: Path) -> str:
    text = (tree / bug.file).read_text(encoding="utf-8")
    count = text.count(bug.old)
    if count != 1:
        raise Misfit(f"{name!r}: its text stands {count} times in {bug.file}, not once; plant it anew:\n{bug.old}")
    changed = text.replace(bug.old, bug.new)
    try:
        _compile(changed, bug.file)
    except (SyntaxError, quickjs.JSException) as error:
        raise Misfit(f"{name!r}: {bug.file} would not compile with it ({error}); plant it anew") from None
    return changed


def _compile(text: str, file: str) -> None:
    """A file that is no program would be found by any test."""
    if file.endswith(".py"):
        compile(text, file, "exec")
    elif file.endswith(".js"):
        quickjs.Context().eval(f"new Function({json.dumps(text)}); null")


def plant(name: str, bug: Bug, tree: Path) -> None:
    """Puts the bug into a copy. Raises Misfit."""
    assert tree.resolve() != ROOT, "bugs are planted in copies"
    changed = _planted(name, bug, tree)
    (tree / bug.file).write_text(changed, encoding="utf-8")


def misfits(bugs: Mapping[str, Bug]) -> list[str]:
    """What is wrong with the places of these bugs, one text for each that has none."""
    wrong = []
    for name, bug in bugs.items():
        try:
            _planted(name, bug, ROOT)
        except Misfit as misfit:
            wrong.append(str(misfit))
    return wrong

"""What a planted bug is, and the tree it is planted in: always a copy, never the working tree."""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import quickjs

from tests.planted import edit_python, edit_script
from tests.planted.misfit import Misfit

__all__ = ["MODEL", "ROOT", "SCHEMA", "Bug", "Misfit", "copy_tree", "misfits", "plant"]

ROOT = Path(__file__).resolve().parent.parent.parent
#: Found by the model test of the core, run alone and without shrinking (``model.py``).
MODEL = "model"
#: The place of bugs that are SQL after the newest migration: what any code writes, they change or drop.
SCHEMA = "dispatcher/store/sqlite/sql"

_COPIED = ("dispatcher", "handlers", "static", "tests", "server.py", "setup.py", "pyproject.toml", "README.md")


class Bug(NamedTuple):
    """A function that does something else."""

    #: The promise that it breaks (docs/promises.md).
    promise: str
    #: ``file::function``, the function by its qualified name; a file of SQL; or ``SCHEMA``.
    place: str
    #: What it does instead, as a whole or in place of ``old``.
    new: str
    #: The text of the function that is changed. None: everything that it does.
    old: str | None = None
    #: ``MODEL``, or test files that pytest is given, in this order, until one fails.
    found_by: str = MODEL


def copy_tree(to: Path) -> None:
    """The program and its tests. Compiled files go along: they spare each hunt a second."""
    for name in _COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, to / name)
        else:
            shutil.copy2(source, to / name)


def _planted(name: str, bug: Bug, tree: Path) -> tuple[Path, str]:
    """The file that changes, and its new text."""
    file, _, function = bug.place.partition("::")
    path = max((tree / file).glob("*.sql")) if bug.place == SCHEMA else tree / file
    text = path.read_text(encoding="utf-8")
    try:
        if bug.place == SCHEMA:
            changed = f"{text}\n{bug.new};\n"
            _create([*(older.read_text("utf-8") for older in sorted(path.parent.glob("*.sql"))[:-1]), changed])
            return path, changed
        if path.suffix == ".sql":
            return path, _statement_edited(text, bug.old or "", bug.new)
        edit = edit_script if path.suffix == ".js" else edit_python
        changed = edit.edited(text, function, bug.old, bug.new)
        _compile(changed, file)
    except (Misfit, SyntaxError, quickjs.JSException, sqlite3.Error) as error:
        raise Misfit(f"{name!r}: {file}: {error}; plant it anew") from None
    return path, changed


def _statement_edited(text: str, old: str, new: str) -> str:
    if text.count(old) != 1:
        raise Misfit(f"the text to change stands there {text.count(old)} times")
    return text.replace(old, new)


def _compile(text: str, file: str) -> None:
    """Compiles the file: any test would find one that does not compile."""
    if file.endswith(".py"):
        compile(text, file, "exec")
    else:
        quickjs.Context().eval(f"new Function({json.dumps(text)}); null")


def _create(migrations: Sequence[str]) -> None:
    with contextlib.closing(sqlite3.connect(":memory:")) as model:
        for text in migrations:
            model.executescript(text)


def plant(name: str, bug: Bug, tree: Path) -> None:
    """Puts the bug into a copy. Raises Misfit."""
    assert tree.resolve() != ROOT, "bugs are planted in copies"
    path, changed = _planted(name, bug, tree)
    path.write_text(changed, encoding="utf-8")


def misfits(bugs: Mapping[str, Bug]) -> list[str]:
    """What is wrong with the places of these bugs: one text for each bug without a place."""
    wrong = []
    for name, bug in bugs.items():
        try:
            _planted(name, bug, ROOT)
        except Misfit as misfit:
            wrong.append(str(misfit))
    return wrong

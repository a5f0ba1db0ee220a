"""The SQL of the PostgreSQL store, by its names. It stands in ``queries/*.sql``; each statement there begins with
``-- name: ...``. What follows from the columns of a row is filled in here, so that a new field of a job is named once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from dispatcher.core.jobs.keys import KEY_MARK
from dispatcher.store.columns import ATTEMPT_COLUMNS, CHANGING, CLAIMED, DONE, JOB_COLUMNS
from dispatcher.store.endings import ENDED_COLUMNS, ENDINGS_COLUMNS
from dispatcher.store.kept_rows import TOKEN_COLUMNS
from dispatcher.store.views import MOST_ATTEMPTS_SHOWN

__all__ = ["QUERIES"]

_HERE = Path(__file__).resolve().parent / "queries"
_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)
_PART = re.compile(r"\{\{(\w+)\}\}")
#: The advisory locks of this program: the first of the two numbers of each ("PGHD").
_LOCK = 0x50474844


def _list(columns: Iterable[str], prefix: str) -> str:
    return ", ".join(f"{prefix}{name}" for name in columns)


def _changes(columns: Iterable[str], source: str) -> str:
    return ", ".join(f"{name} = {source}.{name}" for name in columns)


_FILLED_IN = {
    "JOB": _list(JOB_COLUMNS, "j."),
    "ATTEMPT": _list(ATTEMPT_COLUMNS, "a."),
    "ATTEMPT_NAMES": ", ".join(ATTEMPT_COLUMNS),
    "ATTEMPT_CHANGES": _changes((name for name in ATTEMPT_COLUMNS if name not in ("id", "job")), "excluded"),
    "CHANGING": _changes((*CHANGING, "error_code"), "r"),
    "CLAIMED": _changes(CLAIMED, "r"),
    "DONE": _changes(DONE, "r"),
    "ENDED": _list(ENDED_COLUMNS, "j."),
    "ENDED_NAMES": ", ".join(ENDED_COLUMNS),
    "ENDINGS": _list(ENDINGS_COLUMNS, "e."),
    "TOKEN": ", ".join(TOKEN_COLUMNS),
    "TOKEN_VALUES": ", ".join(f"%({name})s" for name in TOKEN_COLUMNS),
    "TOKEN_CHANGES": _changes((name for name in TOKEN_COLUMNS if name != "id"), "excluded"),
    "MOST_ATTEMPTS": str(MOST_ATTEMPTS_SHOWN),
    "KEY_MARK": f"chr({ord(KEY_MARK)})",
    "BEHIND_KEY_MARK": f"chr({ord(KEY_MARK) + 1})",
    "LOCK": str(_LOCK),
}


def _read() -> dict[str, str]:
    found: dict[str, str] = {}
    for path in sorted(_HERE.glob("*.sql")):
        _, *parts = _NAME.split(path.read_text("utf-8"))
        for name, text in zip(parts[::2], parts[1::2], strict=True):
            assert name not in found, f"{path.name}: there are two statements of the name {name}"
            found[name] = "\n".join(line for line in text.splitlines() if not line.startswith("--")).strip()
    known = {name.upper(): text for name, text in found.items()} | _FILLED_IN
    return {name: _filled(text, known) for name, text in found.items()}


def _filled(text: str, known: dict[str, str]) -> str:
    """``{{NAME}}`` stands for what is filled in, or for a part of statements (``parts.sql``)."""
    return _PART.sub(lambda match: _filled(known[match[1]], known), text)


#: Each statement by its name.
QUERIES = _read()

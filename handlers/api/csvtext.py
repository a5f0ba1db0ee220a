"""Jobs as CSV (RFC 4180), for spreadsheets: a row for each job, below the names of the columns. Pure.

Whatever a job says stays text there: a cell that a spreadsheet would take for a formula gets an apostrophe in front.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

import msgspec
from msgspec import Raw

from handlers.answers import as_json
from handlers.api.jobjson import Json

__all__ = ["csv_head", "csv_rows", "usual_fields"]

#: By this mark Excel knows that the file is UTF-8.
_MARK = "\ufeff"
#: With one of these a formula begins; the last four come from East Asian keyboards.
_BEGINS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
#: Objects whose members have columns of their own.
_MEMBERS = {"progress": ("percent", "note"), "error": ("code", "message")}
#: These are for programs, and no columns unless somebody asks for them.
_FOR_PROGRAMS = ("traceparent", "waiting", "links")


def usual_fields(fields: Iterable[str]) -> tuple[str, ...]:
    """Those of a job's fields that are columns if nobody chooses."""
    return tuple(name for name in fields if name not in _FOR_PROGRAMS)


def csv_head(fields: Iterable[str]) -> str:
    """The mark, and the names of the columns."""
    return _MARK + _text([[column for field in fields for column in _columns(field)]])


def csv_rows(jobs: Iterable[Json], fields: Sequence[str]) -> str:
    """A row for each job."""
    return _text([[cell for field in fields for cell in _cells(field, job.get(field))] for job in jobs])


def _text(rows: Iterable[Sequence[str]]) -> str:
    lines = io.StringIO(newline="")
    csv.writer(lines, lineterminator="\r\n").writerows(rows)
    return lines.getvalue()


def _columns(field: str) -> list[str]:
    members = _MEMBERS.get(field)
    return [field] if members is None else [f"{field}_{member}" for member in members]


def _cells(field: str, value: object) -> list[str]:
    members = _MEMBERS.get(field)
    if members is None:
        return [_cell(value)]
    known = msgspec.json.decode(value) if isinstance(value, Raw) else value
    return [_cell(known.get(member) if isinstance(known, dict) else None) for member in members]


def _cell(value: object) -> str:
    """Only a text can be mistaken for a formula: what is below zero is a number."""
    if value is None or value in ([], (), {}):
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_BEGINS_FORMULA) else value
    return as_json(value).decode()

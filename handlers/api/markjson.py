"""What charts mark, as JSON. docs/api.md describes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from handlers.api.jobjson import instant
from handlers.overview.marks import ChartMark, ChartMarks

__all__ = ["marks_json"]

Json = dict[str, Any]


def marks_json(marks: ChartMarks, link: Callable[[str], str]) -> Json:
    """The newest first. ``link``: how others must write an address of ours."""
    items = [_mark_json(mark, link) for mark in marks.items]
    return {"items": items, "left_out": marks.left_out, "more": marks.more}


def _mark_json(mark: ChartMark, link: Callable[[str], str]) -> Json:
    return {
        "at": instant(mark.at),
        "kind": mark.kind,
        "code": mark.code,
        "sentence": f"{mark.words}.",
        "by": mark.by,
        "acts": mark.acts,
        "links": {"console": link(mark.link)} if mark.link else {},
    }

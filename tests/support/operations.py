"""Counts what a piece of code does, so that growth is tested by operations and never by seconds."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

__all__ = ["operations"]

#: Whose lines count.
_OURS = ("/dispatcher/", "/handlers/")


def operations(call: Callable[[], object]) -> int:
    """How many lines of the program ``call`` runs; a loop counts each time round, also inside a comprehension.

    What C code does inside one line (sorting a list, say) is not seen: keep an eye on such lines.
    """
    count = 0

    def trace(frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal count
        if not any(part in frame.f_code.co_filename for part in _OURS):
            return None
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return count

"""Measures how much work a call does, in calls and lines of Python. Unlike seconds, they are the same in every run.

Bytecodes are not counted: from Python 3.12 on, a function's first call under a trace reports few of them or none.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

__all__ = ["operations"]


def operations(act: Callable[[], object]) -> int:
    """How many calls of Python functions ``act`` makes, and how many lines these execute, each round of a loop anew.

    It cannot see loops inside C functions.
    """
    count = 0

    def trace(_frame: FrameType, event: str, _arg: Any) -> Any:
        nonlocal count
        count += event in ("call", "line")
        return trace

    before, collects = sys.gettrace(), gc.isenabled()
    gc.disable()  # others are called when it collects, and that is not work of the call
    sys.settrace(trace)
    try:
        act()
    finally:
        sys.settrace(before)
        if collects:
            gc.enable()
    return count

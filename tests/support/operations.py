"""Measures how much work a call does, in bytecodes of Python. Unlike seconds, they are the same in every run."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

__all__ = ["operations"]


def operations(act: Callable[[], object]) -> int:
    """How many bytecodes ``act`` executes in Python functions. It cannot see loops inside C functions."""
    count = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count += event == "opcode"
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

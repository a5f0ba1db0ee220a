"""How much work a call is: bytecodes of Python that it executes. Unlike seconds, the same in every run."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

__all__ = ["operations"]


def operations(act: Callable[[], object]) -> int:
    """The bytecodes that ``act`` executes in Python functions. Loops inside of C functions are not seen."""
    count = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count += event == "opcode"
        return trace

    before, collects = sys.gettrace(), gc.isenabled()
    gc.disable()  # others ask to be called when it collects, and that is no work of the call
    sys.settrace(trace)
    try:
        act()
    finally:
        sys.settrace(before)
        if collects:
            gc.enable()
    return count

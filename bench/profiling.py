"""``--profile``: where the server's time goes, by py-spy if it is installed, else by cProfile."""

from __future__ import annotations

import io
import pstats
import shutil
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

_TOP = 40


@dataclass(frozen=True)
class Tool:
    """A profiler: how to start the server under it, and what it found."""

    name: str
    prefix: tuple[str, ...]
    output: Path

    def top(self) -> str:
        """The functions that took most of the time."""
        return _top_of_samples(self.output) if self.name == "py-spy" else _top_of_calls(self.output)


def tool(output: Path, seconds: float) -> Tool:
    """The profiler that is there."""
    if shutil.which("py-spy"):
        options = ("--format", "raw", "--rate", "200", "--duration", str(int(seconds)))
        record = ("py-spy", "record", *options, "--output", str(output), "--", sys.executable)
        return Tool("py-spy", record, output)
    return Tool("cProfile", (sys.executable, "-m", "cProfile", "-o", str(output)), output)


def _top_of_calls(output: Path) -> str:
    text = io.StringIO()
    stats = pstats.Stats(str(output), stream=text)
    stats.sort_stats("tottime").print_stats(_TOP)
    stats.sort_stats("cumulative").print_stats(_TOP)
    return text.getvalue()


def _top_of_samples(output: Path) -> str:
    """From folded stacks: samples in which a function was at the top, and anywhere."""
    own: Counter[str] = Counter()
    all_: Counter[str] = Counter()
    for line in output.read_text().splitlines():
        stack, _, count = line.rpartition(" ")
        frames = stack.split(";")
        own[frames[-1]] += int(count)
        all_.update(dict.fromkeys(frames, int(count)))
    whole = sum(own.values()) or 1
    lines = []
    for title, counter in (("itself", own), ("with what it calls", all_)):
        lines.append(f"-- {title}")
        lines += [f"{100 * count / whole:6.1f} %  {name}" for name, count in counter.most_common(_TOP)]
    return "\n".join(lines)

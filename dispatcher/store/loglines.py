"""The lines of the jobs of a store in memory. It knows no turn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dispatcher.core.jobs.model import LogLine
from dispatcher.core.jobs.rows import AttemptRow
from dispatcher.store.views import MOST_LINES_KEPT

__all__ = ["KeptLines"]


class KeptLines(dict[int, list[tuple[int, str, float, str]]]):
    """By the job's number: (number of the line, attempt, instant, text), the newest."""

    def add(self, rows: Iterable[tuple[int, str, float, str]]) -> None:
        """Each line gets the next number of its job."""
        for seq, attempt, at, text in rows:
            lines = self.setdefault(seq, [])
            lines.append((lines[-1][0] + 1 if lines else 1, attempt, at, text))
            del lines[:-MOST_LINES_KEPT]

    def shown(self, seq: int, attempts: Mapping[str, AttemptRow]) -> list[LogLine]:
        """The job's lines; an attempt that was never accepted has no row, and so no number."""
        return [
            LogLine(line_no=line_no, at=at, line=text, number=attempts[name].number if name in attempts else None)
            for line_no, name, at, text in self.get(seq, [])
        ]

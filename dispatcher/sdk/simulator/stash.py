"""Results and errors that the server has not answered yet. Pure.

A page keeps them over reloads, in sessionStorage.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

__all__ = ["Report", "Stash"]


@dataclass(slots=True)
class Report:
    """The end of an attempt, as the text of the message that reports it."""

    attempt: str
    job: str
    text: str
    #: The size of its result; 0: it is an error.
    value_bytes: int = 0
    #: Whether it waits in the queue.
    queued: bool = False
    #: When it is sent again; None: it was not yet sent in this session.
    due: float | None = None

    @property
    def kind(self) -> str:
        """``result`` or ``error``: JSON text is never empty."""
        return "result" if self.value_bytes else "error"


class Stash:
    """Reports by attempt, and when each is sent again."""

    def __init__(self, reports: Iterable[Report] = ()) -> None:
        self._reports = {report.attempt: report for report in reports}

    def __contains__(self, attempt: str) -> bool:
        return attempt in self._reports

    def __iter__(self) -> Iterator[Report]:
        return iter(list(self._reports.values()))

    def __len__(self) -> int:
        return len(self._reports)

    def get(self, attempt: str | None) -> Report | None:
        """The report of an attempt, if it is here."""
        return self._reports.get(attempt) if attempt else None

    def put(self, report: Report) -> None:
        """Keep a report until it is answered."""
        self._reports[report.attempt] = report

    def pop(self, attempt: str) -> Report | None:
        """The report was answered."""
        return self._reports.pop(attempt, None)

    def attempts(self) -> list[str]:
        """The field ``finished`` of a register."""
        return list(self._reports)

    def session_over(self) -> None:
        """Nothing is on its way any more."""
        for report in self._reports.values():
            report.queued, report.due = False, None

    def taken(self, attempt: str, due: float) -> None:
        """The report goes out with a POST; without an answer it is sent again when ``due``."""
        report = self._reports.get(attempt)
        if report is not None:
            report.queued, report.due = False, due

    def due(self, now: float) -> list[Report]:
        """Reports to send again."""
        return [report for report in self if _is_due(report, now)]

    def next_deadline(self) -> float | None:
        """When the next report is sent again."""
        waiting = (report.due for report in self._reports.values() if not report.queued)
        return min((due for due in waiting if due is not None), default=None)

    def kept(self) -> list[Report]:
        """The reports that the next load of the page finds in its storage."""
        return [replace(report, queued=False, due=None) for report in self]


def _is_due(report: Report, now: float) -> bool:
    return report.due is not None and now >= report.due and not report.queued

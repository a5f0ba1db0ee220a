"""Jobs in doubt about which a worker page asks its person.

Theory of operation. The page keeps what it must ask, and asks the server again and again; the server keeps nothing
of it. A question is a command of a turn as the answer is, so it is judged on the rows that the reports before it have
left, and by the same fence: the attempt must be the one that is in doubt, and the worker's own. Who asks is known by
the session, so a page cannot answer for another worker.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from dispatcher.core.jobs.acts.doubts import AnswerDoubt
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.turn import CommandReport
from dispatcher.errors import PagehandError
from dispatcher.node.turns.turns import Turns

__all__ = ["MOST_ASKING", "DeskDoubts"]

#: Questions and answers that may wait for a turn; others are let go, as their pages say them again.
MOST_ASKING = 1_000


class DeskDoubts:
    """The port ``pages.Doubts``, over the turns."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        #: Sessions whose question waits: each has one at a time.
        self._asking: set[str] = set()

    def heard(self, session: str, command: AnswerDoubt, told: Callable[[str, str], None]) -> None:
        """See ``pages.Doubts``."""
        if session in self._asking or len(self._asking) >= MOST_ASKING:
            return
        with suppress(PagehandError):  # no turn can be had now
            self._turns.order(command).add_done_callback(lambda done: self._judged(session, command, done, told))
            self._asking.add(session)

    def _judged(
        self, session: str, command: AnswerDoubt, done: asyncio.Future[CommandReport], told: Callable[[str, str], None]
    ) -> None:
        """The turn is over. If it failed nothing was written, and the page hears nothing."""
        self._asking.discard(session)
        if done.cancelled():
            return
        error = done.exception()
        if error is None:
            told(*_standing(command, done.result()))
        elif not isinstance(error, PagehandError):
            raise error


def _standing(command: AnswerDoubt, report: CommandReport) -> tuple[str, str]:
    """What the page is told: how the job stands, and why it is in doubt; empty: it is not."""
    job = report.job
    if report.done and command.happened is None:
        return "in_doubt", (job is not None and job.reason) or ""
    if report.done:
        return "noted", ""
    return ("running" if job is not None and job.state is JobState.RUNNING else "over"), ""

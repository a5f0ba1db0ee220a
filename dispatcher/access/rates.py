"""So many a minute: an allowance; and how many new jobs a minute each token may submit.

Theory of operation. Each token with a rate has an allowance, which is full at a minute's jobs and comes back with time.
A job takes one of it. A batch takes all of its jobs at once, and may take more than there is: it is let in when the
allowance has as much as the batch wants, or is full, and what it owes is paid back before the next job. So a large
batch waits, and is never refused for ever. Nothing of it is stored: after a restart each allowance is full.

Pure. Instants are monotonic seconds.
"""

from __future__ import annotations

from collections import OrderedDict
from math import ceil

from msgspec import Struct

from dispatcher.errors import TooManyJobs

__all__ = ["MOST_ALLOWANCES", "Allowance", "Rates"]

#: Most allowances that are kept; the one that was asked for longest ago goes, and is full when it is asked for again.
MOST_ALLOWANCES = 1_000


class Allowance(Struct):
    """What is left of so many a minute: at most a minute's at once, then each in its time."""

    left: float
    #: When so much was left.
    at: float

    def wait_s(self, wanted: float, per_minute: int, now: float) -> int:
        """How long until as many are left, or a minute's if more are wanted, in whole seconds; 0: they are."""
        back = (now - self.at) * per_minute / 60.0
        self.left, self.at = min(float(per_minute), self.left + back), now
        lacking = min(wanted, float(per_minute)) - self.left
        return max(0, ceil(lacking * 60.0 / per_minute))


class Rates:
    """By the ids of tokens."""

    def __init__(self) -> None:
        self._allowances: OrderedDict[str, Allowance] = OrderedDict()

    def __len__(self) -> int:
        return len(self._allowances)

    def take(self, token_id: str, jobs: int, per_minute: int, now: float) -> None:
        """So many jobs are about to be submitted. Raises TooManyJobs, and then nothing was taken."""
        allowance = self._of(token_id, per_minute, now)
        if wait_s := allowance.wait_s(jobs, per_minute, now):
            raise TooManyJobs(
                f"This token may submit {per_minute:,} new jobs a minute (jobs_per_minute). Try again in {wait_s} s.",
                retry_after_s=wait_s,
            )
        allowance.left -= jobs

    def give_back(self, token_id: str, jobs: int) -> None:
        """So many of them became no new jobs."""
        allowance = self._allowances.get(token_id)
        if allowance is not None:
            allowance.left += jobs

    def _of(self, token_id: str, per_minute: int, now: float) -> Allowance:
        allowance = self._allowances.setdefault(token_id, Allowance(per_minute, now))
        self._allowances.move_to_end(token_id)
        if len(self._allowances) > MOST_ALLOWANCES:
            self._allowances.popitem(last=False)
        return allowance

"""What operators have said of workers and types. The store keeps it, so it outlives pages and servers.

A worker is known by its identity. Only those of which an operator has said something are kept; what a page says of
itself is not here.
"""

from __future__ import annotations

from msgspec import Struct

from dispatcher.access.acts import Actor
from dispatcher.access.commands import NOBODY_ASKED
from dispatcher.core.jobs.terms import NO_DEFAULTS, TypeDefaults

__all__ = ["EVERY_TYPE", "MOST_KEPT", "ForgetWorker", "Hold", "KeepType", "KeepWorker", "KeptType", "KeptWorker"]

#: Most workers, and most types, of which something is kept: all of it stands in memory, too.
MOST_KEPT = 10_000
#: No type has this name: what is kept of it holds for all of them. It is paused, or nothing is kept.
EVERY_TYPE = "*"


class Hold(Struct, frozen=True):
    """An operator keeps a worker, or every worker, from jobs."""

    #: UTC seconds.
    at: float
    #: Who asked; empty: unknown.
    by: str
    reason: str = ""
    #: When its page has nothing to do any more, it says goodbye.
    leaves: bool = False

    @property
    def since_ms(self) -> int:
        """Since when: by this a page names the hold that it has heard of."""
        return round(self.at * 1000)

    def words(self) -> str:
        """`` by ann: lunch``, to stand behind "paused"."""
        return (f" by {self.by}" if self.by else "") + (f": {self.reason}" if self.reason else "")


class KeptWorker(Struct, frozen=True, kw_only=True):
    """One worker. What is empty was never said, or was taken back."""

    id: str
    #: How it was called when somebody last said something of it: for lists.
    called: str = ""
    #: The operator's name for it; it wins over the page's.
    name: str = ""
    #: (label, value), in the order of the labels; each wins over the page's label of that name.
    labels: tuple[tuple[str, str], ...] = ()
    note: str = ""
    paused: Hold | None = None
    #: Its page is refused.
    blocked: Hold | None = None

    def is_empty(self) -> bool:
        """Whether there is nothing to keep."""
        return not (self.name or self.labels or self.note or self.paused or self.blocked)


class KeepWorker(Struct, frozen=True):
    """Keeps this of a worker, in the place of what was kept; if it is empty, nothing is kept."""

    worker: KeptWorker
    #: For the audit log: ``worker.pause`` and so on, and the reason, or what was wanted.
    action: str
    detail: str = ""
    actor: Actor = NOBODY_ASKED


class ForgetWorker(Struct, frozen=True):
    """Forgets a worker that is not here: what operators have said of it, its credential, and that it has gone.

    Its jobs and attempts keep its name.
    """

    #: Its id; empty: nothing is known but its name.
    worker: str
    name: str
    #: For the audit log: the reason.
    detail: str = ""
    actor: Actor = NOBODY_ASKED


class KeptType(Struct, frozen=True, kw_only=True):
    """One type. What is empty was never said, or was taken back."""

    type: str
    #: Its jobs wait, whoever could run them; those that run go on.
    paused: Hold | None = None
    defaults: TypeDefaults = NO_DEFAULTS

    def is_empty(self) -> bool:
        """Whether there is nothing to keep."""
        return self.paused is None and self.defaults == NO_DEFAULTS


class KeepType(Struct, frozen=True):
    """Keeps this of a type, in the place of what was kept; if it is empty, nothing is kept."""

    kept: KeptType
    #: For the audit log, as in ``KeepWorker``.
    action: str
    detail: str = ""
    actor: Actor = NOBODY_ASKED

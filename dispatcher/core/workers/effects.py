"""What the core asks the shell to do. Plain values; the shell carries them out in order."""

from __future__ import annotations

from msgspec import Struct

from dispatcher.core.fleet.worker import Labels
from dispatcher.core.jobs.acts.kept import Hold
from dispatcher.core.jobs.turn import Claim, Command, Report, Verdict

__all__ = [
    "Answer",
    "CancelOrder",
    "Drop",
    "Effect",
    "Go",
    "HoldOrder",
    "Offer",
    "Order",
    "Probe",
    "Record",
    "Refuse",
    "Request",
    "Welcome",
    "Withdraw",
]


class Record(Struct, frozen=True):
    """Put this report into the next turn; the verdict comes back by ``Machine.settled``."""

    report: Report


class Request(Struct, frozen=True):
    """Put this command into the next turn."""

    command: Command


class Offer(Struct, frozen=True):
    """Send a job to a page."""

    session: str
    claim: Claim


class Withdraw(Struct, frozen=True):
    """Take an offer out of the session's outbox, if no poll has carried it away: it is over, or is sent again."""

    session: str
    attempt: str


class Welcome(Struct, frozen=True):
    """Answer a register: the worker is known. It is said again when its name or its labels change."""

    session: str
    worker: str
    name: str
    #: Those that count: an operator may have given it others than its page says.
    labels: Labels = ()


class Answer(Struct, frozen=True):
    """Tell a page the verdict on its result or error."""

    session: str
    attempt: str
    verdict: Verdict


class CancelOrder(Struct, frozen=True):
    """Tell a page that an attempt is over."""

    session: str
    attempt: str
    reason: str


class Go(Struct, frozen=True):
    """Tell a page that the accept of a job with ``confirm`` is durable: it may start."""

    session: str
    attempt: str


class Order(Struct, frozen=True):
    """Tell a page to ``drain``, ``resume``, ``reload``, or ``reload_idle``: when it has nothing to do."""

    session: str
    op: str


class HoldOrder(Struct, frozen=True):
    """Tell a page that an operator keeps it from jobs; None: no operator does any more."""

    session: str
    hold: Hold | None


class Refuse(Struct, frozen=True):
    """Tell a page that its message was not obeyed."""

    session: str
    code: str
    detail: str
    attempt: str | None = None


class Drop(Struct, frozen=True):
    """End an Engine.IO session that its page has left."""

    session: str


class Probe(Struct, frozen=True):
    """Ask the page of this session for a sign of life, at this instant; it comes back by ``Machine.heard``."""

    session: str
    now: float


Effect = (
    Record
    | Request
    | Offer
    | Welcome
    | Answer
    | CancelOrder
    | Go
    | Order
    | HoldOrder
    | Refuse
    | Drop
    | Probe
    | Withdraw
)

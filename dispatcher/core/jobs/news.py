"""What turns tell: each transition of a job as a change, and what a turn of one node has for the other nodes.

Nodes that share a store tell each other nothing but by it: a turn writes its news, and the turns of the others read
them. So what a node hears is durable, comes once, and in the order of the turns of the node that tells it.
"""

from __future__ import annotations

from msgspec import Struct

from dispatcher.access.credentials import Credential
from dispatcher.core.jobs.acts.kept import KeptType, KeptWorker
from dispatcher.core.jobs.states import JobState

__all__ = ["Change", "Coming", "Hint", "News"]


class Change(Struct, frozen=True, gc=False, array_like=True):
    """One transition of one job. Events, metrics and answers to those who wait for the job are made from it.

    Nodes tell it as an array, which is half as long: a new field stands at the end, with a default, so that versions of
    the program understand each other.
    """

    job: str
    type: str
    #: None: the job is new.
    old: JobState | None
    new: JobState
    #: UTC seconds.
    at: float
    #: The attempt that caused it, or that it began; None: there is none.
    attempt: str | None
    #: The worker of the newest attempt, if one is known.
    worker: str | None
    reason: str | None
    #: Who asked for it; empty: nobody did.
    actor: str = ""
    #: Who submitted the job; None: nobody has said.
    owner: str | None = None


class Coming(Struct, frozen=True):
    """A page has come to a node that may have been at another one before."""

    worker: str
    boot: str
    #: The boot that it knows to be gone.
    after: str | None = None
    #: Which session of its boot it came with, as the page counts them; 0: it does not say.
    sessions: int = 0


class News(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one turn of a node tells the other nodes."""

    #: Lanes in which it has made jobs ready and left some, each with the rank of the first one.
    ready: dict[str, float] = {}
    changes: list[Change] = []
    #: Pages that have come, and the attempts that have moved to the node with them.
    came: list[Coming] = []
    moved: list[str] = []
    #: What operators have said of workers and types, and credentials of workers, in order.
    workers: list[KeptWorker] = []
    types: list[KeptType] = []
    credentials: list[Credential] = []
    #: Pages that must load anew, by their workers: at once (True), or when they are idle.
    reloads: dict[str, bool] = {}
    #: Tokens have changed, or endpoints of webhooks: the store has them.
    tokens: bool = False
    endpoints: bool = False
    #: Targets of messages that are to be sent.
    messages: list[str] = []


class Hint(Struct, frozen=True, omit_defaults=True):
    """What a node has told, in short, at once and perhaps in vain: the others will read all of it in their turns."""

    #: Lanes in which there are ready jobs.
    lanes: list[str] = []
    #: Ids of jobs that have settled, durably.
    settled: list[str] = []

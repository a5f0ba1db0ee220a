"""What a turn has for the other nodes, from what it writes."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from dispatcher.access.commands import UsedTokens
from dispatcher.access.credentials import Credential
from dispatcher.core.jobs.acts.kept import KeptType, KeptWorker
from dispatcher.core.jobs.acts.seen import ReloadPage
from dispatcher.core.jobs.news import Coming, News
from dispatcher.core.jobs.rows import WriteSet
from dispatcher.core.jobs.states import SETTLED
from dispatcher.core.jobs.turn import LiveAttempt
from dispatcher.store.applier.telling import told_targets
from dispatcher.store.requests import Save
from dispatcher.webhooks.commands import DeleteEndpoint, PutEndpoint, Tried

__all__ = ["is_urgent", "news_of"]


def news_of(request: Save, came: Iterable[Coming], moved: Iterable[LiveAttempt]) -> News | None:
    """None: there is nothing to tell. ``came``: pages that have come, with the attempts that have ``moved`` here."""
    writes = request.writes
    left = {lane: [job.rank or 0.0 for job in jobs.values()] for lane, jobs in request.left_ready.items() if jobs}
    news = News(
        ready={lane: min(ranks) for lane, ranks in left.items()},
        changes=list(request.changes),
        came=list(came),
        moved=[attempt.attempt for attempt in moved],
        workers=[one for one in writes.kept if isinstance(one, KeptWorker)],
        types=[one for one in writes.kept if isinstance(one, KeptType)],
        credentials=[one for one in writes.kept if isinstance(one, Credential)],
        reloads={one.worker: one.at_once for one in writes.for_nodes if isinstance(one, ReloadPage)},
        tokens=not all(isinstance(command, UsedTokens) for command in writes.tokens),
        endpoints=_endpoints_changed(writes),
        messages=sorted(told_targets(writes)),
    )
    return None if news == _NOTHING else news


def is_urgent(news: News) -> bool:
    """Whether somebody may wait for it: for a job, for the end of one, or for what people have done."""
    return any(change.new in SETTLED for change in news.changes) or replace(news, changes=[]) != _NOTHING


def _endpoints_changed(writes: WriteSet) -> bool:
    made = any(isinstance(command, PutEndpoint | DeleteEndpoint) for command in writes.hooks)
    return made or any(isinstance(command, Tried) and command.disable is not None for command in writes.hooks)


_NOTHING = News()

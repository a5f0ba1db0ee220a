"""One look at the node for metrics, made of what is counted anyway: it walks over no jobs and no pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from dispatcher.core.jobs.model import TypeView
from dispatcher.core.jobs.views.measures import OTHER_TYPES, Measures
from dispatcher.core.workers.machine import Machine
from dispatcher.node.changes.followers import Feed
from dispatcher.node.turns.activity import Activity
from dispatcher.node.turns.gathering import Intake
from dispatcher.node.waits.waiters import Waiters
from dispatcher.node.webhooks.hooks import Webhooks
from dispatcher.pages.pages import Transport
from dispatcher.store.port import Store

__all__ = ["jobs_by_type", "measured"]


async def measured(
    store: Store,
    activity: Activity,
    machine: Machine,
    transport: Transport,
    waiters: Waiters,
    intake: Intake,
    *,
    webhooks: Webhooks,
    feed: Feed,
    takes_jobs: bool,
    draining: bool,
    has_space: bool,
) -> Measures:
    """The node as it is now, and what it has done since its start."""
    named = await store.named_types(activity.named())
    jobs = jobs_by_type(await store.counts(), named)
    return Measures(
        jobs=jobs, submitted=activity.submitted, offered=activity.offered, settled=activity.settled,
        turns=activity.times(), workers=machine.roster.states(), busy=machine.busy(),
        transport=transport.counted(), sessions=transport.carriers(), waiting_requests=len(waiters),
        intake_jobs=intake.jobs, intake_bytes=intake.bytes,
        webhook_messages=await webhooks.totals(), webhook_attempts=webhooks.attempts(),
        webhook_oldest_s=await webhooks.oldest_s(),
        changes=feed.ring.end, followers=len(feed), gaps=feed.gaps,
        takes_jobs=takes_jobs, draining=draining, has_space=has_space,
    )  # fmt: skip


def jobs_by_type(all_jobs: Mapping[str, int], named: Iterable[TypeView]) -> dict[tuple[str, str], int]:
    """Jobs by type and state; what ``all_jobs``, the counts by state, has beyond the named types is of the others."""
    left = Counter(all_jobs)
    found: dict[tuple[str, str], int] = {}
    for view in named:
        for state, jobs in view.counts.items():
            found[view.type, state] = jobs
            left[state] -= jobs
    # The two are read one after the other: a job may have moved in between.
    return found | {(OTHER_TYPES, state): max(jobs, 0) for state, jobs in left.items()}

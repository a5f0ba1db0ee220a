"""A test job: the example of a task, for one worker alone, to see whether it works. It is a job like any other.

What the examples are the site knows. The reason stands in the job's summary, and in the audit log.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable

from msgspec.structs import replace

from dispatcher.access.acts import Actor, AuditNote
from dispatcher.core.jobs.about import summary_of
from dispatcher.core.jobs.acts.operations import OperationView
from dispatcher.core.jobs.matching import NAME, requirement_of
from dispatcher.core.jobs.model import JobSpec, WorkerStatus, WorkerView
from dispatcher.core.jobs.turn import Accepted
from dispatcher.errors import PagehandError, WrongState
from dispatcher.node.acts.orders import WorkerOrders

__all__ = ["WorkerTests"]


class WorkerTests:
    """Test jobs for workers. ``submit`` takes one job with the token whose rate it counts in; ``note`` notes an act."""

    def __init__(
        self,
        orders: WorkerOrders,
        submit: Callable[[JobSpec, str], Awaitable[Accepted]],
        note: Callable[[AuditNote], None],
    ) -> None:
        self._orders, self._submit, self._note = orders, submit, note

    async def one(self, worker_id: str, examples: Iterable[JobSpec], reason: str, *, actor: Actor) -> Accepted:
        """The job, with the first of these examples whose task the worker offers.

        Raises WorkerNotFound, WrongState, and what a submission does.
        """
        worker = (await self._orders.one(worker_id)).shown
        accepted = await self._submit(_job_for(worker, examples, reason), actor.token)
        if not accepted.replayed:
            self._note(AuditNote(actor, "worker.test", worker.id, reason))
        return accepted

    async def several(self, view: OperationView, worker_ids: Collection[str]) -> dict[str, str | None]:
        """One for each of them, with the order's id as its tag. Of each why there is none; None: there is one."""
        said = await asyncio.gather(*(self._for_order(view, worker_id) for worker_id in worker_ids))
        return dict(zip(worker_ids, said, strict=True))

    async def _for_order(self, view: OperationView, worker_id: str) -> str | None:
        order = view.order
        try:
            worker = (await self._orders.one(worker_id)).shown
            await self._submit(_job_for(worker, order.examples, order.reason, view.id), order.actor.token)
        except PagehandError as error:
            return error.code
        return None


def _job_for(worker: WorkerView, examples: Iterable[JobSpec], reason: str, tag: str = "") -> JobSpec:
    """Raises WrongState."""
    if worker.state is WorkerStatus.GONE:
        raise WrongState("the worker is not here, so no test job can run there now")
    spec = next((one for one in examples if one.type in worker.types), None)
    if spec is None:
        raise WrongState("the worker offers no such task that comes with an example")
    about = replace(spec.about, summary=summary_of(f"Test job: {reason}" if reason else "Test job"))
    return replace(
        spec,
        terms=replace(spec.terms, requires=requirement_of({NAME: [worker.name]})),
        about=replace(about, tags=(tag,)) if tag else about,
        key=spec.key and f"{spec.key}-{worker.id}",
    )

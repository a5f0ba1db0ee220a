"""A test job: the example of a task, for one worker alone, to see whether it works. It is a job like any other.

What the examples are the site knows. The reason stands in the job's summary, and in the audit log.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from msgspec.structs import replace

from dispatcher.access.acts import Actor, AuditNote
from dispatcher.core.jobs.about import summary_of
from dispatcher.core.jobs.matching import NAME, requirement_of
from dispatcher.core.jobs.model import JobSpec, WorkerStatus, WorkerView
from dispatcher.core.jobs.turn import Accepted
from dispatcher.errors import WrongState
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


def _job_for(worker: WorkerView, examples: Iterable[JobSpec], reason: str) -> JobSpec:
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
        about=about,
        key=spec.key and f"{spec.key}-{worker.id}",
    )

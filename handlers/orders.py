"""Orders for many jobs or workers, as API and console take them: for which ones one may be given, and who may see it.

Both hand in a filter or ids; here they become an order, or are refused. This module reads no body and writes nothing.
"""

from __future__ import annotations

from msgspec.structs import replace

from dispatcher.access.scopes import Scope
from dispatcher.core.jobs.acts.operations import OperationAction, OperationOrder, OperationView, WorkerAction
from dispatcher.core.jobs.model import JobFilter
from dispatcher.errors import OperationNotFound
from handlers.rules import Rules

__all__ = ["ANSWER_S", "LONGEST_REASON", "MOST_IDS", "OrderRules", "scopes_for"]

#: The most ids that one order names.
MOST_IDS = 1_000
LONGEST_REASON = 500
#: Orders for workers that need the scope ``admin``, as each for one worker does.
_FOR_ADMINS = (WorkerAction.BLOCK, WorkerAction.UNBLOCK, WorkerAction.FORGET, WorkerAction.LABELS)
#: How long the answer is held for an order that is soon carried out.
ANSWER_S = 5.0


def scopes_for(action: OperationAction | WorkerAction) -> tuple[Scope, ...]:
    """Those that an order needs."""
    if action in _FOR_ADMINS:
        return (Scope.ADMIN,)
    return (Scope.OPERATE, Scope.SUBMIT) if action is WorkerAction.TEST else (Scope.OPERATE,)


class OrderRules(Rules):
    """The rules for addresses that are about orders for many jobs."""

    looks_at_jobs = True

    async def permitted(self, order: OperationOrder) -> OperationOrder:
        """The order for those of its jobs that who asks may know of, with their types. Raises Forbidden.

        Workers are the same for all who may order them about.
        """
        order = replace(order, reason=order.reason.replace("\0", "\ufffd"))
        if isinstance(order.action, WorkerAction):
            for scope in scopes_for(order.action):
                self.principal.needs(scope)
            self.principal.needs_no_bound()
            return order
        ids, asked = await self._own(order.ids), order.wanted if isinstance(order.wanted, JobFilter) else None
        wanted = None if asked is None else self.own_jobs(asked)
        return replace(order, ids=ids, wanted=wanted, types=await self._types(asked, ids))

    async def _own(self, ids: tuple[str, ...]) -> tuple[str, ...]:
        """Where owners are kept apart, also without those that are not there."""
        only = self.only_owner
        if only is None or not ids:
            return ids
        found = await self.site.service.standing(ids)
        return tuple(job_id for job_id in ids if job_id in found and found[job_id].owner == only)

    async def _types(self, wanted: JobFilter | None, ids: tuple[str, ...]) -> tuple[str, ...] | None:
        """The types of its jobs; None: any. Refuses what who asks is not for."""
        if wanted is not None:
            self.principal.needs_types([] if wanted.type is None else [wanted.type])
            return None if wanted.type is None else (wanted.type,)
        found = await self.site.service.standing(ids)
        types = {job.type for job in found.values()}
        self.principal.needs_types_of(types, "One of the jobs is of another type.")
        return tuple(sorted(types))

    def may_know(self, operation: OperationView) -> bool:
        """Whether it is not another's, where owners are kept apart."""
        actor = operation.order.actor
        return self.only_owner is None or (bool(actor.token) and actor.name == self.only_owner)

    def known(self) -> list[OperationView]:
        """The newest, and those that run, the newest first: those that who asks may see."""
        bound = self.principal.types
        return [
            operation
            for operation in self.site.service.operations.all()
            if self.may_know(operation)
            and (bound is None or (operation.order.types is not None and bound.issuperset(operation.order.types)))
        ]

    def one(self, operation_id: str) -> OperationView:
        """One that who asks may see. Raises OperationNotFound, Forbidden for jobs of a type that he is not for."""
        operation = self.site.service.operations.one(operation_id)
        if not self.may_know(operation):
            raise OperationNotFound.named(operation_id)
        if operation.order.types is None:
            self.principal.needs_no_bound()
        else:
            self.principal.needs_types_of(operation.order.types, "The operation is for jobs of another type.")
        return operation

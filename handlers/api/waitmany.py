"""``POST /api/v1/jobs/wait``: one request that waits for many jobs, for all of them or for the first one."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta, Struct

from dispatcher.access.scopes import Scope
from dispatcher.core.jobs.model import JobStanding
from handlers.api.resources import ConsoleApiHandler
from handlers.errors import Invalid, field_error
from handlers.intake import decode_object
from handlers.queries import MAX_WAIT_S

__all__ = ["MOST_IDS", "WaitBody", "WaitHandler"]

#: The most jobs that one request waits for.
MOST_IDS = 1_000


class WaitBody(Struct, frozen=True, forbid_unknown_fields=True):
    """For which jobs to wait: all of them or any, and how long."""

    ids: Annotated[list[Annotated[str, Meta(min_length=1, max_length=64)]], Meta(min_length=1, max_length=MOST_IDS)]
    any: bool = False
    timeout_s: Annotated[float, Meta(ge=0, le=MAX_WAIT_S)] = 0.0


_decoder = msgspec.json.Decoder(WaitBody)
_WORDS = (
    f'must be {{"ids": 1 to {MOST_IDS:,} ids of jobs, "any": true or false, "timeout_s": 0 to {MAX_WAIT_S}}}; '
    "only ids is needed"
)


class WaitHandler(ConsoleApiHandler):
    """It changes nothing, and is a POST only because so many ids have no room in an address."""

    scopes: ClassVar = {"POST": Scope.READ}
    looks_at_jobs = True

    def body_limit(self) -> int:
        """Room for the longest ids."""
        return MOST_IDS * 100

    async def post(self) -> None:
        """Answers when all of the jobs are final or in doubt, or the first one is, or after the time."""
        body = self._body_as_asked()
        ids = list(dict.fromkeys(job_id.lower() for job_id in body.ids))
        known, timeout_s = ids, body.timeout_s
        if self.principal.types is not None or self.only_owner is not None:
            # Who may not see them must not wait for them.
            there = self._own(await self.site.service.standing(ids))
            self._check(there)
            known = [job_id for job_id in ids if job_id in there]
            if body.any and len(known) < len(ids):
                timeout_s = 0.0  # what is not there counts as settled
        waiting = self.site.service.wait_for(known, first=body.any, timeout_s=timeout_s)
        found = await self.client.patiently(waiting)
        if found is not None:
            self.admit_again()
            self._check(found)
            self._tell(ids, found, first=body.any)

    def _own(self, found: dict[str, JobStanding]) -> dict[str, JobStanding]:
        """Without those that who asks may not know of: for him they are not there."""
        only = self.only_owner
        return found if only is None else {job_id: job for job_id, job in found.items() if job.owner == only}

    def _check(self, found: dict[str, JobStanding]) -> None:
        """Refuses jobs of a type that who asks is not for."""
        self.principal.needs_types_of((job.type for job in found.values()), "One of the jobs is of another type.")

    def _tell(self, ids: list[str], found: dict[str, JobStanding], *, first: bool) -> None:
        settled = [job_id not in found or found[job_id].is_settled for job_id in ids]
        items = [{"id": job_id, "state": found[job_id].state if job_id in found else None} for job_id in ids]
        self.answer({"items": items, "done": any(settled) if first else all(settled)})

    def _body_as_asked(self) -> WaitBody:
        try:
            return decode_object(_decoder, bytes(self.body))
        except msgspec.ValidationError:
            raise Invalid([field_error("", _WORDS)]) from None

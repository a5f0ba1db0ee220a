"""The JSON API under ``/api/v1``: verbs that parse, call the service and write. docs/api.md describes it."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from dispatcher.access.principal import Principal
from dispatcher.access.scopes import Scope
from dispatcher.core.jobs.matching import NAME
from dispatcher.core.jobs.model import JobView
from dispatcher.core.jobs.states import FINAL
from dispatcher.errors import BadParameter, JobNotFound, TooLarge, WrongState
from handlers import queries
from handlers.api.amending import copy_of
from handlers.api.endingjson import summary_json
from handlers.api.etags import tag_of
from handlers.api.jobjson import Json, WhyItWaits, job_json, raw, worker_json
from handlers.api.markjson import marks_json
from handlers.api.newjob import OTHER_FIELDS_BYTES, give_job, job_after
from handlers.base import ApiHandler
from handlers.errors import Invalid, field_error
from handlers.intake import check_key, decode_object, to_spec
from handlers.overview.marking import read_marks
from handlers.queries import Filter, next_query, worker_filter
from handlers.signin import signed_in

__all__ = [
    "AdoptHandler",
    "CancelBody",
    "CancelHandler",
    "DecideBody",
    "DecideHandler",
    "DuplicateHandler",
    "EmptyBody",
    "ResultHandler",
    "RetryBody",
    "RetryHandler",
    "StatsHandler",
    "WorkersHandler",
]


class ConsoleApiHandler(ApiHandler):
    """Reading also works with the console's session; a change needs the token itself, which no foreign page can
    send."""

    #: What stands in its address is the name of a type, and no id.
    keeps_capitals: ClassVar[bool] = False

    def who(self) -> Principal | None:
        """Whose token the request has, or, for reading, whose session."""
        given = self.site.guard.shown(self.request.headers, self.request.remote_ip)
        if given is None and self.request.method in ("GET", "HEAD"):
            return signed_in(self, self.site)
        return given or None

    async def check_job(self, job_id: str) -> None:
        """Refuses a job of a type that who asks is not for, and one that he may not know of as if it were not there.

        One that is not there is let pass by who may know of all.
        """
        only = self.only_owner
        if self.principal.types is None and only is None:
            return
        found = await self.site.service.standing([job_id])
        if only is not None and (job_id not in found or found[job_id].owner != only):
            raise JobNotFound.named(job_id)
        self.principal.needs_types_of(standing.type for standing in found.values())

    async def job_after(self, job_id: str, wait_s: float) -> JobView | None:
        """The job after the wait, for who may see it; None: the client went away. Raises JobNotFound.

        Whoever may not see the job must not wait for it: the time of the refusal would tell when it ends.
        """
        if wait_s:
            await self.check_job(job_id)
        job = await job_after(self.site, self.client, job_id, wait_s)
        if job is not None:
            self.admit_again()
            self.check_shown(job)
        return job

    def check_shown(self, job: JobView) -> None:
        """The same for a job that has been read. Raises JobNotFound, Forbidden."""
        if self.only_owner not in (None, job.about.owner):
            raise JobNotFound.named(job.id)
        self.principal.needs_types_of([job.type])

    def decode_argument(self, value: bytes, name: str | None = None) -> str:
        """Ids in the path have small letters; some programs write them large. Called by Tornado."""
        text = super().decode_argument(value, name)
        return text if name is not None or self.keeps_capitals or text.startswith(f"{NAME}:") else text.lower()

    async def why(self, job: JobView) -> WhyItWaits | None:
        """Why it waits, and when it may start.

        Who knows of his own jobs alone is not told when: jobs of others would be counted in it.
        """
        service = self.site.service
        return await service.why_exactly(job) if self.only_owner is None else service.why(job)

    async def write_job(self, job: JobView, status: int = 200) -> None:
        """Ends the answer with one job."""
        why, doubt_url = await self.why(job), self.site.service.doubt_url(job)
        self.set_header("ETag", tag_of(job, why, doubt_url))
        self.answer(job_json(job, why, doubt_url), status)

    async def write_whole(self, job_id: str) -> None:
        """The same, after a command: a turn tells only a part of the job."""
        await self.write_job(await self.site.service.job(job_id))

    def answer_page(
        self, items: list[Json], wanted: Filter, cursor: str | None, beside: Json | None = None, **shape: str
    ) -> None:
        """Ends the answer with a page of a list; the body and the ``Link`` header lead to the next one.

        ``beside``: what the body says besides.
        """
        if cursor is not None:
            self.set_header("Link", f'<{self.own_address()}?{next_query(wanted, cursor, **shape)}>; rel="next"')
        self.answer({"items": items, "next_cursor": cursor} | (beside or {}))


class DuplicateHandler(ConsoleApiHandler):
    """``/api/v1/jobs/<id>/duplicate``. It makes a job, and shows the data of the one that it is made from."""

    scopes: ClassVar = {"POST": (Scope.SUBMIT, Scope.OPERATE)}
    looks_at_jobs = True

    def body_limit(self) -> int:
        """The limit of the data, and room for the other fields."""
        return self.site.settings.body_limit + OTHER_FIELDS_BYTES

    async def post(self, job_id: str) -> None:
        """Submits a job like this one; answers as to any other new job."""
        headers = self.request.headers
        key = check_key(headers.get("Idempotency-Key"))
        original = await self.site.service.job(job_id)
        self.check_shown(original)
        spec = to_spec(copy_of(original, bytes(self.body)), self.site.settings, key, self.site.terms_of)
        answer = await give_job(self, headers, spec, self.client)
        if answer is not None:
            self.give(answer)


class ResultHandler(ConsoleApiHandler):
    """``/api/v1/jobs/<id>/result``: the result alone, as the page sent it."""

    scopes: ClassVar = {"GET": Scope.READ}
    looks_at_jobs = True

    query_fields = queries.WAIT

    async def get(self, job_id: str) -> None:
        """200 with the result, 202 while the job is open, 409 if there will be no result."""
        job = await self.job_after(job_id, queries.wait_argument(self))
        if job is None:
            return
        if job.state not in FINAL:
            self.set_header("Retry-After", "1")
            await self.write_job(job, 202)
        elif job.result is None:
            raise WrongState(
                f"The job has no result: it is {job.state.value}." + (f" {job.detail}" if job.detail else "")
            )
        else:
            self.answer(raw(job.result))

    head = get


class CancelBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Why the job is cancelled."""

    reason: Annotated[str, Meta(max_length=500)] = ""


class RetryBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Why the job is run again; the audit log keeps it."""

    reason: Annotated[str, Meta(max_length=500)] = ""


class EmptyBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing: an empty object, or no body at all."""


_cancel_decoder = msgspec.json.Decoder(CancelBody)
_retry_decoder = msgspec.json.Decoder(RetryBody)
_empty_decoder = msgspec.json.Decoder(EmptyBody)


_Reasoned = TypeVar("_Reasoned", CancelBody, RetryBody)


def _reason(decoder: msgspec.json.Decoder[_Reasoned], body: bytes) -> str:
    """What a body says that may have a reason and nothing else. Raises BadRequest, Invalid."""
    try:
        return _storable(decode_object(decoder, body or b"{}").reason)
    except msgspec.ValidationError:
        raise Invalid([field_error("reason", "is all there may be: a text of at most 500 characters")]) from None


def _storable(text: str) -> str:
    """Replaces NUL, which not every store can hold, by a visible sign, as in the texts of pages."""
    return text.replace("\0", "\ufffd")


class CancelHandler(ConsoleApiHandler):
    """``/api/v1/jobs/<id>/cancel``."""

    scopes: ClassVar = {"POST": Scope.OPERATE}
    looks_at_jobs = True

    async def post(self, job_id: str) -> None:
        """200: the job was waiting. 202: it was running, and its page has yet to hear of it."""
        reason = _reason(_cancel_decoder, bytes(self.body))
        await self.check_job(job_id)
        await self.site.service.cancel(job_id, reason, actor=self.actor("api"))
        job = await self.site.service.job(job_id)
        # If an attempt ended with its job, the job was running.
        ran = any(attempt.state == "cancelled" and attempt.ended_at == job.ended_at for attempt in job.attempts)
        await self.write_job(job, 202 if ran else 200)


class RetryHandler(ConsoleApiHandler):
    """``/api/v1/jobs/<id>/retry``."""

    scopes: ClassVar = {"POST": Scope.OPERATE}
    looks_at_jobs = True

    async def post(self, job_id: str) -> None:
        """Another round for a job that has ended without a result, or is in doubt."""
        reason = _reason(_retry_decoder, bytes(self.body))
        await self.check_job(job_id)
        await self.site.service.retry(job_id, reason, actor=self.actor("api"))
        await self.write_whole(job_id)


class DecideBody(Struct, frozen=True, forbid_unknown_fields=True):
    """How a job in doubt ended; or that a decision about it is taken back."""

    outcome: Literal["succeeded", "failed", "in_doubt"]
    value: Raw | UnsetType = UNSET
    reason: Annotated[str, Meta(max_length=500)] = ""


_decide_decoder = msgspec.json.Decoder(DecideBody)


class DecideHandler(ConsoleApiHandler):
    """``/api/v1/jobs/<id>/decide``."""

    scopes: ClassVar = {"POST": Scope.OPERATE}
    looks_at_jobs = True

    def body_limit(self) -> int:
        """The limit of the result, and room for the other fields."""
        return self.site.settings.body_limit + 16_384

    async def post(self, job_id: str) -> None:
        """Settles a job in doubt: it succeeded, with a result, or it failed. (``retry`` runs it again.) Or takes that
        back: it is in doubt again."""
        body, actor = self._decision(), self.actor("api")
        if body.outcome == "in_doubt":
            await self.check_job(job_id)
            await self.site.service.reopen(job_id, _storable(body.reason), actor=actor)
            return await self.write_whole(job_id)
        value = None if body.value is UNSET else bytes(body.value).decode()
        if body.outcome == "failed":
            value = None
        elif value is None:
            value = "null"
        if value is not None and len(value.encode()) > self.site.settings.body_limit:
            raise TooLarge(f"value is over the limit of {self.site.settings.body_limit:,} bytes (--body-limit).")
        await self.check_job(job_id)
        await self.site.service.decide(job_id, value, _storable(body.reason), actor=actor)
        return await self.write_whole(job_id)

    def _decision(self) -> DecideBody:
        try:
            return decode_object(_decide_decoder, bytes(self.body) or b"{}")
        except msgspec.ValidationError:
            words = (
                'must be {"outcome": "succeeded", "failed" or "in_doubt", "value": any JSON, '
                '"reason": at most 500 characters}'
            )
            raise Invalid([field_error("", words)]) from None


class AdoptHandler(ConsoleApiHandler):
    """``/api/v1/jobs/<id>/adopt``."""

    scopes: ClassVar = {"POST": Scope.OPERATE}
    looks_at_jobs = True

    async def post(self, job_id: str) -> None:
        """Makes the late answer of a failed job (its ``evidence``) its result."""
        try:
            decode_object(_empty_decoder, bytes(self.body) or b"{}")
        except msgspec.ValidationError:
            raise Invalid([field_error("", "must be empty or an empty object")]) from None
        await self.check_job(job_id)
        await self.site.service.adopt(job_id, actor=self.actor("api"))
        await self.write_whole(job_id)


class WorkersHandler(ConsoleApiHandler):
    """``/api/v1/workers``."""

    scopes: ClassVar = {"GET": Scope.READ}

    query_fields = queries.WORKERS

    async def get(self) -> None:
        """A page of the list of workers, by name: those that are here, and those that were here and have gone."""
        wanted = worker_filter(self)
        page = await self.site.service.known_workers(wanted)
        self.answer_page([worker_json(worker) for worker in page.items], wanted, page.next_cursor)

    head = get


class StatsHandler(ConsoleApiHandler):
    """``/api/v1/stats``."""

    scopes: ClassVar = {"GET": Scope.READ}

    query_fields = queries.STATS

    async def get(self) -> None:
        """Counters: jobs by state, workers by state; and how jobs have ended, if a type or a window is named."""
        name, window_s = queries.stats_arguments(self)
        wants_marks = queries.flag_argument(self, "marks")
        if wants_marks and window_s is None:
            raise BadParameter("marks are those of a time: name it, too, as in window=24h.", parameter="marks")
        jobs = await self.site.service.counts()
        workers = await self.site.service.all_worker_counts()
        told = {"jobs": jobs, "workers": workers, "draining": self.site.service.draining}
        if window_s is not None:
            ended = await self.site.service.types.ended(name, window_s)
            told["ended"] = summary_json(ended)
            if wants_marks:
                told["marks"] = marks_json(
                    await read_marks(self.site, ended.steps.first, type_name=name), self.site.prefix.link
                )
        self.answer(told)

    head = get

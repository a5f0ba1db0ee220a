"""``/api/v1/workers/<id>``: one worker, and what operators order of it. docs/api.md describes it."""

from __future__ import annotations

from typing import Annotated, ClassVar, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import replace

from dispatcher.access.scopes import Scope
from dispatcher.core.jobs.matching import NAME
from dispatcher.core.jobs.model import OneWorkerView
from dispatcher.core.jobs.terms import LONGEST_TYPE, MOST_LABELS, LabelName, LabelValue
from handlers.api.jobjson import job_lines, one_worker_json
from handlers.api.newjob import answer_with
from handlers.api.resources import ConsoleApiHandler
from handlers.errors import Invalid, field_error
from handlers.intake import check_key, decode_object
from handlers.testjobs import example_jobs

__all__ = [
    "LINE",
    "LONGEST_NAME",
    "LONGEST_NOTE",
    "LONGEST_REASON",
    "Labels",
    "OrderBody",
    "Reason",
    "ReloadBody",
    "WorkerBlockHandler",
    "WorkerBody",
    "WorkerDrainHandler",
    "WorkerForgetHandler",
    "WorkerHandler",
    "WorkerPauseHandler",
    "WorkerReloadHandler",
    "WorkerResumeHandler",
    "WorkerTestBody",
    "WorkerTestHandler",
    "WorkerUnblockHandler",
    "reason_in",
]

LONGEST_NAME, LONGEST_NOTE, LONGEST_REASON = 100, 1_000, 200
# No control characters: these stand in lists, on pages and in logs.
LINE = r"^[^\x00-\x1f\x7f]*$"
Labels = Annotated[dict[LabelName, LabelValue | None], Meta(max_length=MOST_LABELS)]
Reason = Annotated[str, Meta(max_length=LONGEST_REASON, pattern=LINE)]


class WorkerBody(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is to be different. null takes back what an operator has said: the page's own stands again."""

    # Comes first: the audit log cuts the end of what is long.
    reason: Reason = ""
    name: Annotated[str, Meta(max_length=LONGEST_NAME, pattern=LINE)] | UnsetType | None = UNSET
    note: Annotated[str, Meta(max_length=LONGEST_NOTE)] | UnsetType | None = UNSET
    labels: Labels | UnsetType = UNSET
    #: null ends its credential: its page must join anew.
    joined: UnsetType | None = UNSET


class OrderBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Why: whoever asks later reads it, and of a pause and a block the person at the page."""

    reason: Reason = ""


class ReloadBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Whether the page loads anew at once, and loses what it does, or when it has nothing to do; and why."""

    now: bool = False
    reason: Reason = ""


class WorkerTestBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Which task's example the worker gets (empty: the first that it offers), and why."""

    type: Annotated[str, Meta(max_length=LONGEST_TYPE)] = ""
    reason: Reason = ""


T = TypeVar("T")
_change = msgspec.json.Decoder(WorkerBody)
_test = msgspec.json.Decoder(WorkerTestBody)
_order = msgspec.json.Decoder(OrderBody)
_reload = msgspec.json.Decoder(ReloadBody)
_CHANGE_WORDS = (
    f'must be {{"name": at most {LONGEST_NAME} characters, "note": at most {LONGEST_NOTE:,}, "labels": an object of at '
    f'most {MOST_LABELS} labels, "joined": null, "reason": a line of at most {LONGEST_REASON}}}; null takes back what '
    "an operator has said, or the credential"
)


def reason_in(body: bytes) -> str:
    """The reason for an order, in its body. Raises Invalid."""
    words = f"is all there may be: a line of at most {LONGEST_REASON} characters"
    return _decoded(_order, body, words, "reason").reason.strip()


def _decoded(decoder: msgspec.json.Decoder[T], body: bytes, words: str, field: str = "") -> T:
    """A body, which may be empty. Raises Invalid with these words about the field."""
    try:
        return decode_object(decoder, body or b"{}")
    except msgspec.ValidationError:
        raise Invalid([field_error(field, words)]) from None


class OneWorkerHandler(ConsoleApiHandler):
    """What the addresses of one worker share."""

    async def show(self, worker: OneWorkerView) -> None:
        """Ends the answer with the worker and its newest jobs."""
        jobs = await self.site.service.recent_of(worker)
        day = self.site.service.day_of(worker, jobs)
        self.answer(one_worker_json(worker, job_lines(jobs, self.site.service.why), day))

    def reason(self) -> str:
        """The reason in the body. Raises Invalid."""
        return reason_in(bytes(self.body))


class WorkerHandler(OneWorkerHandler):
    """``/api/v1/workers/<id>``."""

    scopes: ClassVar = {"GET": Scope.READ, "PATCH": Scope.ADMIN}

    async def get(self, worker_id: str) -> None:
        """One that is here, or was here, or of which an operator has said something."""
        await self.show(await self.site.service.orders.one(worker_id))

    head = get

    async def patch(self, worker_id: str) -> None:
        """Gives it a name, a note, labels: they win over the page's, and stay over restarts."""
        body = self._wanted()
        labels, reason = None if body.labels is UNSET else body.labels, body.reason.strip()
        if labels and NAME in labels:
            raise Invalid([field_error("labels", "has no label `name`: the name is a field of its own")])
        orders, actor = self.site.service.orders, self.actor("api")
        if replace(body, reason="") != WorkerBody(joined=None):
            worker = await orders.describe(
                worker_id,
                actor=actor,
                wanted=msgspec.json.encode(replace(body, reason=reason)).decode(),
                name=None if body.name is UNSET else (body.name or "").strip(),
                note=None if body.note is UNSET else (body.note or "").replace("\0", "\ufffd"),
                labels=labels,
            )
        if body.joined is None:
            worker = await orders.end_credential(worker_id, reason, actor=actor)
        await self.show(worker)

    def _wanted(self) -> WorkerBody:
        return _decoded(_change, bytes(self.body), _CHANGE_WORDS)


class WorkerPauseHandler(OneWorkerHandler):
    """``/api/v1/workers/<id>/pause``."""

    scopes: ClassVar = {"POST": Scope.OPERATE}

    async def post(self, worker_id: str) -> None:
        """It gets no more jobs until it is resumed; those that it has go on."""
        await self.show(await self.site.service.orders.pause(worker_id, self.reason(), actor=self.actor("api")))


class WorkerDrainHandler(OneWorkerHandler):
    """``/api/v1/workers/<id>/drain``."""

    scopes: ClassVar = {"POST": Scope.OPERATE}

    async def post(self, worker_id: str) -> None:
        """The same, and its page says goodbye when it has finished what it has."""
        await self.show(
            await self.site.service.orders.pause(worker_id, self.reason(), actor=self.actor("api"), leaves=True)
        )


class WorkerResumeHandler(OneWorkerHandler):
    """``/api/v1/workers/<id>/resume``."""

    scopes: ClassVar = {"POST": Scope.OPERATE}

    async def post(self, worker_id: str) -> None:
        """No operator keeps it from jobs any more. A pause of the person at the page stays."""
        await self.show(await self.site.service.orders.resume(worker_id, self.reason(), actor=self.actor("api")))


class WorkerReloadHandler(OneWorkerHandler):
    """``/api/v1/workers/<id>/reload``."""

    scopes: ClassVar = {"POST": Scope.OPERATE}

    async def post(self, worker_id: str) -> None:
        """Its page loads anew when it has nothing to do, or at once."""
        words = f'must be {{"now": true or false, "reason": a line of at most {LONGEST_REASON} characters}}'
        body = _decoded(_reload, bytes(self.body), words)
        orders, actor = self.site.service.orders, self.actor("api")
        await self.show(await orders.reload(worker_id, body.reason.strip(), actor=actor, at_once=body.now))


class WorkerBlockHandler(OneWorkerHandler):
    """``/api/v1/workers/<id>/block``."""

    scopes: ClassVar = {"POST": Scope.ADMIN}

    async def post(self, worker_id: str) -> None:
        """Its page is turned away, with the reason, until it is unblocked; what it has goes to others."""
        await self.show(await self.site.service.orders.block(worker_id, self.reason(), actor=self.actor("api")))


class WorkerTestHandler(OneWorkerHandler):
    """``/api/v1/workers/<id>/test``."""

    scopes: ClassVar = {"POST": (Scope.SUBMIT, Scope.OPERATE)}

    async def post(self, worker_id: str) -> None:
        """Submits a job for it alone: the example of one of its tasks. Answers as to any other new job."""
        words = f'must be {{"type": a task\'s name, "reason": a line of at most {LONGEST_REASON} characters}}'
        body = _decoded(_test, bytes(self.body), words)
        examples = example_jobs(self, body.type, check_key(self.request.headers.get("Idempotency-Key")))
        service, actor = self.site.service, self.actor("api")
        accepted = await service.tests.one(worker_id, examples, body.reason.strip(), actor=actor)
        assert accepted.job is not None, "it raises where it accepts nothing"
        job = await service.job(accepted.job.id) if accepted.replayed else accepted.job
        self.give(answer_with(self.site, accepted, job))


class WorkerForgetHandler(OneWorkerHandler):
    """``/api/v1/workers/<id>/forget``."""

    scopes: ClassVar = {"POST": Scope.ADMIN}

    async def post(self, worker_id: str) -> None:
        """It stands in no list any more, and nothing is kept of it; jobs that it had keep its name."""
        await self.show(await self.site.service.orders.forget(worker_id, self.reason(), actor=self.actor("api")))


class WorkerUnblockHandler(OneWorkerHandler):
    """``/api/v1/workers/<id>/unblock``."""

    scopes: ClassVar = {"POST": Scope.ADMIN}

    async def post(self, worker_id: str) -> None:
        """Its page may come again, which it tries every five minutes."""
        await self.show(await self.site.service.orders.unblock(worker_id, self.reason(), actor=self.actor("api")))

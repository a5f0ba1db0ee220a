"""``POST /api/v1/jobs/batch``: many jobs in one request, all or none (promise S3). docs/api.md describes it."""

from __future__ import annotations

import hashlib
from typing import ClassVar

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from dispatcher.access.scopes import Scope
from dispatcher.core.jobs.keys import key_in_batch
from dispatcher.core.jobs.model import JobSpec
from dispatcher.errors import BadRequest, TooLarge
from dispatcher.reading import without_mark
from handlers.api.batches import batch_address
from handlers.api.jobjson import job_lines
from handlers.api.resources import ConsoleApiHandler
from handlers.carried import carried
from handlers.errors import FieldError, Invalid, field_error
from handlers.intake import JobBody, check_key, decode_json, parse_job, to_spec
from handlers.mediatype import JSON, LINES, media_type
from handlers.site import Site

__all__ = ["MOST_BYTES", "MOST_JOBS", "BatchHandler"]

#: The most jobs in a batch; they go into one turn of the store.
MOST_JOBS = 1_000
#: The most bytes of a body. This limits the work of finding the jobs in it before they are counted.
MOST_BYTES = 1 << 20
#: After this many errors the rest of the batch is not read.
_MOST_PROBLEMS = 20

_items_decoder = msgspec.json.Decoder(list[Raw])


class BatchHandler(ConsoleApiHandler):
    """Takes a JSON array of jobs, or one job per line."""

    scopes: ClassVar = {"POST": Scope.SUBMIT}
    looks_at_jobs = True
    media_types = (JSON, LINES)

    def body_limit(self) -> int:
        """The limit of the whole batch."""
        return MOST_BYTES

    async def post(self) -> None:
        """Submits the jobs; answers when all are durable."""
        key = self.kept_key(check_key(self.request.headers.get("Idempotency-Key")))
        in_lines = media_type(self.request.headers.get("Content-Type") or "").name == LINES
        jobs = _parse(_lines(bytes(self.body)) if in_lines else _array(bytes(self.body)))
        specs = _specs(jobs, self.site, key)
        for spec in specs:
            self.principal.needs_type(spec.type)
        accepted = await self.site.service.submit_batch(
            [carried(spec, self.request.headers, self.site.tasks, self.principal.owner, spec.key) for spec in specs],
            token_id=self.principal.token_id,
        )
        views = [item.job for item in accepted if item.job is not None]
        replayed = accepted[0].replayed
        if replayed:
            self.set_header("Idempotency-Replayed", "true")
        batch_id = views[0].batch
        if batch_id is not None:  # it was taken by a version that knew no batches
            self.set_header("Location", self.site.prefix.link(batch_address(batch_id)))
        self.answer({"batch": batch_id, "items": job_lines(views, self.site.service.why)}, 200 if replayed else 201)


#: The text of a job, and the number of the line in which it begins.
_Item = tuple[bytes, int]


def _array(body: bytes) -> list[_Item]:
    try:
        return [(bytes(item), 1) for item in decode_json(_items_decoder, body)]
    except msgspec.ValidationError:
        raise Invalid([field_error("", "must be an array of jobs")]) from None


def _lines(body: bytes) -> list[_Item]:
    """Files that were joined have a byte order mark in front of each."""
    return [(line, number) for number, line in enumerate(body.split(b"\n"), 1) if without_mark(line).strip()]


def _parse(items: list[_Item]) -> list[JobBody]:
    """Parses the jobs. Raises BadRequest (not JSON), or Invalid with all errors of the first bad jobs."""
    if not 1 <= len(items) <= MOST_JOBS:
        raise Invalid([field_error("", f"must hold 1 to {MOST_JOBS:,} jobs, and holds {len(items):,}")])
    jobs: list[JobBody] = []
    problems: list[FieldError] = []
    for index, (item, line) in enumerate(items):
        try:
            jobs.append(parse_job(item, line))
        except Invalid as error:
            problems += [_within(index, problem) for problem in error.errors]
        except BadRequest as error:
            raise BadRequest(f"Job {index} (the first is 0): {error.detail}", code=error.code) from None
        if len(problems) > _MOST_PROBLEMS:
            break
    if problems:
        raise Invalid(problems)
    return jobs


def _within(index: int, problem: FieldError) -> FieldError:
    return {**problem, "pointer": f"#/{index}{problem['pointer'].removeprefix('#')}"}


def _specs(jobs: list[JobBody], site: Site, key: str | None) -> list[JobSpec]:
    """The jobs, each with a key of its own; all have the fingerprint of the whole batch."""
    specs = [_spec(index, job, site) for index, job in enumerate(jobs)]
    if key is None:
        return specs
    digest = hashlib.sha256(msgspec.json.encode(jobs)).hexdigest()
    return [replace(spec, key=key_in_batch(key, index), fingerprint=digest) for index, spec in enumerate(specs)]


def _spec(index: int, job: JobBody, site: Site) -> JobSpec:
    try:
        return to_spec(job, site.settings, None, site.terms_of)
    except Invalid as error:
        raise Invalid([_within(index, problem) for problem in error.errors]) from None
    except TooLarge as error:
        raise TooLarge(f"Job {index} (the first is 0): {error.detail}") from None
    except BadRequest as error:
        words, place = f"Job {index} (the first is 0): {error.detail}", f"/{index}{error.pointer}"
        raise BadRequest(words, code=error.code, pointer=place, semantic=error.semantic) from None

"""One new job by ``POST /api/v1/jobs``: what may come, and what is answered. It knows neither a handler nor a
connection, so that the handler and the short way have the same rules and answers.
"""

from __future__ import annotations

import re
from typing import ClassVar

from dispatcher.access.scopes import Scope
from dispatcher.core.jobs.model import JobSpec, JobView
from dispatcher.core.jobs.turn import Accepted
from handlers.answers import JSON_TEXT, HttpAnswer, as_json
from handlers.api import formjob
from handlers.api.jobjson import job_json
from handlers.carried import carried
from handlers.client import AskingClient
from handlers.forms.formbody import form_limit
from handlers.guard import Headers
from handlers.intake import check_key, parse_job, to_spec
from handlers.queries import MAX_WAIT_S
from handlers.rules import ApiRules, Rules
from handlers.site import Site

__all__ = ["OTHER_FIELDS_BYTES", "NewJobRules", "answer_with", "give_job", "job_after", "submit"]

#: Room for the fields of a job besides its data.
OTHER_FIELDS_BYTES = 16_384
_WAIT = re.compile(r'\bwait\s*=\s*"?([0-9]{1,9})"?', re.IGNORECASE)


class NewJobRules(ApiRules):
    """The rules for the address and the body of a job."""

    scopes: ClassVar = {"GET": Scope.READ, "POST": Scope.SUBMIT}
    looks_at_jobs = True

    def body_limit(self) -> int:
        """The limit of the data, and room for the other fields."""
        limit = self.site.settings.body_limit
        return form_limit(limit) if formjob.is_form(self.request.headers) else limit + OTHER_FIELDS_BYTES

    def check_media_type(self) -> None:
        """Takes a form, too, if no foreign page can have sent it."""
        if formjob.is_form(self.request.headers):
            formjob.check_sender(self.request.headers)
        else:
            super().check_media_type()


async def submit(rules: Rules, headers: Headers, body: bytes, client: AskingClient) -> HttpAnswer | None:
    """Submits the job; answers when it is durable, or later if that is preferred. None: the client went away."""
    return await give_job(rules, headers, _spec(headers, body, rules.site), client)


async def give_job(rules: Rules, headers: Headers, spec: JobSpec, client: AskingClient) -> HttpAnswer | None:
    """The same, of a job that is read already. Raises Forbidden for a type that the principal is not for."""
    site = rules.site
    rules.principal.needs_type(spec.type)
    wait_s = _preferred_wait_s(headers)
    spec = carried(spec, headers, site.tasks, rules.principal.owner, rules.kept_key(spec.key))
    given = await _given(rules, spec, client, wait_s or 0)
    if given is None:
        return None
    if wait_s:
        rules.admit_again()
    accepted, job = given
    return answer_with(site, accepted, job, wait_s)


def answer_with(site: Site, accepted: Accepted, job: JobView, wait_s: int | None = None) -> HttpAnswer:
    """The job that was submitted. ``wait_s``: for how long somebody has preferred to wait; None: nobody has."""
    told = {"Content-Type": JSON_TEXT, "Location": site.prefix.link(f"/api/v1/jobs/{job.id}")}
    if accepted.replayed:
        told["Idempotency-Replayed"] = "true"
    if wait_s is not None:
        told["Preference-Applied"] = f"wait={wait_s}"
    document = site.prefix.document(job_json(job, site.service.why(job)))
    return HttpAnswer(200 if accepted.replayed else 201, told, as_json(document))


async def _given(rules: Rules, spec: JobSpec, client: AskingClient, wait_s: float) -> tuple[Accepted, JobView] | None:
    """What became of the submission, and the job after the wait; None: the client went away."""
    site, token_id = rules.site, rules.principal.token_id
    if wait_s:
        return await client.patiently(site.service.submit_and_wait(spec, wait_s, token_id=token_id))
    accepted = await site.service.submit(spec, token_id=token_id)
    assert accepted.job is not None, "submit() raises where it accepts nothing"
    return accepted, await site.service.job(accepted.job.id) if accepted.replayed else accepted.job


def _spec(headers: Headers, body: bytes, site: Site) -> JobSpec:
    if formjob.is_form(headers):
        return formjob.spec_of_form(headers, body, site)
    key = check_key(headers.get("Idempotency-Key"))
    return to_spec(parse_job(body), site.settings, key, site.terms_of)


def _preferred_wait_s(headers: Headers) -> int | None:
    """``Prefer: wait=N``; a preference that is not understood is ignored, as RFC 7240 asks."""
    preferred = headers.get("Prefer")
    match = None if preferred is None else _WAIT.search(preferred)
    return None if match is None else min(int(match[1]), MAX_WAIT_S)


async def job_after(site: Site, client: AskingClient, job_id: str, wait_s: float) -> JobView | None:
    """The job after the wait; None if the client went away."""
    if wait_s == 0:
        return await site.service.job(job_id)
    return await client.patiently(site.service.wait(job_id, wait_s))

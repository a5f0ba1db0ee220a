"""An answer as a value, or as the exception that says what to do. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .errors import (
    Draining,
    Forbidden,
    Invalid,
    JobCancelled,
    JobExpired,
    JobFailed,
    JobInDoubt,
    JobUnsuccessful,
    KeyConflict,
    NotFound,
    NotPagehand,
    PagehandClientError,
    QueueFull,
    RequestRefused,
    StorageFull,
    TooLarge,
    Unauthorized,
    Unavailable,
    WrongState,
)
from .exchange import ServerAnswer
from .facts import OPEN, JobFacts

__all__ = ["error_of", "fields_of", "outcome_of", "value_of"]

_BY_CODE: Mapping[str, type[RequestRefused]] = {
    "draining": Draining,
    "invalid": Invalid,
    "key_conflict": KeyConflict,
    "queue_full": QueueFull,
    "storage_full": StorageFull,
    "wrong_state": WrongState,
}
_BY_STATUS: Mapping[int, type[RequestRefused]] = {
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    413: TooLarge,
    429: Unavailable,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}
_ADVICE: Mapping[type[RequestRefused], str] = {
    Unauthorized: "Give the server's token: Client(token=...), PAGEHAND_TOKEN, or token in the file of settings.",
    KeyConflict: "The same key means the same job: use another key for another job.",
    QueueFull: "Wait until jobs have run, or let the administrator raise --queue-depth.",
    TooLarge: "Send less, or let the administrator raise --body-limit.",
    NotFound: "It may have been removed after its time, or belongs to another server.",
    Draining: "Try again when it has been started again.",
}


def value_of(answer: ServerAnswer) -> Any:
    """What the answer says, if it is a good one. Raises PagehandClientError."""
    if 200 <= answer.status < 300 and answer.is_json:
        try:
            return json.loads(answer.body)
        except ValueError as error:
            raise NotPagehand(f"the answer says that it is JSON, and is not: {error}") from error
    raise error_of(answer)


def fields_of(value: Any, *names: str) -> dict[str, Any]:
    """The value, if it is an object with these fields. Raises NotPagehand: other programs speak JSON, too."""
    if not isinstance(value, dict) or not value.keys() >= set(names):
        raise NotPagehand("The answer is JSON, but not Pagehand's: is the address right?")
    return value


def error_of(answer: ServerAnswer, key: str = "") -> PagehandClientError:
    """The exception for an answer that is not good."""
    problem = _problem(answer)
    if problem is None:
        return _foreign(answer)
    kind = _BY_CODE.get(str(problem.get("code"))) or _BY_STATUS.get(answer.status, RequestRefused)
    detail = str(problem.get("detail") or problem.get("title") or f"status {answer.status}")
    return kind(" ".join(filter(None, [_sentence(detail), _ADVICE.get(kind, "")])), problem=problem, key=key)


def _sentence(words: str) -> str:
    return words if words.endswith((".", "!", "?")) else words + "."


def _problem(answer: ServerAnswer) -> dict[str, Any] | None:
    try:
        found = json.loads(answer.body) if answer.is_json else None
    except ValueError:
        return None
    return found if isinstance(found, dict) and "code" in found else None


def _foreign(answer: ServerAnswer) -> PagehandClientError:
    """Something before the server answered, or no server of ours."""
    kind = answer.headers.get("content-type", "no type") or "no type"
    if answer.status in (502, 503, 504):
        words = f"A proxy answered {answer.status} ({kind}): it does not reach the server."
        return Unavailable(words, problem={"status": answer.status})
    if location := answer.headers.get("location", ""):
        return NotPagehand(f"The address leads elsewhere ({answer.status}): use {location.partition('?')[0]} as url.")
    return NotPagehand(
        f"The answer {answer.status} ({kind}) is not Pagehand's: is the address right, or has a proxy a sign-in?"
    )


# -- the end of a job


def outcome_of(job: JobFacts) -> Any:
    """Its result. Raises what became of it instead."""
    if job.state == "succeeded":
        return job.fields.get("result")
    assert job.state not in OPEN, job.state
    raise _ends(job)


def _ends(job: JobFacts) -> JobUnsuccessful:
    who = f"the job {job.id} ({job.type})"
    error = job.fields.get("error") or {}
    why = error.get("message") or job.fields.get("detail") or job.fields.get("reason") or "nobody says why"
    if job.state == "in_doubt":
        words = f"{who} may or may not have done its work: {why}. Somebody must look, and decide: {job.url}"
        return JobInDoubt(words, job=job)
    if job.state == "cancelled":
        return JobCancelled(f"{who} was cancelled: {job.fields.get('detail') or 'nobody says why'}", job=job)
    if job.state == "expired":
        return JobExpired(f"{who} could not start in time: {why}", job=job)
    tries = job.fields.get("number") or 0
    return JobFailed(f"{who} failed after {tries} {'try' if tries == 1 else 'tries'}: {why}. See {job.url}", job=job)

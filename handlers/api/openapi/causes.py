"""The problems that an address can answer with: for each code its status, by ``handlers/errors.py``, and its cause."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from dispatcher import errors
from dispatcher.errors import BadRequest, PagehandError
from handlers.errors import Invalid, problem_of

__all__ = ["CAUSES", "COMMAND", "NEW_JOB", "READ", "SEMANTIC", "ProblemCause", "by_status"]


class ProblemCause(NamedTuple):
    """Why a request is refused."""

    status: int
    code: str
    words: str


def _cause(error: PagehandError | None, words: str) -> ProblemCause:
    problem = problem_of(error)
    return ProblemCause(problem.status, problem.code, words)


#: A body of the right form that cannot be used; it shares its code with one that cannot be read.
SEMANTIC = "bad_request (422)"

_ALL = (
    _cause(BadRequest("", code="bad_json"), "The body is not JSON in UTF-8, or is nested too deeply."),
    _cause(BadRequest("", code="bad_key"), "The idempotency key is not 1 to 255 printable ASCII characters."),
    _cause(errors.BadParameter(""), "A field of the query is unknown, out of range or given twice."),
    _cause(BadRequest(""), "The request is malformed in some other way."),
    _cause(errors.Unauthorized(""), "The token is missing or wrong."),
    _cause(errors.Forbidden("", code="forbidden_host"), "The Host is not a name of this server."),
    _cause(errors.Forbidden("", code="forbidden_origin"), "The Origin is a foreign one."),
    _cause(errors.Forbidden("", code="forbidden_scope"), "The token lacks the scope, which the answer names."),
    _cause(errors.Forbidden("", code="forbidden_type"), "The token is bound to other types of jobs."),
    _cause(errors.Forbidden("", code="forbidden_owner"), "The token may know of its own jobs alone (`--isolate`)."),
    _cause(errors.JobNotFound(""), "Nothing has this id or name."),
    _cause(errors.WrongState(""), "The state of the job does not allow this."),
    _cause(errors.WrongState("", code="count_changed"), "Another number of jobs matches than was expected."),
    _cause(errors.WrongState("", code="refused"), "The store cannot hold this text."),
    _cause(errors.VersionMismatch(""), "The job has changed since it was read: `If-Match` has none of its tags."),
    _cause(errors.TooLarge(""), "The body or a value is over its limit."),
    _cause(errors.Unsupported(""), "The Content-Type is not one that this address takes, or the body is compressed."),
    _cause(Invalid([]), "The fields that `errors` names are wrong."),
    _cause(BadRequest("", code="callback_refused", semantic=True), "No callback may go to the `callback_url`."),
    _cause(errors.KeyConflict(""), "The idempotency key was used before with another body."),
    _cause(errors.TooManyGuesses("", retry_after_s=1), "Many wrong tokens have come from where this one comes from."),
    _cause(errors.TooManyJobs("", retry_after_s=1), "The token has submitted as many new jobs as it may for now."),
    _cause(None, "The server has a fault; its log says more under the request id."),
    _cause(errors.QueueFull(""), "Too many jobs are open, or too many bytes of data."),
    _cause(errors.TooManyTypes(""), "The job names a new type, and the server knows as many as it may."),
    _cause(errors.StorageFull(""), "The server's disk is nearly full, or full."),
    _cause(errors.StorageAway(""), "The database does not answer; nothing was changed."),
    _cause(errors.BackupFailed(""), "No backup can begin: its directory cannot be used."),
    _cause(errors.Starting(""), "The server is starting."),
    _cause(errors.Draining(""), "The server is stopping."),
    _cause(errors.StorageTrouble(""), "The store failed: nobody knows whether the change was kept."),
    _cause(errors.Unavailable(""), "Too many requests wait or read whole lists, or too many jobs wait to be stored."),
)
#: By the code.
CAUSES = {cause.code: cause for cause in _ALL}
CAUSES[SEMANTIC] = _cause(BadRequest("", semantic=True), "The store cannot hold this text.")

#: What may go wrong with every address that reads the store, changes a job, or makes one.
READ = ("draining", "storage_trouble", "storage_away")
COMMAND = (*READ, "storage_full")
NEW_JOB = (
    *COMMAND,
    "queue_full",
    "too_many_jobs",
    "too_many_types",
    "unavailable",
    "refused",
    "key_conflict",
    "bad_key",
    "invalid",
    "callback_refused",
)


def by_status(names: Iterable[str]) -> dict[int, list[ProblemCause]]:
    """The causes by status, in order; each once."""
    found: dict[int, list[ProblemCause]] = {}
    for cause in sorted({CAUSES[name] for name in names}):
        found.setdefault(cause.status, []).append(cause)
    return found

"""The exceptions of the client: one tree. Each carries the ``job`` and the ``problem`` that it is about, if any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .facts import JobFacts

__all__ = [
    "BadConfig",
    "ChangesMissed",
    "Draining",
    "Forbidden",
    "Invalid",
    "JobCancelled",
    "JobExpired",
    "JobFailed",
    "JobInDoubt",
    "JobTimeout",
    "JobUnsuccessful",
    "KeyConflict",
    "NotFound",
    "NotPagehand",
    "PagehandClientError",
    "QueueFull",
    "RequestRefused",
    "StorageFull",
    "TooLarge",
    "Unauthorized",
    "Unavailable",
    "Unreachable",
    "WrongState",
]


class PagehandClientError(Exception):
    """The base of all. ``job``: the job that it is about. ``problem``: what the server said, as it said it."""

    def __init__(
        self, message: str, *, job: JobFacts | None = None, problem: Mapping[str, Any] | None = None, key: str = ""
    ) -> None:
        super().__init__(message)
        self.job = job
        self.problem = dict(problem or {})
        #: The idempotency key of the request, if it had one: with it the same may be asked again.
        self.key = key


class BadConfig(PagehandClientError, ValueError):
    """An address, a token or the file of settings cannot be used."""


class ChangesMissed(PagehandClientError):
    """The server keeps some changes no more. Read the jobs that matter, then follow what comes behind ``after``."""

    def __init__(self, message: str, after: str) -> None:
        super().__init__(message)
        self.after = after


# -- what became of a job


class JobUnsuccessful(PagehandClientError):
    """The job has no result."""

    job: JobFacts

    @property
    def error(self) -> dict[str, Any]:
        """The last error: ``message``, ``stack``, ``code``; empty if there was none."""
        return dict(self.job.fields.get("error") or {})

    @property
    def attempts(self) -> list[dict[str, Any]]:
        """Its attempts, oldest first."""
        return list(self.job.fields.get("attempts") or [])


class JobFailed(JobUnsuccessful):
    """Its task failed, and no try is left."""


class JobCancelled(JobUnsuccessful):
    """Somebody cancelled it."""


class JobExpired(JobUnsuccessful):
    """It could not start in time."""


class JobInDoubt(JobUnsuccessful):
    """It may or may not have done its work; a person must look and decide."""


class JobTimeout(PagehandClientError, TimeoutError):
    """It is not over yet. It goes on: nothing was cancelled."""


# -- what is wrong with the way to the server


class Unreachable(PagehandClientError, ConnectionError):
    """No answer came."""


class NotPagehand(PagehandClientError):
    """Something else answered: a proxy, a page to sign in, another program."""


# -- what the server refused


class RequestRefused(PagehandClientError):
    """The server said no. ``code`` and ``status`` say why, for programs."""

    @property
    def code(self) -> str:
        """The stable code, as in docs/api.md."""
        return str(self.problem.get("code", ""))

    @property
    def status(self) -> int:
        """The HTTP status."""
        return int(self.problem.get("status", 0))


class Unauthorized(RequestRefused):
    """The token is missing or wrong."""


class Forbidden(RequestRefused):
    """The server does not let this be asked from here."""


class NotFound(RequestRefused):
    """There is no such job, or no such address."""


class WrongState(RequestRefused):
    """The job's state does not allow this."""


class KeyConflict(RequestRefused):
    """The key was used before, for something else."""


class TooLarge(RequestRefused):
    """The data is over the server's limit."""


class Invalid(RequestRefused):
    """Some fields are wrong; ``errors`` names them."""

    @property
    def errors(self) -> Sequence[Mapping[str, str]]:
        """``pointer`` and ``detail`` of each wrong field."""
        return list(self.problem.get("errors", []))


class Unavailable(RequestRefused):
    """The server can not take it now."""


class QueueFull(Unavailable):
    """Too many jobs are open."""


class StorageFull(Unavailable):
    """The server's disk is nearly full."""


class Draining(Unavailable):
    """The server is stopping."""

"""The one tree of errors that Pagehand raises on purpose; each class has a stable ``code``.

    PagehandError
    ├── RequestError            the caller's fault: asking again unchanged will fail again
    │   ├── BadRequest          bad_request, bad_json, ...
    │   │   └── BadParameter    a field of the query
    │   ├── Unauthorized        the token is missing or wrong
    │   ├── TooManyGuesses      wrong tokens from this address: ask again after ``retry_after_s``
    │   ├── Forbidden           a foreign host or origin
    │   ├── JobNotFound
    │   ├── AddressNotFound     nothing is there, but something is near
    │   ├── BatchNotFound
    │   ├── TokenNotFound
    │   ├── OperationNotFound
    │   ├── WorkerNotFound
    │   ├── EndpointNotFound    of a webhook
    │   ├── MessageNotFound     of a webhook's messages
    │   ├── WrongState          the job is not in a state that allows this
    │   ├── VersionMismatch     the job has changed since it was read
    │   ├── KeyConflict         an idempotency key was used before with another body
    │   ├── Unsupported         a content type we do not take
    │   └── TooLarge
    ├── Unavailable             our fault, for the moment: ask again after ``retry_after_s``
    │   ├── QueueFull
    │   ├── TooManyTypes
    │   ├── StorageAway         the database does not answer; nothing has happened
    │   ├── StorageFull
    │   ├── Draining
    │   ├── Starting
    │   └── StorageTrouble      the outcome is unknown: ask again with the same Idempotency-Key
    ├── MessageRefused          a worker page sent something we do not obey; ``code`` goes to the page
    ├── StoreRefused            the store cannot be opened: damaged, newer schema, in use
    └── SettingError            a setting is unknown, out of range or contradicts another

HTTP statuses are mapped in one place, ``handlers/errors.py``; nothing here knows of HTTP.
"""

from __future__ import annotations

__all__ = [
    "AddressNotFound",
    "BadParameter",
    "BadRequest",
    "BatchNotFound",
    "Draining",
    "EndpointNotFound",
    "Forbidden",
    "JobNotFound",
    "KeyConflict",
    "MessageNotFound",
    "MessageRefused",
    "OperationNotFound",
    "PagehandError",
    "QueueFull",
    "RequestError",
    "SettingError",
    "Starting",
    "StorageAway",
    "StorageFull",
    "StorageTrouble",
    "StoreRefused",
    "TokenNotFound",
    "TooLarge",
    "TooManyGuesses",
    "TooManyJobs",
    "TooManyTypes",
    "Unauthorized",
    "Unavailable",
    "Unsupported",
    "VersionMismatch",
    "WorkerNotFound",
    "WrongState",
]


class PagehandError(Exception):
    """The base. ``code`` is stable and for programs; the message says what happened and what to do."""

    code = "error"

    def __init__(self, detail: str, *, code: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        if code is not None:
            self.code = code


class RequestError(PagehandError):
    """The caller's fault."""

    code = "bad_request"


class BadRequest(RequestError):
    """Something in the request is malformed or out of range.

    ``pointer`` is a JSON pointer to the offending field (``/priority``), or empty; ``semantic`` tells a
    well-formed request with an unusable value (422) from one that cannot be read at all (400).
    """

    def __init__(self, detail: str, *, code: str = "bad_request", pointer: str = "", semantic: bool = False) -> None:
        super().__init__(detail, code=code)
        self.pointer = pointer
        self.semantic = semantic


class BadParameter(BadRequest):
    """A field of the query is malformed or out of range; an empty ``parameter`` means the whole."""

    code = "bad_parameter"

    def __init__(self, detail: str, *, parameter: str = "") -> None:
        super().__init__(detail, code=self.code)
        self.parameter = parameter


class Unauthorized(RequestError):
    """The token is missing or wrong."""

    code = "bad_token"


class TooManyGuesses(RequestError):
    """Many different wrong tokens have come from where this one comes from."""

    code = "too_many_wrong_tokens"

    def __init__(self, detail: str, *, retry_after_s: int) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class TooManyJobs(RequestError):
    """The token has submitted as many new jobs as it may for now."""

    code = "too_many_jobs"

    def __init__(self, detail: str, *, retry_after_s: int) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class Forbidden(RequestError):
    """We do not serve this host or origin, or a form without its secret."""

    code = "forbidden"


class JobNotFound(RequestError):
    """No job has this id."""

    code = "not_found"

    @classmethod
    def named(cls, job_id: str) -> JobNotFound:
        """In the words for every job that is not there, so that nobody learns more than that."""
        why = "it was never accepted here, or it ended long ago and is no longer kept"
        return cls(f"there is no job {job_id!r}: {why}")


class AddressNotFound(RequestError):
    """No route has this address; the words name the one that was meant, or where all stand."""

    code = "not_found"


class BackupNotFound(RequestError):
    """There is no backup of that name."""

    code = "not_found"


class OperationNotFound(RequestError):
    """No operation that is kept has this id."""

    code = "not_found"

    @classmethod
    def named(cls, operation_id: str) -> OperationNotFound:
        """As ``JobNotFound.named``."""
        why = "it was never begun, the server has started anew since, or many have come after it"
        return cls(f"there is no operation {operation_id!r}: {why}")


class BatchNotFound(RequestError):
    """No job that is kept belongs to a batch with this id."""

    code = "not_found"

    @classmethod
    def named(cls, batch_id: str) -> BatchNotFound:
        """As ``JobNotFound.named``."""
        why = "it was never taken here, or its jobs ended long ago and are not kept"
        return cls(f"there is no batch {batch_id!r}: {why}")


class TokenNotFound(RequestError):
    """No token has this id."""

    code = "not_found"


class WorkerNotFound(RequestError):
    """No worker with this id is here, and nothing is kept of one."""

    code = "not_found"


class TypeNotFound(RequestError):
    """Nobody has named this type."""

    code = "not_found"


class EndpointNotFound(RequestError):
    """No webhook has this id."""

    code = "not_found"


class MessageNotFound(RequestError):
    """A webhook has no messages with these ids."""

    code = "not_found"


class WrongState(RequestError):
    """The job's state does not allow this."""

    code = "wrong_state"


class VersionMismatch(RequestError):
    """The job has changed since the caller read it."""

    code = "version_mismatch"


class KeyConflict(RequestError):
    """The idempotency key was used before with another body."""

    code = "key_conflict"


class Unsupported(RequestError):
    """A content type that this address does not take."""

    code = "unsupported_media_type"


class TooLarge(RequestError):
    """A body, a value or a list over its limit."""

    code = "too_large"


class Unavailable(PagehandError):
    """We cannot do this at the moment."""

    code = "unavailable"

    def __init__(self, detail: str, *, retry_after_s: int = 5) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class QueueFull(Unavailable):
    """The queue is at its limit of jobs or bytes."""

    code = "queue_full"


class TooManyTypes(Unavailable):
    """The job names a new type, and the server knows as many as it may."""

    code = "too_many_types"


class StorageFull(Unavailable):
    """The store's disk is nearly full: no new jobs, but results are still recorded."""

    code = "storage_full"


class StorageAway(Unavailable):
    """The database does not answer, and nothing of what was asked has happened."""

    code = "storage_away"


class Draining(Unavailable):
    """The server is stopping and takes no new jobs."""

    code = "draining"


class Starting(Unavailable):
    """The server has not yet taken over what an earlier run left."""

    code = "starting"


class StorageTrouble(Unavailable):
    """The store failed in this turn; whether it holds the change is unknown."""

    code = "storage_trouble"


class BackupFailed(Unavailable):
    """A backup could not be made; the store itself is as it was."""

    code = "backup_failed"


class MessageRefused(PagehandError):
    """A worker page's message is not obeyed; ``code`` is from the list in docs/protocol.md.

    ``attempt`` is the one that the message was about: the page stops repeating its report on it.
    """

    code = "bad_message"

    def __init__(self, detail: str, *, code: str | None = None, attempt: str | None = None) -> None:
        super().__init__(detail, code=code)
        self.attempt = attempt


class StoreRefused(PagehandError):
    """The store cannot be opened; the message says why and what to do."""

    code = "store_refused"


class SettingError(PagehandError):
    """A setting is unknown, out of range, or contradicts another one."""

    code = "bad_setting"

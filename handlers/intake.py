"""What a submitter may say about a job: fields, ranges, and how they become a ``JobSpec``.

The API and the form meet here, so both have the same fields, the same ranges and the same words for what is wrong.
Nothing is clamped. ``data`` is kept as the JSON text that came in.
"""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Mapping
from itertools import islice
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from dispatcher.config.settings import Settings
from dispatcher.core.jobs.model import JobSpec
from dispatcher.errors import BadRequest, TooLarge
from handlers.errors import FieldError, Invalid, field_error

__all__ = ["MAX_DELAY_S", "JobBody", "check_key", "decode_json", "field_problems", "parse_job", "to_spec"]

MAX_DELAY_S = 31_536_000
#: ``\Z`` and not ``$``, which also matches before a line feed at the end.
_TYPE = r"^[A-Za-z0-9._-]{1,100}\Z"
#: Of unknown fields, so many are named.
_MAX_UNKNOWN = 10
_KEY = re.compile(r"[\x20-\x7e]{1,255}")

T = TypeVar("T")


def _null() -> Raw:
    return Raw(b"null")


class JobBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of ``POST /api/v1/jobs``; what is not given takes the server's default."""

    type: Annotated[str, Meta(pattern=_TYPE)]
    data: Raw = msgspec.field(default_factory=_null)
    priority: Annotated[int, Meta(ge=-1_000, le=1_000)] | UnsetType = UNSET
    delay_s: Annotated[float, Meta(ge=0, le=MAX_DELAY_S)] | UnsetType = UNSET
    timeout_s: Annotated[float, Meta(ge=1, le=86_400)] | UnsetType = UNSET
    max_attempts: Annotated[int, Meta(ge=1, le=100)] | UnsetType = UNSET
    max_crashes: Annotated[int, Meta(ge=0, le=100)] | UnsetType = UNSET
    expires_s: Annotated[float, Meta(ge=0.1, le=MAX_DELAY_S)] | UnsetType | None = UNSET
    heartbeat_s: Annotated[float, Meta(ge=0.1, le=86_400)] | UnsetType | None = UNSET
    effects: Literal["repeat", "once"] | UnsetType = UNSET


_job_decoder = msgspec.json.Decoder(JobBody)
_loose_decoder = msgspec.json.Decoder(dict[str, Raw])
_any_decoder = msgspec.json.Decoder(Raw)
_fields = {field.name: field for field in msgspec.structs.fields(JobBody)}

#: The words for each range, instead of a regular expression or ``Expected `int` >= -1000``.
_RANGES = {
    "type": "must be 1 to 100 characters of A-Z, a-z, 0-9, '.', '_' and '-'",
    "priority": "must be a whole number from -1000 to 1000",
    "delay_s": f"must be a number of seconds from 0 to {MAX_DELAY_S}",
    "timeout_s": "must be a number of seconds from 1 to 86400",
    "max_attempts": "must be a whole number from 1 to 100",
    "max_crashes": "must be a whole number from 0 to 100",
    "expires_s": f"must be a number of seconds from 0.1 to {MAX_DELAY_S}",
    "heartbeat_s": "must be a number of seconds from 0.1 to 86400",
    "effects": "must be repeat or once",
}


def parse_job(body: bytes) -> JobBody:
    """The body of one job. Raises BadRequest (not JSON) or Invalid (not a job)."""
    try:
        return decode_json(_job_decoder, body)
    except msgspec.ValidationError:
        raise Invalid(_body_problems(body)) from None


def decode_json(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """Decodes what came from outside. Raises BadRequest where it is not JSON in UTF-8; ValidationError passes."""
    try:
        # A Raw in the value is not checked for UTF-8 by msgspec.
        body.decode("utf-8")
        return decoder.decode(body)
    except UnicodeDecodeError as error:
        raise BadRequest(f"The body is not UTF-8 (byte {error.start}).", code="bad_json") from None
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError as error:
        raise BadRequest(f"The body is not JSON: {error}.", code="bad_json") from None
    except RecursionError:
        raise BadRequest("The body is nested too deeply.", code="bad_json") from None


def _body_problems(body: bytes) -> list[FieldError]:
    try:
        given = decode_json(_loose_decoder, body)
    except msgspec.ValidationError:
        decode_json(_any_decoder, body)
        return [field_error("", "must be an object with the fields of a job")]
    # Nothing is left to find where a field stands twice and only the first one is wrong.
    return field_problems(given) or [field_error("", "names a field twice")]


def field_problems(given: Mapping[str, object]) -> list[FieldError]:
    """What is wrong with these fields, all at once; each is a ``Raw`` or a value."""
    unknown = islice((name for name in given if name not in _fields), _MAX_UNKNOWN)
    errors = [field_error(name[:100], _unknown(name)) for name in unknown]
    errors += [field_error(name, _RANGES[name]) for name in _RANGES if name in given and not _fits(name, given[name])]
    if "type" not in given:
        errors.append(field_error("type", "is missing"))
    return errors


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name[:100], _fields, n=1)
    return "is not a field of a job" + (f"; did you mean {near[0]}?" if near else "")


def _fits(name: str, value: object) -> bool:
    kind: Any = _fields[name].type
    try:
        if isinstance(value, Raw):
            msgspec.json.decode(value, type=kind)
        else:
            msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True


def check_key(key: str | None) -> str | None:
    """An idempotency key as it was given. Raises BadRequest."""
    if key is None or _KEY.fullmatch(key):
        return key
    raise BadRequest("An idempotency key is 1 to 255 printable ASCII characters.", code="bad_key")


def to_spec(body: JobBody, settings: Settings, key: str | None) -> JobSpec:
    """The job with its defaults filled in. Raises TooLarge, Invalid."""
    data = bytes(body.data)
    if len(data) > settings.body_limit:
        raise TooLarge(f"data has {len(data):,} bytes; at most {settings.body_limit:,} are taken (--body-limit).")
    delay_s = _given(body.delay_s, 0.0)
    expires_s = _given(body.expires_s, None)
    if expires_s is not None and expires_s <= delay_s:
        raise Invalid([field_error("expires_s", "must be more than delay_s, or the job would never start")])
    return JobSpec(
        type=body.type,
        data=data.decode("utf-8"),
        priority=_given(body.priority, 0),
        delay_s=delay_s,
        timeout_s=_given(body.timeout_s, settings.job_timeout_s),
        max_attempts=_given(body.max_attempts, settings.max_attempts),
        max_crashes=_given(body.max_crashes, settings.max_crashes),
        expires_s=expires_s,
        heartbeat_s=_given(body.heartbeat_s, None),
        effects=_given(body.effects, "repeat"),
        key=key,
        # Over what was given, not over the defaults: they may change while a submitter tries again.
        fingerprint=hashlib.sha256(msgspec.json.encode(body)).hexdigest() if key else "",
    )


def _given(value: Any, default: Any) -> Any:
    return default if value is UNSET else value

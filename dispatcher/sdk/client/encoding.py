"""Python values as JSON. What is none is refused with its path: ``data.items[3].price``. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypedDict

__all__ = ["JobOptions", "encode_job", "join_jobs"]


class JobOptions(TypedDict, total=False):
    """The fields of a job besides its type and its data, as docs/api.md has them."""

    priority: int
    delay_s: float
    timeout_s: float
    max_attempts: int
    max_crashes: int
    expires_s: float | None
    heartbeat_s: float | None
    requires: Mapping[str, str | Sequence[str]]
    effects: str
    tags: Sequence[str]
    summary: str | None
    callback_url: str | None


_PLAIN = (str, int, float, bool, type(None))


def encode_job(job_type: str, data: Any, options: Mapping[str, Any]) -> bytes:
    """The body of one job. Raises TypeError or ValueError, with the path of what is no JSON."""
    fields = {"type": job_type, "data": data, **{name: value for name, value in options.items() if value is not None}}
    return _encoded(fields)


def join_jobs(bodies: list[bytes]) -> bytes:
    """Bodies of jobs as the body of a batch."""
    return b"[" + b",".join(bodies) + b"]"


def _encoded(value: Any) -> bytes:
    try:
        return json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode()
    except RecursionError:
        raise ValueError("the data contains itself, or is nested too deeply for JSON") from None
    except (TypeError, ValueError) as error:
        found = next(_faults(value, "", ()), None)
        if found is None:
            raise
        path, why = found
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"{path} {why}") from None


def _faults(value: Any, path: str, above: tuple[int, ...]) -> Iterator[tuple[str, str]]:
    """Where the value is no JSON, and why."""
    if id(value) in above:
        yield path, "contains itself"
    elif isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, _PLAIN):
                yield path or "the data", f"has a key of the type {type(key).__name__}: keys are texts"
            yield from _faults(item, _below(path, key), (*above, id(value)))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _faults(item, f"{path}[{index}]", (*above, id(value)))
    elif why := _fault(value):
        yield path, why


def _below(path: str, key: object) -> str:
    if isinstance(key, str) and key.isidentifier():
        return f"{path}.{key}" if path else key
    return f"{path}[{key!r}]"


def _fault(value: Any) -> str:
    if not isinstance(value, _PLAIN):
        return f"is a {type(value).__name__}, which JSON does not have: turn it into a text, a number, a list or a dict"
    if isinstance(value, float) and not math.isfinite(value):
        return f"is {value}, which JSON does not have: use None, or a text"
    if isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value):
        return "is a text with half a character (a lone surrogate): it has no UTF-8"
    return ""

"""What Schemathesis cannot know from the description alone, for ``api_fuzz``: it loads this module by its name.

A wait is short, and no case revokes the token of all. A valid request has a key of its own, no made-up cursor,
fields that go together, a receiver that this server's settings allow, and half of the time an id that there is.
"""

from __future__ import annotations

import json
import os
import secrets
from typing import Any

import schemathesis

#: Filters of changes, which have at most 100 values each, however they are written. Others by these names are texts.
_LISTS = frozenset({"job", "worker", "type"})
#: Of a form: what these may hold hangs on other fields.
_TOGETHER = ("data", "labels", "worker", "image", "file", "key")
#: A host that the settings allow.
_RECEIVER = os.environ.get("PAGEHAND_FUZZ_RECEIVER", "")
#: The beginning of a path -> an id that there is.
_THERE: dict[str, str] = json.loads(os.environ.get("PAGEHAND_FUZZ_IDS", "{}"))


@schemathesis.hook
def map_case(context: Any, case: Any) -> Any:
    """Called for each case before it is sent."""
    if (case.path_parameters or {}).get("id") == os.environ["PAGEHAND_FUZZ_TOKEN_ID"]:
        case.path_parameters["id"] = "00000000"
    query, valid = case.query or {}, case.meta is not None and case.meta.generation.mode.is_positive
    wait = str(query.get("wait", ""))
    if wait.isascii() and wait.isdigit() and int(wait[:9]) <= 60:
        query["wait"] = int(wait == "60")
    for name in ("wait", "limit"):
        # Sent as an empty field, which would not count, and the case is meant to be bad.
        if query.get(name) in ("", [], {}, [""]):
            query[name] = "x"
    if valid:
        _mend_query(query)
        _mend_headers(case.headers or {})
        _mend_id(case)
        for part in case.body if isinstance(case.body, list) else [case.body]:
            if isinstance(part, dict):
                _mend_receivers(part)
                if "/jobs" in case.path:
                    _mend(part, is_form="form" in (case.media_type or ""))
    return case


def _mend_id(case: Any) -> None:
    there = next((there for path, there in _THERE.items() if case.path.startswith(path)), None)
    if there is not None and case.method != "DELETE" and secrets.randbelow(2):
        case.path_parameters |= {name: there for name in ("id", "type") if name in case.path_parameters}


def _mend_receivers(body: dict[str, Any]) -> None:
    for name in ("url", "callback_url"):
        if isinstance(body.get(name), str):
            body[name] = f"https://{_RECEIVER}/{secrets.token_hex(4)}"


def _mend_query(query: dict[str, Any]) -> None:
    query.pop("cursor", None)
    if query.get("format") in ("ndjson", "csv"):
        query.pop("limit", None)  # a whole list takes none
    for name in (name for name in _LISTS if isinstance(query.get(name), list)):
        query[name] = [",".join(str(text).split(",")[:30]) for text in query[name][:3]]


def _mend_headers(headers: Any) -> None:
    if "Idempotency-Key" in headers:
        headers["Idempotency-Key"] = secrets.token_hex(8)
    if "If-Match" in headers:
        headers["If-Match"] = "*"  # any other is the tag of another job


def _mend(job: dict[str, Any], *, is_form: bool) -> None:
    """What the schema of a job does not say: it expires after its delay, and the fields of a form go together."""
    if job.get("expires_s") is not None:
        job["delay_s"] = 0
    elif "delay_s" in job and "type" not in job:
        job["expires_s"] = None  # a change of a job that may expire already
    if "type" in job and secrets.randbelow(2):
        # Of pages that run it; some never answer, so that jobs end in every way.
        job |= {"type": "echo", "timeout_s": 1.0}
    if is_form:
        for name in _TOGETHER:
            job.pop(name, None)

"""The bodies of messages for webhooks. They are made once, in the turn of the change, and kept byte for byte.

A body has what is known of the job without its data and its result, which may be large, or nobody else's business: who
wants them asks for them.
"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from msgspec import Raw

from dispatcher.core.jobs.rows import JobRow
from dispatcher.core.jobs.turn import Change
from dispatcher.core.jobs.views.telling import PING, RollEvent, event_of_state

__all__ = ["MOST_ERROR", "body_of", "ping_body", "roll_body"]

#: A longer error is left out, in characters: messages are small.
MOST_ERROR = 8_192
_json = msgspec.json.Encoder()


def body_of(job: JobRow, change: Change) -> str:
    """The message of a change; ``job`` is the row as the change has left it."""
    about = job.about
    data: dict[str, object] = {
        "id": job.id,
        "type": job.type,
        "state": change.new.value,
        "previous_state": None if change.old is None else change.old.value,
        "reason": job.reason,
        "detail": job.detail,
        "error": None if job.error is None or len(job.error) > MOST_ERROR else Raw(job.error),
        "actor": change.actor or None,
        "number": job.number,
        "errors": job.errors,
        "crashes": job.crashes,
        "worker": job.worker,
        "worker_name": job.worker_name,
        "created_at": _instant(job.created_at),
        "started_at": _instant(job.started_at),
        "ended_at": _instant(job.ended_at),
        "batch": job.batch,
        "summary": about.summary,
        "tags": about.tags,
        "owner": about.owner,
        "traceparent": about.traceparent,
        "links": {"self": f"/api/v1/jobs/{job.id}", "result": f"/api/v1/jobs/{job.id}/result"},
    }
    return _text(event_of_state(change.new), change.at, data)


def ping_body(at: float, endpoint: str) -> str:
    """The message of a ping."""
    return _text(PING, at, {"webhook": endpoint})


def roll_body(event: RollEvent) -> str:
    """The message of who is missed."""
    workers = [{"name": one.name, "gone_at": _instant(one.gone_at)} for one in event.workers]
    counts = {"usual": event.usual, "here": event.here, "missed": event.missed}
    return _text(event.name, event.at, {**counts, "workers": workers})


def _text(event: str, at: float, data: dict[str, object]) -> str:
    return _json.encode({"type": event, "timestamp": _instant(at), "data": data}).decode()


def _instant(at: float | None) -> str | None:
    """RFC 3339, as the API writes it."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

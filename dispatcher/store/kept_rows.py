"""How databases keep what is kept of workers and types, and tokens: rows as they are written and read. No SQL here."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import asdict, astuple

from dispatcher.access.credentials import Credential
from dispatcher.access.scopes import Scope
from dispatcher.access.tokens import Token
from dispatcher.core.jobs.acts.kept import Hold, KeptType, KeptWorker
from dispatcher.core.jobs.diaries import Diary, KnownWorker
from dispatcher.core.jobs.terms import NO_DEFAULTS, TypeDefaults
from dispatcher.store.kept import Kept

__all__ = [
    "CREDENTIAL_COLUMNS",
    "TOKEN_COLUMNS",
    "TYPE_COLUMNS",
    "WORKER_COLUMNS",
    "credential_of",
    "diary_text",
    "kept_fields",
    "kept_type_of",
    "kept_worker_of",
    "known_worker_of",
    "token_fields",
    "token_of",
]

#: The first column names what the row is of.
WORKER_COLUMNS = ("worker", "called", "name", "labels", "note", "paused", "blocked")
TYPE_COLUMNS = ("type", "paused", "defaults")
CREDENTIAL_COLUMNS = ("worker", "token", "digests", "at")
TOKEN_COLUMNS = Token.__struct_fields__
#: Bytes of a SHA-256.
_DIGEST = 32


def kept_fields(one: Kept) -> dict[str, Any]:
    """The row, by its columns and in their order."""
    if isinstance(one, KeptType):
        defaults = None if one.defaults == NO_DEFAULTS else _json(one.defaults)
        return {"type": one.type, "paused": _held(one.paused), "defaults": defaults}
    if isinstance(one, Credential):
        return {"worker": one.worker, "token": one.token_id, "digests": b"".join(one.digests), "at": one.at}
    return {
        "worker": one.id, "called": one.called, "name": one.name, "labels": _json(one.labels), "note": one.note,
        "paused": _held(one.paused), "blocked": _held(one.blocked),
    }  # fmt: skip


def kept_worker_of(
    worker: str, called: str, name: str, labels: str, note: str, paused: str | None, blocked: str | None
) -> KeptWorker:
    """A row of ``WORKER_COLUMNS``."""
    return KeptWorker(
        id=worker, called=called, name=name, note=note,
        labels=msgspec.json.decode(labels, type=tuple[tuple[str, str], ...]),
        paused=_hold(paused), blocked=_hold(blocked),
    )  # fmt: skip


def kept_type_of(name: str, paused: str | None, defaults: str | None) -> KeptType:
    """A row of ``TYPE_COLUMNS``."""
    told = NO_DEFAULTS if defaults is None else msgspec.json.decode(defaults, type=TypeDefaults)
    return KeptType(type=name, paused=_hold(paused), defaults=told)


def credential_of(worker: str, token: str, digests: bytes, at: float) -> Credential:
    """A row of ``CREDENTIAL_COLUMNS``."""
    each = tuple(bytes(digests[start : start + _DIGEST]) for start in range(0, len(digests), _DIGEST))
    return Credential(worker=worker, token_id=token, digests=each, at=at)


def diary_text(diary: Diary) -> str:
    """A worker's diary as it is stored."""
    return _json(diary)


def known_worker_of(name: str, worker: str | None, gone_at: float | None, diary: str | None) -> KnownWorker:
    """A row of these columns."""
    return KnownWorker(name, worker, gone_at, None if diary is None else msgspec.json.decode(diary, type=Diary))


def token_fields(token: Token) -> dict[str, Any]:
    """The row, by ``TOKEN_COLUMNS`` and in their order."""
    labels = _json(dict(token.labels))
    return asdict(token) | {"scopes": _json(token.scopes), "types": _json(token.types), "labels": labels}


def token_of(*row: Any) -> Token:
    """A row of ``TOKEN_COLUMNS``."""
    fields = dict(zip(TOKEN_COLUMNS, row, strict=True))
    return Token(**fields | {
        "digest": bytes(fields["digest"]),
        "scopes": msgspec.json.decode(fields["scopes"], type=tuple[Scope, ...]),
        "types": msgspec.json.decode(fields["types"], type=tuple[str, ...]),
        "labels": tuple(msgspec.json.decode(fields["labels"], type=dict[str, str]).items()),
    })  # fmt: skip


def _held(hold: Hold | None) -> str | None:
    return None if hold is None else _json(astuple(hold))


def _hold(text: str | None) -> Hold | None:
    return None if text is None else Hold(*msgspec.json.decode(text, type=tuple[float, str, str, bool]))


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()

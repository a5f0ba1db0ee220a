"""Makes ids and keys: the only random source of the server for them. Knows nothing of what they name."""

from __future__ import annotations

import secrets
import uuid

from dispatcher.clock import Clock

__all__ = [
    "new_attempt_id",
    "new_credential",
    "new_endpoint_id",
    "new_job_id",
    "new_key",
    "new_life",
    "new_message_id",
    "new_token",
    "new_worker_id",
]

_SMALL = "abcdefghijklmnopqrstuvwxyz0123456789"


def new_job_id(clock: Clock) -> str:
    """A UUID of version 7 (RFC 9562): 48 bits of Unix milliseconds, then 74 random bits."""
    value = int(clock.utc() * 1000) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 7 << 76
    value = value & ~(0x3 << 62) | 2 << 62
    return str(uuid.UUID(int=value))


def new_message_id(clock: Clock) -> str:
    """The id of a message for a webhook: as a job's, and it says what it is."""
    return f"msg_{new_job_id(clock)}"


def new_endpoint_id() -> str:
    """Names a webhook's endpoint; not secret."""
    return "".join(secrets.choice(_SMALL) for _ in range(12))


def new_attempt_id() -> str:
    """128 random bits; they make an attempt's id unguessable."""
    return secrets.token_hex(16)


def new_worker_id() -> str:
    """128 random bits; the id is not secret, the worker's proof is."""
    return secrets.token_hex(16)


def new_life() -> str:
    """Names one life of the server. Its epoch would not do: a store that was restored begins with an old one again."""
    return secrets.token_hex(6)


def new_key() -> bytes:
    """The key that workers' secrets are derived from, or one that signs messages."""
    return secrets.token_bytes(32)


def new_credential() -> str:
    """A worker's credential of 256 random bits; see ``access.credentials`` for its form."""
    return f"phw_{secrets.token_urlsafe(32)}"


def new_token() -> str:
    """A token of 256 random bits; see ``access.tokens`` for its form."""
    return f"ph_{''.join(secrets.choice(_SMALL) for _ in range(8))}_{secrets.token_urlsafe(32)}"

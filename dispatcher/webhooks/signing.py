"""Signatures as the Standard Webhooks have them: HMAC-SHA256 over id, time and body. Knows no endpoint."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterable

__all__ = ["SECRET_PREFIX", "headers_of", "secret_text", "signature"]

SECRET_PREFIX = "whsec_"  # noqa: S105  # it is the beginning of all secrets


def secret_text(key: bytes) -> str:
    """A secret as people copy it."""
    return SECRET_PREFIX + base64.b64encode(key).decode()


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """One signature: ``v1,`` and base64."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = hmac.digest(key, f"{message_id}.{timestamp}.".encode() + body, "sha256")
    return "v1," + base64.b64encode(signed).decode()


def headers_of(message_id: str, timestamp: int, body: bytes, secrets: Iterable[str]) -> dict[str, str]:
    """The three headers; ``timestamp`` is whole UTC seconds. Several secrets make several signatures."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signature(secret, message_id, timestamp, body) for secret in secrets),
    }

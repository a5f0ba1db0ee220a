"""Signing in to the console: a cookie stands for the token in a browser.

The cookie holds a signed instant, never the token. The signing key is made from the token, so another token ends
every sign-in. SameSite and XSRF tokens keep foreign pages from using it. In the API it allows only reading.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from tornado.web import RequestHandler, create_signed_value, decode_signed_value

from handlers.guard import Guard

__all__ = ["is_signed_in", "sign_in", "sign_out"]

_DAYS = 7


def _name(guard: Guard) -> str:
    # Cookies ignore ports: two servers on one host must not sign each other out.
    return f"pagehand_{sha256(guard.cookie_key().encode()).hexdigest()[:8]}"


def _terms(guard: Guard) -> dict[str, Any]:
    return {"httponly": True, "samesite": "Lax", "secure": guard.secure, "path": guard.cookie_path}


def sign_in(handler: RequestHandler, guard: Guard) -> None:
    """Signs this browser in."""
    name = _name(guard)
    value = create_signed_value(guard.cookie_key(), name, "console").decode()
    handler.set_cookie(name, value, expires_days=_DAYS, **_terms(guard))


def sign_out(handler: RequestHandler, guard: Guard) -> None:
    """Signs this browser out."""
    handler.clear_cookie(_name(guard), **_terms(guard))


def is_signed_in(handler: RequestHandler, guard: Guard) -> bool:
    """Whether the request comes from a browser that signed in."""
    name = _name(guard)
    value = handler.get_cookie(name)
    return value is not None and decode_signed_value(guard.cookie_key(), name, value, _DAYS) == b"console"

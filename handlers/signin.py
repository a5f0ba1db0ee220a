"""Signing in to the console: a cookie stands for the token in a browser.

The cookie holds a signed instant and the id of the token, never the token. The signing key is made from the settings'
token, so another one there ends every sign-in; a token that is revoked or expires ends its own. SameSite and XSRF
tokens keep foreign pages from using the cookie. In the API it allows only reading.
"""

from __future__ import annotations

from hashlib import sha256

from tornado.web import RequestHandler, create_signed_value, decode_signed_value

from dispatcher.access.principal import ADMINISTRATOR, Principal
from handlers.guard import Guard
from handlers.site import Site

__all__ = ["sign_in", "sign_out", "signed_in"]

_DAYS = 7
#: What the cookie says; the id of the token follows, if it is not the settings' own.
_MARK = "console"


def _name(guard: Guard) -> str:
    # Cookies ignore ports: two servers on one host must not sign each other out.
    return f"pagehand_{sha256(guard.cookie_key().encode()).hexdigest()[:8]}"


def sign_in(handler: RequestHandler, guard: Guard, principal: Principal) -> None:
    """Signs this browser in."""
    name = _name(guard)
    said = f"{_MARK}:{principal.token_id}" if principal.token_id else _MARK
    value = create_signed_value(guard.cookie_key(), name, said).decode()
    handler.set_cookie(name, value, expires_days=_DAYS, **guard.cookie_terms)


def sign_out(handler: RequestHandler, guard: Guard) -> None:
    """Signs this browser out."""
    handler.clear_cookie(_name(guard), **guard.cookie_terms)


def signed_in(handler: RequestHandler, site: Site) -> Principal | None:
    """Who has signed in with the browser that asks; None: nobody, or the token opens nothing any more."""
    name = _name(site.guard)
    value = handler.get_cookie(name)
    said = None if value is None else decode_signed_value(site.guard.cookie_key(), name, value, _DAYS)
    mark, _, token_id = (said or b"").decode("ascii", "replace").partition(":")
    if mark != _MARK:
        return None
    return site.service.access.session(token_id) if token_id else ADMINISTRATOR

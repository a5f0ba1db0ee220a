"""Who sits at the console: a name that somebody has typed, kept in a cookie of the browser.

It says who has done something, and opens nothing: whoever may use the console may type any name. So the audit log has
what opened the door beside it. The cookie is signed, so that nothing but our own forms sets it where there is a token.
"""

from __future__ import annotations

from hashlib import sha256

from msgspec.structs import replace
from tornado.web import RequestHandler, create_signed_value, decode_signed_value

from dispatcher.access.acts import Actor
from dispatcher.errors import BadRequest
from handlers.guard import Guard

__all__ = ["LONGEST_PERSON", "forget_person", "keep_person", "person_of", "person_typed", "signed_by"]

LONGEST_PERSON = 64
_DAYS = 365


def person_typed(text: str) -> str:
    """A name as it is kept; empty: none was typed. Raises BadRequest."""
    name = " ".join(text.split())
    if len(name) > LONGEST_PERSON or not name.isprintable():
        raise BadRequest(f"A name has 1 to {LONGEST_PERSON} characters, and all of them can be seen.", semantic=True)
    return name


def signed_by(actor: Actor, person: str) -> Actor:
    """The actor with the name of the person, and behind it what opened the door: ``anna (token ops)``."""
    door = f"token {actor.name}" if actor.token else actor.name
    return replace(actor, name=f"{person} ({door})") if person else actor


def person_of(handler: RequestHandler, guard: Guard) -> str:
    """The name that this browser keeps; empty: none."""
    name = _cookie(guard)
    value = handler.get_cookie(name)
    kept = None if value is None else decode_signed_value(guard.cookie_key(), name, value, _DAYS)
    try:
        return person_typed((kept or b"").decode())
    except (BadRequest, UnicodeDecodeError):  # without a token anybody can sign
        return ""


def keep_person(handler: RequestHandler, guard: Guard, person: str) -> None:
    """Has this browser keep the name."""
    name = _cookie(guard)
    value = create_signed_value(guard.cookie_key(), name, person).decode()
    handler.set_cookie(name, value, expires_days=_DAYS, **guard.cookie_terms)


def forget_person(handler: RequestHandler, guard: Guard) -> None:
    """Has it keep none: who comes next is asked."""
    handler.clear_cookie(_cookie(guard), **guard.cookie_terms)


def _cookie(guard: Guard) -> str:
    # Cookies ignore ports.
    return f"pagehand_person_{sha256(guard.cookie_key().encode()).hexdigest()[:8]}"

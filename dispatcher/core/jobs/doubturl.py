"""Where people see whether a job in doubt was done: an address that its task names, with fields of the job's data.

Pure. A page says it, and a submitter fills it; so neither may choose more than it seems. The host stands in the page's
text, as people read it, and no field can be a part of it; what a field holds stands in one place of the address and
opens no other.
"""

from __future__ import annotations

import re
from typing import Annotated

import msgspec
from msgspec import Meta, Raw

__all__ = ["LONGEST_DOUBT_URL", "DoubtUrl", "filled"]

LONGEST_DOUBT_URL = 500
#: Longer addresses are no links: some browsers and servers cut them.
_LONGEST_FILLED = 2_000
_HOST = r"([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?"
#: What an address may hold behind its host; a user's name before it would look like a host.
_SIGN = r"[!#-;=?-Z_a-z~]"
_FIELD = r"\{([A-Za-z0-9_-]{1,100})\}"
#: tasks.js has the same.
DoubtUrl = Annotated[
    str, Meta(max_length=LONGEST_DOUBT_URL, pattern=rf"^https?://{_HOST}([/?#]({_SIGN}|{_FIELD})*)?\Z")
]

_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_field = re.compile(_FIELD)
_fields = msgspec.json.Decoder(dict[str, Raw])
_text = msgspec.json.Decoder(str)


def filled(url: str, data: str) -> str | None:
    """The address for a job with this data (JSON text). None: a field of it has neither a text nor a number there."""
    if "{" not in url:
        return url
    try:
        there = _fields.decode(data)
        values = {name: _value(bytes(there[name])) for name in _field.findall(url)}
    except (msgspec.DecodeError, KeyError):
        return None
    # Browsers take a part that is nothing but dots for a way up.
    if not all(value.strip(".") for value in values.values()):
        return None
    whole = _field.sub(lambda found: _encoded(values[found[1]]), url)
    return whole if len(whole) <= _LONGEST_FILLED else None


def _encoded(text: str) -> str:
    return "".join(chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in text.encode())


def _value(raw: bytes) -> str:
    """A text, or a number with all of its digits; anything else is an empty one."""
    if raw.startswith(b'"'):
        return _text.decode(raw)
    return raw.decode() if raw[:1] in b"-0123456789" else ""

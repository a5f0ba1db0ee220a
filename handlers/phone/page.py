"""``/phone``: somebody reads a code from a worker page aloud, and this says what it means. Works without JavaScript."""

from __future__ import annotations

import re
from typing import ClassVar

from dispatcher.access.scopes import Scope
from handlers import queries
from handlers.console.page import PageHandler
from handlers.phone.catalogue import BLAME, TROUBLES, CodeMeaning
from handlers.phone.spoken import MOST_TRIES, BadCode, Spoken, read
from handlers.phone.states import state_of

__all__ = ["PhonePage"]

#: A code as it stands on the page, however it was heard.
_PLAIN = re.compile(r"\s*E[\s-]*([A-Z]{2,3})[\s-]*([0-9]{1,2})\s*", re.I | re.A)


def _plain(text: str) -> CodeMeaning | None:
    """``E-NET-12``, ``e net 12``. Raises BadCode if it looks so and there is none."""
    found = _PLAIN.fullmatch(text)
    if found is None:
        return None
    code = f"E-{found[1].upper()}-{int(found[2]):02}"
    known = _named(code)
    if known is None:
        raise BadCode(f"This server knows no code {code}. Let it be read again, letter by letter.")
    return known


def _named(code: str) -> CodeMeaning | None:
    return next((trouble for trouble in TROUBLES if trouble.code == code), None)


def _parts(text: str) -> list[tuple[str, bool]]:
    """A text of the catalogue in pieces; each second one stands between backticks, and is typed as it is."""
    return [(part, bool(number % 2)) for number, part in enumerate(text.split("`")) if part]


class PhonePage(PageHandler):
    """``/phone?code=``."""

    scopes: ClassVar = {"GET": Scope.READ}
    query_fields = queries.PHONE

    def get(self) -> None:
        """The form, and what the code says."""
        typed = queries.text_argument(self, "code")
        state = state_of(typed)
        trouble: CodeMeaning | None = None
        spoken: Spoken | None = None
        fault = ""
        try:
            trouble = _plain(typed) if state is None else _named(state.code)
            if typed and trouble is None and state is None:
                spoken = read(typed)
                trouble = spoken.trouble
        except BadCode as bad:
            fault = str(bad)
        self.show(
            "phone.html",
            code=typed,
            state=state,
            trouble=trouble,
            spoken=spoken,
            fault=fault,
            blame=BLAME,
            parts=_parts,
            most_tries=MOST_TRIES,
        )

    head = get

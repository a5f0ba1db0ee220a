"""The log's lines about refused messages. All pages may have the same fault, and each comes again and again."""

from __future__ import annotations

import logging

from dispatcher.errors import MessageRefused

__all__ = ["MessageRefusals"]

log = logging.getLogger("pagehand.pages")

#: Refusals of one kind are logged at most once in this time.
_REFUSALS_EVERY_S = 60.0
#: Never logged: every page causes it once after a restart of the server.
_USUAL = "not_registered"


class MessageRefusals:
    """Logs each kind of refusal once a minute."""

    def __init__(self) -> None:
        #: Code -> when a refusal of that kind may be logged again, and how many have come since.
        self._refusals: dict[str, tuple[float, int]] = {}

    def note(self, refusal: MessageRefused, remote: str, now: float) -> None:
        """A message from this address was refused."""
        if refusal.code == _USUAL:
            return
        next_at, count = self._refusals.get(refusal.code, (now, 0))
        if now < next_at:
            self._refusals[refusal.code] = (next_at, count + 1)
            return
        self._refusals[refusal.code] = (now + _REFUSALS_EVERY_S, 0)
        # repr: the detail may quote what the page sent, and that must not forge lines.
        log.warning(
            "%s: %s (from %s; %d since the last such line)",
            refusal.code, repr(refusal.detail)[1:-1], remote, count + 1,
            extra={"action": "message_refused"},
        )  # fmt: skip

"""What a page's ``register`` says, as the core takes it; the secrets that prove identities, and what it is
told. It keeps nothing."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from functools import lru_cache

from dispatcher.config.settings import Settings
from dispatcher.core.fleet.worker import Labels
from dispatcher.core.workers.registration import Registration
from dispatcher.pages import protocol
from dispatcher.pages.gate import Admitted, Shown
from dispatcher.pages.slowness import FIELDS

__all__ = ["DOUBT_MS", "Registrar", "clean", "page_texts", "told_settings"]

#: How often a page asks how a job stands that is in doubt.
DOUBT_MS = 15_000


class Registrar:
    """``key``: the store's, from which secrets are derived, so that they survive restarts without being stored."""

    def __init__(self, key: bytes, new_worker_id: Callable[[], str]) -> None:
        self._key, self.new_worker_id = key, new_worker_id

    def secret(self, worker: str) -> str:
        """What proves an identity."""
        return hmac.new(self._key, worker.encode(), hashlib.sha256).hexdigest()

    def _proves(self, worker: str, secret: str) -> bool:
        return hmac.compare_digest(self.secret(worker).encode(), secret.encode())

    def shown(self, message: protocol.Register, remote: str) -> Shown:
        """What the page shows of itself."""
        worker = message.worker
        if worker is not None and not self._proves(worker, message.secret or ""):
            worker = None
        token, join = ((text or "").encode() for text in (message.token, message.join))
        return Shown(token, join, worker, message.types, remote)

    @staticmethod
    def key(shown: Shown, admitted: Admitted) -> str:
        """Under which the session is held open: its worker has joined, or its token; empty: nothing ends it."""
        if admitted.joined:
            return shown.worker or ""
        return "" if admitted.token is None else admitted.token.id

    def registration(self, shown: Shown, message: protocol.Register, admitted: Admitted, opened: float) -> Registration:
        """What the page says of itself; ``opened``: when its session was."""
        return Registration(
            worker=shown.worker or self.new_worker_id(),
            joined=admitted.joined,
            proved=shown.worker is not None,
            spare=self.new_worker_id(),
            boot=message.boot,
            after=message.after,
            sessions=message.sessions,
            name=clean(message.name).strip(),
            types=message.types,
            labels=_labels(message, admitted),
            slots=message.slots,
            versions=_shared(tuple(message.versions.items())),
            doubt_urls=_shared(tuple(message.doubt_urls.items())),
            unloaded=_unloaded(message),
            opened=opened,
            holding=tuple((held.attempt, held.elapsed_ms / 1000) for held in message.holding),
            finished=message.finished,
        )


def _labels(message: protocol.Register, admitted: Admitted) -> Labels:
    """The page's labels; those of its token stand in their place."""
    said = {label: clean(value) for label, value in message.labels.items()}
    fixed = {} if admitted.token is None else dict(admitted.token.labels)
    return tuple(sorted((said | fixed).items()))


def _unloaded(message: protocol.Register) -> Mapping[str, str]:
    """What it could not load. A task that it offers it has loaded, whichever file has it."""
    if not message.unloaded:
        return {}
    offered = set(message.types)
    return _shared(tuple((name, why) for name, why in message.unloaded.items() if name not in offered))


@lru_cache(maxsize=200)
def _shared(said: tuple[tuple[str, str], ...]) -> Mapping[str, str]:
    """Most pages have the same: these share one mapping."""
    return {name: clean(text) for name, text in said}


def told_settings(settings: Settings) -> dict[str, int]:
    """The limits and times that a page is told when it has registered."""
    return {
        "result_limit": settings.body_limit,
        "post_limit": settings.post_limit,
        "packet_limit": settings.packet_limit,
        "offer_ttl_ms": round(settings.offer_ttl_s * 1000),
        "repeat_ms": min(5_000, round(settings.offer_ttl_s * 500)),
        "reload_after_ms": round(settings.reload_after_s * 1000),
        "doubt_ms": DOUBT_MS,
    }


def clean(text: str) -> str:
    """Text that every store can hold and every log can show: no NUL."""
    return text.replace("\0", "\ufffd")


def page_texts(said: Mapping[str, str | float | bool | None]) -> dict[str, str]:
    """What a page says of itself, in texts as JSON has them: ``true``, ``11``. What it does not know is left out."""
    return {
        name: clean(str(value).lower() if isinstance(value, bool) else str(value))[:200]
        for name, value in said.items()
        if value is not None and name not in FIELDS
    }

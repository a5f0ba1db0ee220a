"""The credentials of single workers: what a page was given for a token for joining, and shows from then on.

The form is ``phw_<secret>``: 43 signs of base64url, 256 random bits, of which the SHA-256 is kept. A credential opens
the identity of its worker, and no other.

Theory of operation. A page may lose the answer in which its credential stands, and asks again; it may also have two
windows. So a worker that joins again with the same token gets another credential, and no other use of the token is
spent; of those that it was given the last few open its identity. Pure: the turns write what is here.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable

from msgspec import Struct

from dispatcher.access.tokens import digest_of

__all__ = ["MOST_CREDENTIALS", "MOST_GIVEN", "Credential", "CredentialTable", "is_credential"]

#: So many of those that a worker was given open its identity.
MOST_GIVEN = 4
#: Most workers that may have joined: all of them stand in memory.
MOST_CREDENTIALS = 20_000
_BEGINNING = b"phw_"


class Credential(Struct, frozen=True, kw_only=True):
    """What is kept of a worker that has joined. Without digests nothing is kept."""

    worker: str
    #: The id of the token with which it has joined.
    token_id: str = ""
    #: Of those that it was given last, the newest first.
    digests: tuple[bytes, ...] = ()
    #: When it joined; UTC seconds.
    at: float = 0.0

    def is_empty(self) -> bool:
        """Whether there is nothing to keep."""
        return not self.digests


class CredentialTable:
    """The credentials of all workers that have joined: each is found by one look into a dict."""

    def __init__(self) -> None:
        self._by_worker: dict[str, Credential] = {}
        #: Token -> the workers that have joined with it.
        self._workers: dict[str, dict[str, None]] = {}

    def __len__(self) -> int:
        return len(self._by_worker)

    def put(self, credentials: Iterable[Credential]) -> None:
        """Takes them in; each takes the place of its worker's last one, and an empty one ends it."""
        for one in credentials:
            self._remove(one.worker)
            if not one.is_empty():
                self._by_worker[one.worker] = one
                self._workers.setdefault(one.token_id, {})[one.worker] = None

    def _remove(self, worker: str) -> None:
        last = self._by_worker.pop(worker, None)
        if last is not None:
            workers = self._workers[last.token_id]
            del workers[worker]
            if not workers:
                del self._workers[last.token_id]

    def get(self, worker: str) -> Credential | None:
        """That of this worker; None: it has not joined."""
        return self._by_worker.get(worker)

    def joined_with(self, token_id: str) -> list[str]:
        """The workers that have joined with this token, in the order in which they came."""
        return list(self._workers.get(token_id, ()))

    def opens(self, worker: str, text: bytes) -> Credential | None:
        """The credential, if this text is one that the worker was given."""
        known, shown = self._by_worker.get(worker), digest_of(text)
        if known is None or not any([hmac.compare_digest(shown, digest) for digest in known.digests]):
            return None
        return known


def is_credential(text: bytes) -> bool:
    """Whether this has the form of one."""
    return text.startswith(_BEGINNING)

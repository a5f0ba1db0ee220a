"""Pages join: a token for joining is exchanged for the credential of one worker.

Theory of operation. A use is spent by a worker, not by a try. A page that has no identity is given one first, at no
cost; it keeps it, and then joins as this worker. The use and the credential are written in one turn, and the page is
told when that is durable. If it does not hear the answer it asks again, as the same worker with the same token: it gets
another credential and no other use is spent, even if the token has been used up or has expired meanwhile. Uses are
counted here before the turn, so that two pages at once spend no use twice; a turn that fails gives them back.
Where other nodes may spend a use at the same time the store decides, and refuses the command.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress

from msgspec.structs import replace

from dispatcher import ids
from dispatcher.access.acts import Actor
from dispatcher.access.commands import EndCredentials, JoinWorker
from dispatcher.access.credentials import MOST_CREDENTIALS, MOST_GIVEN, Credential, CredentialTable
from dispatcher.access.table import TokenTable
from dispatcher.access.tokens import Token, digest_of
from dispatcher.clock import Clock
from dispatcher.core.jobs.turn import CommandReport
from dispatcher.core.workers.effects import Request
from dispatcher.errors import MessageRefused, PagehandError
from dispatcher.node.turns.turns import Turns
from dispatcher.pages.gate import Told
from dispatcher.store.port import Store

__all__ = ["Joins"]

#: How many are read from the store at once.
_SLICE = 1_000

_UNKNOWN = "what the page sent is no token for joining: open it with #join=... at the end of its address"
_ENDED = "its token for joining was revoked or has expired: ask for a new one, and open it with #join=..."
_USED_UP = "its token for joining is used up: {used:,} of {uses:,} workers have joined. Ask for a new one"
_GIVEN = "its token for joining is used up: other workers have joined with it just now. Ask for a new one"
_FULL = f"{MOST_CREDENTIALS:,} workers have joined: revoke tokens for joining whose pages are no longer there"


class Joins:
    """The workers that have joined, in step with the store's. ``ends``: ends what was opened under a worker's id."""

    def __init__(
        self, store: Store, clock: Clock, turns: Turns, tokens: TokenTable, ends: Callable[[str], None]
    ) -> None:
        self._store, self._clock, self._turns, self._tokens, self._ends = store, clock, turns, tokens, ends
        self._table = CredentialTable()
        #: By worker: turns that write its credential.
        self._asking: dict[str, asyncio.Future[CommandReport]] = {}

    async def start(self) -> None:
        """Reads the store's credentials, in pieces, but for those of tokens that are revoked."""
        after = ""
        while found := await self._store.kept.credentials(after, _SLICE):
            self._table.put([one for one in found if self._token(one) is not None])
            after = found[-1].worker

    def of(self, worker: str) -> Credential | None:
        """That of a worker which has joined; None: it has not, or has to join anew."""
        one = self._table.get(worker)
        return None if one is None or self._token(one) is None else one

    def _token(self, one: Credential) -> Token | None:
        """The token with which a worker has joined, while that holds."""
        token = self._tokens.get(one.token_id)
        return None if token is None or token.revoked_at is not None else token

    def shown(self, worker: str, text: bytes) -> Token | None:
        """The token with which this worker has joined, if the text is its credential; None: it opens nothing."""
        one = self._table.opens(worker, text)
        return None if one is None else self._token(one)

    def wanted(self, text: bytes, worker: str | None) -> Token:
        """The token for joining with this text, with which this worker may join, or has.

        Raises MessageRefused: ``bad_token``, ``token_ended``, ``join_used_up``.
        """
        token = self._tokens.shown(text)
        if token is None or token.uses is None:
            raise MessageRefused(_UNKNOWN, code="bad_token")
        one = None if worker is None else self._table.get(worker)
        if token.revoked_at is None and one is not None and one.token_id == token.id:
            return token
        if token.is_used_up() and token.revoked_at is None:
            raise MessageRefused(_USED_UP.format(used=token.used, uses=token.uses), code="join_used_up")
        if not token.works(self._clock.utc()):
            raise MessageRefused(_ENDED, code="token_ended")
        return token

    def join(self, token: Token, worker: str, remote: str, told: Told) -> None:
        """Gives the worker a credential for a token that is ``wanted``; ``told`` hears of it when it is durable.

        Nobody is told while the worker's last try is on its way, nor if the turn fails: the page asks again.
        """
        last = self._table.get(worker)
        if worker in self._asking:
            return
        if last is None and len(self._table) >= MOST_CREDENTIALS:
            told(MessageRefused(_FULL, code="join_used_up"))
            return
        again = last is not None and last.token_id == token.id
        text = ids.new_credential()
        given, at = (last.digests, last.at) if last is not None and again else ((), self._clock.utc())
        digests = (digest_of(text.encode()), *given)[:MOST_GIVEN]
        one = Credential(worker=worker, token_id=token.id, digests=digests, at=at)
        command = JoinWorker(one, not again, Actor(token.name, token.id, remote))
        with suppress(PagehandError):  # no turn can be had now
            self._asking[worker] = self._turns.order(command)
            self._spend(token.id, 0 if again else 1)
            self._asking[worker].add_done_callback(lambda done: self._joined(done, command, text, told))

    def _joined(self, done: asyncio.Future[CommandReport], command: JoinWorker, text: str, told: Told) -> None:
        """The turn is over. If it failed nothing was written, and the use is there again."""
        one = command.credential
        del self._asking[one.worker]
        if done.cancelled():
            return
        error = done.exception()
        if error is not None:
            self._spend(one.token_id, -1 if command.spends else 0)
            if not isinstance(error, PagehandError):
                raise error
        elif not done.result().done:  # other nodes have given the last uses
            self._spend(one.token_id, -1 if command.spends else 0)
            told(MessageRefused(_GIVEN, code="join_used_up"))
        elif self._token(one) is None:  # it was revoked in the same turn
            self._turns.carry_out([Request(EndCredentials((one.worker,)))])
            self._turns.kick()
            told(MessageRefused(_ENDED, code="token_ended"))
        else:
            self._table.put([one])
            told(text)

    def _spend(self, token_id: str, uses: int) -> None:
        token = self._tokens.get(token_id)
        if token is not None:
            at = self._clock.utc() if uses > 0 else token.last_used_at
            self._tokens.put([replace(token, used=token.used + uses, last_used_at=at)])

    async def end(self, worker: str, actor: Actor, reason: str = "") -> bool:
        """Whether the worker had joined. It must join anew: that is durable, and the session of its page is over."""
        one = self._table.get(worker)
        if one is None:
            return False
        await self._turns.command(EndCredentials((worker,), actor, reason))
        self.forget(worker)
        return True

    def forget(self, worker: str) -> None:
        """The store keeps no credential of this worker any more."""
        self._table.put([Credential(worker=worker)])
        self._ends(worker)

    def heard(self, credentials: Iterable[Credential]) -> None:
        """What other nodes have given or ended; pages of ended ones are here perhaps."""
        for one in credentials:
            if one.is_empty():
                self.forget(one.worker)
            else:
                self._table.put([one])

    def joined_with(self, token_id: str) -> tuple[str, ...]:
        """The workers that have joined with this token."""
        return tuple(self._table.joined_with(token_id))

"""The tokens of a running server: found for each request, made, revoked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from heapq import heappop, heappush

from msgspec.structs import replace

from dispatcher import ids
from dispatcher.access.acts import Actor, AuditFilter, AuditNote, AuditOutcome, AuditPage
from dispatcher.access.commands import NOBODY_ASKED, EndCredentials, MakeToken, RevokeToken, UsedTokens
from dispatcher.access.opened import MOST_AT_ONCE, Opened, Opening
from dispatcher.access.principal import Principal
from dispatcher.access.rates import Rates
from dispatcher.access.scopes import Scope
from dispatcher.access.table import TokenTable
from dispatcher.access.tokens import Token, digest_of, id_of
from dispatcher.clock import Clock
from dispatcher.core.jobs.news import News
from dispatcher.core.jobs.turn import Command
from dispatcher.core.workers.effects import Request
from dispatcher.errors import BadRequest, TokenNotFound, Unavailable, WrongState
from dispatcher.node.joining import Joins
from dispatcher.node.turns.turns import Turns
from dispatcher.store.port import Store

__all__ = ["MOST_REFUSALS", "MOST_REFUSALS_A_DAY", "MOST_SIGN_INS", "MOST_TOKENS", "Access"]

#: Most tokens that are known. For a new one those make room that open nothing any more, the oldest first.
MOST_TOKENS = 1_000
#: Most refused tokens that are noted in a minute.
MOST_REFUSALS = 60
#: Most of them that are noted in a day: whoever has no token must not push a year of acts out of the log.
MOST_REFUSALS_A_DAY = 500
#: Most sign-ins that are noted in a minute.
MOST_SIGN_INS = 60


class _SpanLimit:
    """So many in a span of time, and no more."""

    def __init__(self, clock: Clock, most: int, span_s: float) -> None:
        self._clock, self._most, self._span_s = clock, most, span_s
        self._taken, self._until = 0, 0.0

    def take(self) -> bool:
        """Whether there is room for one more, which is taken."""
        now = self._clock.monotonic()
        if now >= self._until:
            self._until, self._taken = now + self._span_s, 0
        room = self._taken < self._most
        self._taken += room
        return room


class Access:
    """The table of tokens, in step with the store's."""

    def __init__(self, store: Store, clock: Clock, turns: Turns, armed: Callable[[], None] = lambda: None) -> None:
        self._store, self._clock, self._turns = store, clock, turns
        #: Called when ``next_end_at`` may have come nearer.
        self._armed = armed
        self._table = TokenTable()
        #: What goes on after a token was looked at; of a worker that has joined, under its id.
        self.opened = Opened()
        self.joins = Joins(store, clock, turns, self._table, self._end)
        #: When tokens expire that hold something open, the earliest first.
        self._ends: list[tuple[float, str]] = []
        self._watched: set[str] = set()
        self._rates = Rates()
        #: Another node has changed tokens, and they are not read yet.
        self._is_behind = False
        self._reading: asyncio.Task[None] | None = None
        turns.outcomes.hearers.append(self._heard)
        #: One token is made or revoked at a time.
        self._lock = asyncio.Lock()
        self._refusals = _SpanLimit(clock, MOST_REFUSALS, 60.0)
        self._day_refusals = _SpanLimit(clock, MOST_REFUSALS_A_DAY, 86_400.0)
        self._sign_ins = _SpanLimit(clock, MOST_SIGN_INS, 60.0)

    async def start(self) -> None:
        """Reads the store's tokens."""
        self._table.put(await self._store.tokens())
        await self.joins.start()

    def _heard(self, news: News) -> None:
        """What another node has done. A token that it has revoked opens nothing here from now on."""
        self.joins.heard(news.credentials)
        self._is_behind = self._is_behind or news.tokens
        self._catch_up()

    def _catch_up(self) -> None:
        if self._is_behind and (self._reading is None or self._reading.done()):
            self._is_behind = False
            self._reading = asyncio.ensure_future(self._read_again())

    async def _read_again(self) -> None:
        """Reads all tokens, of which there are few. If the store cannot be read now, the timer tries again."""
        try:
            async with self._lock:  # none is made or revoked here meanwhile
                tokens = await self._store.tokens()
                known = {token.id: token for token in self._table.all()}
                self._table.remove(known.keys() - {token.id for token in tokens})
                self._table.put(tokens)
        except Unavailable:
            self._is_behind = True
            return
        for token in tokens:
            if token.revoked_at is not None and token.id in known and known[token.id].revoked_at is None:
                self._end(token.id)
                self._forget(self.joins.joined_with(token.id))

    def find(self, text: bytes) -> Principal | None:
        """Who shows this token; None: it is unknown, expired or revoked."""
        return self._seen(self._table.find(text, self._clock.utc()))

    def session(self, token_id: str) -> Principal | None:
        """Who has signed in with the token of this id; None as for ``find``."""
        return self._seen(self._table.by_id(token_id, self._clock.utc()))

    def has_ended(self, text: bytes) -> bool:
        """Whether this token was one of ours, and is revoked or has expired."""
        return self._table.has_ended(text) and self._table.find(text, self._clock.utc()) is None

    def take(self, token_id: str, jobs: int) -> None:
        """So many jobs are about to be submitted with the token. Raises TooManyJobs."""
        token = self._table.get(token_id)
        if token is not None and token.jobs_per_minute is not None:
            self._rates.take(token_id, jobs, token.jobs_per_minute, self._clock.monotonic())

    def give_back(self, token_id: str, jobs: int) -> None:
        """So many of them became no new jobs."""
        self._rates.give_back(token_id, jobs)

    # -- what tokens have opened

    def _end(self, token_id: str) -> None:
        """Everything that this token has opened ends, some at a time: it may be ten thousand pages."""
        if self.opened.end(token_id):
            asyncio.get_running_loop().call_soon(self._end, token_id)

    def open(self, token_id: str, ended: Callable[[], None]) -> Opening:
        """Something was opened with this token (empty: with that of the settings, or with none); close it at its end.

        ``ended`` is called as soon as the token is revoked, expires, or is another one in the settings.
        """
        opening = self.opened.add(token_id, ended)
        if self.joins.of(token_id) is not None:
            return opening
        token = self._table.get(token_id)
        if token_id and (token is None or not token.works(self._clock.utc())):
            asyncio.get_running_loop().call_soon(self._end, token_id)
        elif token is not None and token.expires_at is not None:
            self._watch(token.expires_at, token_id)
        return opening

    def own_token_changed(self) -> None:
        """The settings have another token: what was opened with the last one, or with none, ends."""
        self.opened.end("", most=len(self.opened))  # in one step: what comes next is opened with the new token

    def _watch(self, expires_at: float, token_id: str) -> None:
        if token_id in self._watched:
            return
        self._watched.add(token_id)
        heappush(self._ends, (expires_at, token_id))
        if self._ends[0] == (expires_at, token_id):
            self._armed()

    @property
    def next_end_at(self) -> float | None:
        """When the next token expires that holds something open; UTC."""
        return self._ends[0][0] if self._ends else None

    def tick(self) -> None:
        """Ends what expired tokens have opened."""
        self._catch_up()
        now_at = self._clock.utc()
        while self._ends and self._ends[0][0] <= now_at:
            _, token_id = heappop(self._ends)
            self._watched.discard(token_id)
            self._end(token_id)

    def _seen(self, principal: Principal | None) -> Principal | None:
        """Tells the store of a use, which the table notes once a minute at most."""
        if used := self._table.used():
            self._order(UsedTokens(used))
        return principal

    def _order(self, command: Command) -> None:
        self._turns.carry_out([Request(command)])
        self._turns.kick()

    def note(self, act: AuditNote) -> None:
        """Puts what has been done elsewhere into the audit log."""
        self._order(act)

    def refused(self, remote: str) -> None:
        """Somebody has shown a token that is nobody's. So many are noted in a minute and in a day, and no more."""
        if self._refusals.take() and self._day_refusals.take():
            self.note(AuditNote(Actor("unknown", "", remote), "token.refused", outcome=AuditOutcome.REFUSED))

    def signed_in(self, actor: Actor) -> None:
        """Somebody has signed in to the console. So many are noted in a minute, beside refused tokens."""
        if self._sign_ins.take():
            self.note(AuditNote(actor, "console.sign_in"))

    async def acts(self, wanted: AuditFilter) -> AuditPage:
        """The audit log, the newest first. Raises BadParameter."""
        return await self._store.acts(wanted)

    def all(self) -> list[Token]:
        """All tokens, the newest first."""
        return self._table.all()

    def get(self, token_id: str) -> Token | None:
        """The token with this id; None: there is none."""
        return self._table.get(token_id)

    def one(self, token_id: str) -> Token:
        """Raises TokenNotFound."""
        token = self._table.get(token_id)
        if token is None:
            raise TokenNotFound(f"there is no token with the id {token_id!r}: the list of tokens has them all")
        return token

    async def make(
        self,
        name: str,
        scopes: tuple[Scope, ...],
        *,
        actor: Actor,
        made_by: str = "",
        types: tuple[str, ...] = (),
        labels: Mapping[str, str] | None = None,
        uses: int | None = None,
        jobs_per_minute: int | None = None,
        expires_at: float | None = None,
    ) -> tuple[Token, str]:
        """A new token once it is durable, and its text, which is kept nowhere. Raises WrongState, BadRequest.

        ``labels``: those of its pages. ``uses``: how many workers may join with it; None: it is no token for joining.
        """
        async with self._lock:
            text = self._new_text()
            token = Token(
                id=text.split("_")[1], digest=digest_of(text.encode()), name=name, scopes=scopes, types=types,
                made_by=made_by or actor.name, made_at=self._clock.utc(), expires_at=expires_at,
                labels=tuple(sorted((labels or {}).items())), uses=uses, jobs_per_minute=jobs_per_minute,
            )  # fmt: skip
            forget = self._outlived()
            report = await self._turns.command(MakeToken(token, forget, actor))
            if not report.done:
                raise BadRequest("the store cannot hold this text: leave out what is not proper text", semantic=True)
            self._table.remove(forget)
            self._table.put([token])
            return token, text

    def _new_text(self) -> str:
        """A token whose id no other has."""
        while True:
            text = ids.new_token()
            if self._table.get(id_of(text.encode()) or "") is None:
                return text

    def _outlived(self) -> tuple[str, ...]:
        """The tokens that make room for one more. Raises WrongState if all are in use."""
        tokens, now_at = self._table.all(), self._clock.utc()
        over = len(tokens) + 1 - MOST_TOKENS
        if over <= 0:
            return ()
        outlived = [token.id for token in reversed(tokens) if not token.holds(now_at)][:over]
        if len(outlived) < over:
            raise WrongState(f"there are {len(tokens):,} tokens that all work: revoke one first")
        return tuple(outlived)

    async def revoke(self, token_id: str, actor: Actor = NOBODY_ASKED) -> Token:
        """The token, once it is durable that it opens nothing. Raises TokenNotFound.

        Workers that have joined with it must join anew.
        """
        async with self._lock:
            token = self.one(token_id)
            if token.revoked_at is None:
                at = self._clock.utc()
                await self._turns.command(RevokeToken(token_id, at, actor))
                token = replace(self.one(token_id), revoked_at=at)
                self._table.put([token])
                self._end(token_id)
                if joined := self.joins.joined_with(token_id):
                    self._forget(joined)
                    await self._turns.command(EndCredentials(joined))  # they open nothing already
            return token

    def _forget(self, workers: Sequence[str]) -> None:
        """The credentials of these workers have ended: their pages are told, some at a time."""
        for worker in workers[:MOST_AT_ONCE]:
            self.joins.forget(worker)
        if len(workers) > MOST_AT_ONCE:
            asyncio.get_running_loop().call_soon(self._forget, workers[MOST_AT_ONCE:])

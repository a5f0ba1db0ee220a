"""The other nodes of the database: what they tell, what this one tells them, and what those leave that are gone.

Each turn that has something to tell writes one row of ``news``. The turns of a node come one after the other, so the
number of its turn is a place in what it tells: whoever has read up to there reads on from there, and misses nothing.
A node reads in each of its turns, and has one each second. A node that has been silent for 10 s is gone: whoever sees
it first raises its epoch and takes its attempts over, in one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from dispatcher.core.jobs.news import News
from dispatcher.core.jobs.turn import LiveAttempt, MoveAttempts
from dispatcher.errors import StorageTrouble
from dispatcher.store.attempts import job_of
from dispatcher.store.columns import live_attempt
from dispatcher.store.postgres.endings import asks_to_count
from dispatcher.store.postgres.link import Asked, Rows, array
from dispatcher.store.postgres.telling import is_urgent, news_of
from dispatcher.store.requests import Load, Save

__all__ = ["Others"]

#: How often a node removes what it has told; what is older than ``news_kept`` in ``others.sql`` has been read.
_TRIM_EVERY_S = 10.0
_MISSED = (
    "this node has not read for so long what the others have told that some of it is gone: "
    "nothing is written any more; start it anew"
)
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(News).decode


class _Other(NamedTuple):
    """Another node, as a turn sees it."""

    node: str
    epoch: int
    #: So many turns it had had when its life began.
    began: int
    #: What it told in its turns up to this one may be gone.
    trimmed: int
    gone: bool
    #: It has not been heard of for so long, by a node that was there all the time, that it counts as gone.
    silent: bool
    #: For twice as long.
    stuck: bool


class Others:
    """``places``: up to which of its turns what each node has told is read, or need not be."""

    def __init__(self, node: str, places: Mapping[str, int]) -> None:
        self._node = node
        self._places = dict(places)
        #: The number of the last life that was seen of each.
        self._lives: dict[str, int] = {}
        #: What a transaction has read so far: it counts when that has ended well.
        self._read: dict[str, int] = {}
        self._moves: Sequence[MoveAttempts] = ()
        self._moved: dict[MoveAttempts, tuple[LiveAttempt, ...]] = {}
        #: Of the moves those whose pages have gone on since.
        self.late: frozenset[MoveAttempts] = frozenset()
        self._trimmed_s = 0.0
        #: What the last transaction has told and somebody may wait for.
        self.told: list[News] = []
        #: Some live: there is somebody to tell.
        self.live = False
        #: It is the first of those that live, by name: it does what one of them does for all, such as sending webhooks.
        self.leads = True
        #: Those that are gone and whose attempts nobody has taken over: (node, epoch).
        self.silent: list[tuple[str, int]] = []
        #: Those whose last turn does not end.
        self._stuck: list[str] = []

    def asks(self, request: Load) -> Iterator[Asked]:
        """What a turn asks behind its fence. Attempts move before anything is read of them, or of what others tell."""
        self._moves = request.moves
        if request.moves:
            yield "move_attempts", self._move(request.moves)
        yield "others", {"node": self._node}
        if self._places:
            yield "read_news", {"nodes": list(self._places), "turns": array(self._places.values())}
        if request.elapsed_s >= self._trimmed_s + _TRIM_EVERY_S:
            self._trimmed_s = request.elapsed_s
            yield "trim_news", {"node": self._node}

    def _move(self, moves: Sequence[MoveAttempts]) -> dict[str, Any]:
        """What all of these pages name, by their places: when a node has gone thousands may come at once."""
        named = [
            (page, seq, name)
            for page, move in enumerate(moves)
            for name in move.attempts
            if (seq := job_of(name)) is not None
        ]
        return {
            "node": self._node, "pages": array(range(len(moves))), "named_by": array(page for page, _, _ in named),
            "seqs": array(seq for _, seq, _ in named), "names": [name for _, _, name in named],
            "workers": [move.page.worker for move in moves], "boots": [move.page.boot for move in moves],
            "sessions": array(move.page.sessions for move in moves),
        }  # fmt: skip

    def loaded(self, found: Sequence[Rows]) -> tuple[dict[MoveAttempts, tuple[LiveAttempt, ...]], list[News] | None]:
        """What has moved, and what others have told (None: there are none). Raises StorageTrouble if some is gone."""
        moved, (others, *news) = (found[0], found[1:]) if self._moves else ([], found)
        by_page: dict[int, list[LiveAttempt]] = {}
        self.late = frozenset(self._moves[page] for page, late, *_ in moved if late)
        for page, late, *row in moved:
            if not late:
                by_page.setdefault(page, []).append(live_attempt(row))
        self._moved = {self._moves[page]: tuple(attempts) for page, attempts in by_page.items()}
        seen = [_Other(*row) for row in others]
        self._see(seen)
        if not seen:
            self._places = {}
            return self._moved, None
        told = news[0] if self._places and news else []
        self._read |= {node: turn for node, turn, _ in told}
        self._places = {one.node: self._place(one) for one in seen}
        self._lives = {one.node: one.epoch for one in seen}
        return self._moved, [_decode(text) for _, _, text in told]

    def _place(self, one: _Other) -> int:
        """Up to which turn what it has told is read. A node that was forgotten counts its turns from the beginning."""
        place = self._places.get(one.node, one.began)
        is_new_life = self._lives.get(one.node, one.epoch) != one.epoch and not one.gone
        return min(place, one.began) if is_new_life else place

    def _see(self, others: Sequence[_Other]) -> None:
        if any(one.trimmed > self._places.get(one.node, one.trimmed) for one in others):
            raise StorageTrouble(_MISSED)
        self.live = any(not one.gone for one in others)
        self.leads = self._node <= min((one.node for one in others if not (one.gone or one.silent)), default=self._node)
        self.silent = [(one.node, one.epoch) for one in others if one.silent]
        self._stuck = [one.node for one in others if one.stuck]

    def ask_to_keep(self, request: Save) -> Iterator[Asked]:
        """Keeps ends that other nodes may not have counted, before their jobs go or go on."""
        if self.live and request.ends_lost:
            yield "keep_uncounted", {"seqs": array(request.ends_lost), "node": self._node}

    def tell(self, request: Save, turn: int) -> Iterator[Asked]:
        """What this turn has for the others, if there are any."""
        if not self.live:
            return
        news = news_of(
            request,
            (move.page for move in self._moves if move not in self.late),
            (attempt for moved in self._moved.values() for attempt in moved),
        )
        if news is not None:
            self.told += [news] if is_urgent(news) else []
            yield "tell", {"node": self._node, "turn": turn, "news": _encode(news).decode()}

    def bury(self, many: Callable[[list[Asked]], list[Rows]]) -> list[LiveAttempt]:
        """Takes over what silent nodes have left, if nobody else does; they can write nothing any more (I31).

        A node whose turn has begun is not gone; but a turn that does not end is cut off.
        """
        adopted: list[LiveAttempt] = []
        for node, epoch in self.silent:
            grave = many([("bury", {"gone": node, "epoch": epoch})])[0]
            if not grave:
                if node in self._stuck:
                    many([("cut_off", {"gone": node})])
                continue
            ours = {"node": self._node, "gone": node}
            left, ended, *_ = many([
                ("adopt", ours), ("ended_behind", {"gone": node, "clock": grave[0][0]}),
                ("nobody_there", ours), ("offers_nothing", ours), ("has_nobody", ours), ("fold_tallies", ours),
                ("fold_amounts", ours),
            ])  # fmt: skip
            many(list(asks_to_count(ended)))
            adopted += map(live_attempt, left)
        return adopted

    def begin(self) -> None:
        """A transaction begins."""
        self._read, self.told = {}, []

    def end(self) -> None:
        """It has ended well: what it has read is read."""
        self._places |= {node: turn for node, turn in self._read.items() if node in self._places}
        self._read = {}

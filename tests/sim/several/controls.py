"""Bugs planted on purpose in what several nodes share: the simulator must find each."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace as replace_setting
from typing import Any
from unittest import mock

from msgspec.structs import replace

from dispatcher.node.turns.turns import Turns
from dispatcher.pages.registrar import Registrar
from dispatcher.store.applier.hand import Hand
from dispatcher.store.postgres.clock import DatabaseClock, QueueClock
from dispatcher.store.postgres.others import Others
from tests.sim.planting import instead
from tests.sim.several.knobs import SeveralKnobs, of_several
from tests.sim.several.store import NodeStore
from tests.sim.several.tables import SharedRows
from tests.sim.world import run

__all__ = ["SEVERAL_CONTROLS", "found_in"]

#: Each must be found within this many seeds.
SEEDS = 12
#: What belongs to no transaction.
_WIRES = ("_clock", "_next_life", "_end_connection", "speaker", "buried", "news", "ever_told", "nodes")


def _writes_on(real: Any, self: SharedRows, speaker: Any, elapsed_s: float) -> Any:
    """Whoever has been given up writes all the same."""
    row = self.nodes[speaker.node]
    with mock.patch.object(row, "epoch", speaker.epoch):
        return real(self, speaker, elapsed_s)


def _leaves_it_there(real: Any, self: SharedRows, **fields: Any) -> Any:
    """The page's new node takes its attempts up, and their rows stay with the old one."""
    before = dict(self.node_of)
    found = real(self, **fields)
    self.node_of = before
    return found


def _is_lost_again(real: Any, self: NodeStore, transaction: Any) -> None:
    """The node hears that its turn is durable; then the database loses it, now and then."""
    tables, world = self.tables, self._node.world
    before = {name: copy.deepcopy(value) for name, value in vars(tables).items() if name not in _WIRES}
    real(self, transaction)
    turns = {name: row.turns for name, row in tables.nodes.items()}

    def lose() -> None:
        if turns == {name: row.turns for name, row in tables.nodes.items()}:
            vars(tables).update(before)
            self._node.operator.kill("after a commit", self._node)

    if self._draws.random() < 0.3:
        world.events.later(0.2, lose)


def _skips(real: Any, self: Others, found: Any) -> Any:
    moved, news = real(self, found)
    return moved, news if news is None else news[1:]


def _sees_no_absence(real: Any, self: SharedRows, node: str) -> Any:
    """Who was away himself takes the others for gone."""
    with mock.patch.object(self.nodes[node], "since", 0.0):
        return real(self, node)


@contextmanager
def says_it_again() -> Iterator[None]:
    """What a node has said of an attempt before that left it counts when it comes back."""

    def begin(real: Any, self: Hand, now_at: float, loaded: Any, *rest: Any) -> None:
        real(self, now_at, loaded, *rest)
        self._elsewhere = loaded.elsewhere

    keeps = instead(Turns, "_void", lambda real, self, moved: None)
    with instead(Hand, "__init__", begin)(), instead(Hand, "has", lambda real, self, live: True)(), keeps():
        yield


def _pauses(knobs: SeveralKnobs) -> None:
    knobs.pause_node_every_s, knobs.horizon_s = 10.0, 120.0


def _moves(knobs: SeveralKnobs) -> None:
    knobs.move_every_s, knobs.run_s = 2.0, 8.0


def _late_moves(knobs: SeveralKnobs) -> None:
    """What pages say is long on its way, and they move meanwhile."""
    knobs.move_every_s, knobs.run_s, knobs.jobs_every_s, knobs.partition_every_s = 0.5, 3.0, 0.3, 0.0
    knobs.away_every_s = knobs.fail_over_every_s = knobs.pause_node_every_s = 0.0
    knobs.slow_transaction = knobs.cut_connection = 0.0
    knobs.slow_line, knobs.slow_body, knobs.late_post, knobs.unseen_by_server = 0.3, 0.3, 0.3, 0.9
    knobs.by_socket, knobs.kill_every_s, knobs.reload_every_s, knobs.never_answer = 0.0, 0.0, 0.0, 0.0
    knobs.horizon_s, knobs.slots, knobs.pages = 120.0, 4, 8


def _returns(knobs: SeveralKnobs) -> None:
    """Pages go and come back while the database is away, and attempts time out meanwhile."""
    knobs.move_every_s, knobs.run_s, knobs.kill_every_s, knobs.reload_every_s = 0.5, 8.0, 0.0, 0.0
    knobs.nodes, knobs.away_every_s, knobs.fail_over_every_s, knobs.slow_transaction = 2, 0.0, 8.0, 0.5
    knobs.unseen_by_server, knobs.pages, knobs.slots, knobs.horizon_s, knobs.jobs_every_s = 0.9, 8, 4, 120.0, 0.3


def _absences(knobs: SeveralKnobs) -> None:
    knobs.away_every_s, knobs.fail_over_every_s, knobs.pause_node_every_s, knobs.kill_every_s = 15.0, 15.0, 0.0, 0.0
    knobs.horizon_s = 120.0


def _crashes(knobs: SeveralKnobs) -> None:
    knobs.kill_every_s, knobs.slow_transaction = 10.0, 0.0


def _delays(knobs: SeveralKnobs) -> None:
    knobs.clocks_apart, knobs.delayed, knobs.expires = True, 0.4, 0.3


def _slow_turns(knobs: SeveralKnobs) -> None:
    knobs.slow_transaction, knobs.jobs_every_s, knobs.horizon_s = 0.5, 0.3, 120.0
    knobs.settings = replace_setting(knobs.settings, retention_s=60.0)


#: Name -> (the bug, what must go wrong for it to show).
SEVERAL_CONTROLS: dict[str, tuple[Callable[[], AbstractContextManager[Any]], Callable[[SeveralKnobs], None]]] = {
    "a node that was given up writes": (instead(SharedRows, "fence", _writes_on), _pauses),
    "a move leaves an attempt at two nodes": (instead(SharedRows, "_move_attempts", _leaves_it_there), _moves),
    "a turn is acknowledged before it is durable": (instead(NodeStore, "_commit_now", _is_lost_again), _crashes),
    "news are skipped": (instead(Others, "loaded", _skips), _moves),
    "nobody takes over from a node that is gone": (
        instead(SharedRows, "_adopt", lambda real, self, **ours: []),
        _pauses,
    ),
    "who was away takes the others for gone": (instead(SharedRows, "_others", _sees_no_absence), _absences),
    "each node dates by its own clock": (instead(DatabaseClock, "dated", lambda real, self, turn: turn), _delays),
    "late turns make the queue clock faster": (
        instead(QueueClock, "seen", lambda real, self, clock, elapsed_s, late_s: real(self, clock, elapsed_s, 0.0)),
        _slow_turns,
    ),
    "a register that was long on its way moves what its page has": (
        instead(Registrar, "registration", lambda real, self, *shown: replace(real(self, *shown), sessions=0)),
        _late_moves,
    ),
    "what was said of an attempt before it went counts when it is back": (says_it_again, _returns),
}


def found_in(name: str) -> tuple[int, str | None]:
    """Plants a bug. Returns how many seeds searched for it, and what the last of them found."""
    plant, provoke = SEVERAL_CONTROLS[name]
    with plant():
        for seed in range(1, SEEDS + 1):
            knobs = of_several(seed)
            knobs.lie_every_s, knobs.parting = 0.0, False
            provoke(knobs)
            violation = run(seed, knobs=knobs).violation
            if violation is not None:
                return seed, violation
    return SEEDS, None

"""The knobs of a run: each seed draws which faults are on, and how strong they are (swarm testing)."""

from __future__ import annotations

import random
from copy import copy
from dataclasses import dataclass, field, fields

from dispatcher.config.settings import Settings

__all__ = ["STORE_CHECK_S", "Knobs", "every", "of_one", "share"]

#: The chance that a fault is on at all in a run.
ON = 0.4
#: How often an idle server has a turn: nothing happens to this store's disk, and years have to pass.
STORE_CHECK_S = 60.0


def share(most: float, *, later: bool | None = False) -> float:
    """A probability per occasion, up to ``most``. ``later``: drawn last, so that older knobs of a seed stay; None: by
    a class of knobs that has it."""
    return field(default=0.0, metadata={"most": most, "later": later})


def every(least_s: float, most_s: float, *, later: bool | None = False) -> float:
    """Seconds between two occurrences on average; 0: never."""
    return field(default=0.0, metadata={"every": (least_s, most_s), "later": later})


@dataclass(kw_only=True)
class Knobs:
    """The faults of one run. With all of them off, nothing goes wrong in the farm."""

    # The network, per request or answer.
    lose_request: float = share(0.1)
    lose_answer: float = share(0.1)
    #: Of closed connections: whether a side hears of it at all.
    unseen_by_server: float = share(0.9)
    unseen_by_page: float = share(0.9)
    replay_post: float = share(0.15)
    late_post: float = share(0.15, later=True)
    slow_body: float = share(0.2)
    slow_line: float = share(0.2)
    cut_poll_every_s: float = every(2.0, 60.0)
    partition_every_s: float = every(20.0, 200.0)

    # Pages.
    freeze_every_s: float = every(20.0, 200.0)
    reload_every_s: float = every(10.0, 200.0)
    lose_stash: float = share(1.0)
    second_window_every_s: float = every(30.0, 200.0)
    crash_every_s: float = every(40.0, 300.0)
    leave_every_s: float = every(40.0, 300.0)
    pause_every_s: float = every(20.0, 200.0)
    #: Operators pause workers, and the people at their pages end that. Drawn by itself: it moves no other knob.
    hold_every_s: float = field(default=0.0, metadata={"later": "by itself"})
    never_answer: float = share(0.2)
    fail: float = share(0.4)
    ignore_cancels: float = share(0.9)
    reload_task: float = share(0.2)
    lie_every_s: float = every(2.0, 30.0)
    #: Of the jobs: those that require labels (1 and more: all); with any, the pages have some.
    labelled: float = share(2.5, later=True)
    relabel: float = share(0.9, later=True)
    switch_off_every_s: float = every(20.0, 200.0, later=True)

    # Submitters.
    lose_call: float = share(0.1)
    lose_reply: float = share(0.15)
    cancel: float = share(0.15)
    other_body: float = share(0.1)
    delayed: float = share(0.4)
    expires: float = share(0.3)
    retry: float = share(0.8)
    big: float = share(0.1)
    once: float = share(0.9, later=True)
    heartbeat: float = share(0.9, later=True)
    adopt: float = share(1.0, later=True)

    # The server and its machine.
    kill_every_s: float = every(15.0, 120.0)
    kill_before_commit: float = share(0.01)
    kill_after_commit: float = share(0.01)
    trouble: float = share(0.004)
    stop_every_s: float = every(30.0, 200.0)
    stall_every_s: float = every(30.0, 200.0)
    wall_step_every_s: float = every(20.0, 200.0)
    slow_disk: float = share(0.3)
    full_disk_every_s: float = every(20.0, 200.0, later=True)
    #: Standstills that begin with a ping, and are about as long as its timeout, or end when something is due.
    stall_at_ping_every_s: float = every(10.0, 100.0, later=True)
    #: Of the standstills: those after which the timer comes before what has arrived (1 and more: all).
    timer_first: float = share(2.5, later=True)
    #: Per step of a move from polls to a socket; per socket: its page reads slowly.
    break_move: float = share(0.5, later=True)
    slow_reader: float = share(1.0, later=True)

    # Not faults: the size and the pace of the run.
    #: Servers that share a database (``several/knobs.py`` has their faults); 1: one, with a disk of its own.
    nodes: int = 1
    #: All is switched off for hours to months (seasons.py); 0: never.
    off_every_s: float = 0.0
    #: Share of the submissions that are batches.
    batched: float = 0.0
    pages: int = 3
    #: Of the sessions: those that a socket carries in the end, and of these the ones that begin by polling.
    by_socket: float = 0.0
    moves: float = 0.0
    #: A proxy closes its connection to the server behind each answer.
    parting: bool = False
    jobs_every_s: float = 1.0
    slots: int = 1
    quick: bool = False
    progress_s: float = 0.0
    run_s: float = 3.0
    horizon_s: float = 200.0
    settings: Settings = field(default_factory=Settings)

    @classmethod
    def draw(cls, rng: random.Random) -> Knobs:
        knobs = cls()
        knobs._draw_faults(rng, later=False)
        knobs._draw_sizes(rng)
        knobs._draw_faults(rng, later=True)
        knobs.by_socket, knobs.moves = rng.choice((0.0, 0.4, 0.7, 1.0)), rng.choice((0.0, 0.5, 1.0))
        knobs.parting = rng.random() < 0.3
        more = copy(rng)
        knobs.hold_every_s = more.uniform(5.0, 60.0) if more.random() < ON else 0.0
        return knobs

    def _draw_faults(self, rng: random.Random, *, later: bool | None) -> None:
        for item in fields(self):
            if not item.metadata or item.metadata["later"] is not later:
                continue
            # Always the same number of draws, so that a new knob at the end leaves the others of a seed alone.
            on, strength = rng.random() < ON, rng.random()
            if "every" in item.metadata:
                least, most = item.metadata["every"]
                value = least * (most / least) ** strength
            else:
                value = item.metadata["most"] * strength**2
            setattr(self, item.name, value if on else 0.0)

    def _draw_sizes(self, rng: random.Random) -> None:
        self.pages = rng.randint(1, 6)
        self.jobs_every_s = rng.choice((0.3, 1.0, 3.0))
        self.slots = rng.choice((1, 1, 2, 4))
        self.quick = rng.random() < 0.3
        self.progress_s = rng.choice((0.0, 0.0, 1.0))
        self.run_s = rng.choice((0.2, 2.0, 8.0))
        self.horizon_s = rng.choice((60.0, 150.0, 300.0))
        self.settings = Settings(
            offer_ttl_s=rng.choice((2.0, 10.0)),
            reconnect_grace_s=rng.choice((5.0, 30.0)),
            restart_grace_s=rng.choice((10.0, 60.0)),
            reload_after_s=rng.choice((5.0, 60.0)),
            ping_interval_s=rng.choice((5.0, 20.0)),
            ping_timeout_s=rng.choice((4.0, 20.0)),
            backoff_max_s=20.0,
            drain_s=rng.choice((1.0, 25.0)),
            body_limit=rng.choice((1_024, 1 << 20)),
            packet_limit=rng.choice((16, 1_024)),
            queue_depth=rng.choice((20, 1_000_000)),
            retention_s=rng.choice((60.0, 7 * 86_400.0)),
            store_check_s=STORE_CHECK_S,
        )

    def by_polling(self) -> Knobs:
        """The same without sockets, proxies and holds: as farms were before there were any."""
        self.by_socket, self.parting, self.hold_every_s = 0.0, False, 0.0
        return self

    def calm(self) -> None:
        """All faults are over."""
        for item in fields(self):
            if item.metadata:
                setattr(self, item.name, 0.0)

    def on(self) -> dict[str, float]:
        """The faults that are on."""
        return {f.name: round(getattr(self, f.name), 4) for f in fields(self) if f.metadata and getattr(self, f.name)}


def of_one(seed: int) -> Knobs:
    """The knobs of this seed, with one server."""
    return Knobs.draw(random.Random(f"knobs of {seed}"))

"""Servers on one PostgreSQL, and what befalls them in the campaign ``nodes``: kills, long stops, a lost database.

Each act is one cycle: when it returns, what it broke runs again. Acts of different nodes, and one of the database, may
go on at the same time. The nodes' clocks are hours apart. It judges nodes (see ``found``), and knows nothing of jobs.
"""

from __future__ import annotations

import asyncio
import random
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from dispatcher.store.postgres.link import Link
from tests.campaigns.kill_checker import Stored
from tests.campaigns.nodes_door import Door
from tests.campaigns.nodes_process import NodeProcess
from tests.faults.clocks import shifted, sweep
from tests.store.postgres.several import sql
from tests.support.process import Refused, quick
from tests.support.rows import in_postgres
from tests.support.standby import Pair
from tests.support.waiting import PATIENCE_S, eventually

__all__ = ["NODES", "Site", "Sums"]

NODES = "abcde"
#: How far the clocks of some are off.
CLOCKS = {"c": "+1h", "d": "-1h"}
#: Share of kills that meet a node that is starting.
EARLY = 0.2
#: Share of the nodes that go for long of which the door hears: it is as a proxy that asks its servers.
NOTICED = 0.5
#: How long a node is away at most until another one takes over, and how long a start is tried.
GONE_S, START_S = 60.0, 60.0


@dataclass
class Sums:
    """The counts over all rounds."""

    kills: int = 0
    early: int = 0
    #: Kills after which the node stayed away, and of these the ones until others had taken over.
    burials: int = 0
    buried: int = 0
    restarts: int = 0
    fail_overs: int = 0
    wakes: int = 0
    #: Of these, the ones that others had taken over from.
    over: int = 0
    sent: int = 0
    accepted: int = 0
    batches: int = 0
    recorded: int = 0
    repeated: int = 0
    unanswered: int = 0
    replayed: int = 0
    looks: int = 0
    sessions: int = 0
    found: list[str] = field(default_factory=list)


class Site:
    """The database of a round, its nodes, and the door before them. ``fault``: one that all nodes have."""

    def __init__(
        self, directory: Path, pair: Pair, rng: random.Random, sums: Sums, *, nodes: str, fault: str = ""
    ) -> None:
        self.rng, self.sums, self.fault = rng, sums, fault
        self.pair, self.database = pair, pair.primary.new_database()
        self.url = pair.url(self.database)
        self.door = Door(rng)
        self.nodes = {name: self._node(directory / name) for name in nodes}

    def _node(self, directory: Path) -> NodeProcess:
        name = directory.name
        flags = ["--store", self.url, "--node", name, "--max-crashes", "100", *quick()]
        return NodeProcess(directory.with_suffix(".log"), flags, shifted(CLOCKS[name]) if name in CLOCKS else {})

    async def open(self) -> None:
        """The nodes start, and the door opens."""
        await self.door.begin()
        await asyncio.gather(*(node.open() for node in self.nodes.values()))
        await asyncio.gather(*map(self.up, self.nodes))

    async def up(self, name: str) -> None:
        """Starts the node, again and again as a service manager does, until it serves; the door opens to it."""
        deadline = time.monotonic() + START_S
        faults = {self.fault: self.rng.randint(3, 30)} if self.fault else {}
        while True:
            try:
                await self.nodes[name].start(**faults)
                break
            except Refused:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.1)  # the database is away, or its lock lives on for a moment
        self.door.open[name] = self.nodes[name].port

    # -- what befalls a node

    async def kill(self, name: str) -> None:
        """kill -9 at any instant, some of them in its start; then it comes again."""
        await asyncio.sleep(self.rng.uniform(0.1, 0.8))  # the instant is what is tried
        await self._killed(name)
        if self.rng.random() < EARLY:
            starts, born = self.nodes[name].starts, asyncio.ensure_future(self.nodes[name].start())
            await eventually(lambda: self.nodes[name].starts > starts, what="a new process")
            await asyncio.sleep(self.rng.uniform(0, 1.0))
            if self.nodes[name].status is None:  # else the database was away, and the start was refused
                await self._killed(name)
                self.sums.early += 1
            with suppress(Refused):
                await born
        await self.up(name)

    async def kill_all(self) -> None:
        """kill -9 of all nodes at one instant; then they come again."""
        await asyncio.sleep(self.rng.uniform(0.1, 0.8))
        await asyncio.gather(*map(self._killed, self.nodes))
        await asyncio.gather(*map(self.up, self.nodes))

    async def bury(self, name: str) -> None:
        """kill -9; the node comes again when another one has taken over what it had."""
        await asyncio.sleep(self.rng.uniform(0.1, 0.8))
        epoch, _ = await self._life(name)
        await self._killed(name)
        self.sums.burials += 1
        self.sums.buried += await self._taken_over(name, epoch)
        await self.up(name)

    async def wake(self, name: str) -> None:
        """Stops the node until another has taken over, and wakes it: it must end, and write nothing."""
        node = self.nodes[name]
        epoch, _ = await self._life(name)
        node.signal(signal.SIGSTOP)
        taken_over = await self._taken_over(name, epoch)
        asleep = await self._life(name)
        node.signal(signal.SIGCONT)
        self.sums.wakes += 1
        if not taken_over:
            self.door.open[name] = node.port
            return
        self.sums.over += 1
        await self._ends(name, asleep)
        self.door.shut(name)
        await node.kill()
        await self.up(name)

    async def _killed(self, name: str) -> None:
        node = self.nodes[name]
        if node.status is not None:
            self.sums.found.append(f"ended: {name} by itself, with {node.status}: {node.log.read_text()[-1500:]}")
        await node.kill()
        self.sums.kills += 1

    async def _taken_over(self, name: str, epoch: int) -> bool:
        """Whether another node has taken over in time from this one, which is away."""
        if self.rng.random() < NOTICED:
            self.door.shut(name)  # else pages and programs stay and wait

        async def buried() -> bool:
            await asyncio.sleep(0.4)
            return (await self._life(name))[0] != epoch

        try:
            return bool(await eventually(buried, what="taken over", timeout_s=GONE_S))
        except TimeoutError:
            return False

    async def _ends(self, name: str, asleep: tuple[int, int]) -> None:
        """The node has woken after its life: it ends with status 1, and no turn of it has happened since."""
        node = self.nodes[name]

        async def over() -> bool:
            return node.status is not None or await self._life(name) != asleep

        with suppress(TimeoutError):
            await eventually(over, what="its end, or a turn")
        if node.status != 1:
            what = "lives" if node.status is None else f"ended with {node.status}"
            self.sums.found.append(f"I31: {name} was woken after its life and {what}")
        if (now := await self._life(name)) != asleep:
            self.sums.found.append(f"I31: {name} has written after its life: {asleep} became {now}")

    async def _life(self, name: str) -> tuple[int, int]:
        """The node's epoch, and how many turns it has had. Waits while the database is away."""

        async def read() -> list[tuple[int, int]]:
            try:
                return await asyncio.to_thread(sql, self.url, "SELECT epoch, turns FROM nodes WHERE node = %s", name)
            except psycopg.OperationalError:
                return []

        life: tuple[int, int] = (await eventually(read, what="the database is there", timeout_s=2 * PATIENCE_S))[0]
        return life

    # -- what befalls the database

    async def restart(self) -> None:
        """The database is stopped as in a crash, and starts again."""
        await asyncio.to_thread(self.pair.primary.stop, "immediate")
        await asyncio.sleep(self.rng.uniform(0.0, 0.5))
        await asyncio.to_thread(self.pair.primary.start)
        self.sums.restarts += 1

    async def fail_over(self) -> None:
        """The database crashes and its standby takes over; the lost one comes again as the standby."""
        await asyncio.to_thread(self.pair.fail_over)
        self.sums.fail_overs += 1
        await asyncio.to_thread(self.pair.renew)

    # -- the end

    def rows(self) -> Stored:
        """All rows, at one instant."""
        with psycopg.connect(self.url, options="-c search_path=pagehand") as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            return Stored(in_postgres(Link(connection)), [])

    def tracebacks(self) -> list[str]:
        """What the nodes have logged of faults of their own: of each node the first."""
        logs = [node.log.read_text(errors="replace") for node in self.nodes.values() if node.log.exists()]
        return [f"log: {log[max(0, at - 500) : at + 4000]}" for log in logs if (at := log.find("Traceback")) >= 0]

    async def kill_for_good(self) -> None:
        """Nobody writes any more."""
        for node in self.nodes.values():
            await node.kill()

    async def end(self) -> None:
        """Whatever still runs is killed, and the database goes: standbys are copies of all that there is."""
        await self.door.end()
        for node in self.nodes.values():
            sweep(await node.close())
        await asyncio.to_thread(self.pair.primary.sql, "postgres", f"DROP DATABASE {self.database} WITH (FORCE)")

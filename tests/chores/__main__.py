"""``make chores``: does all of it once (ARGS=Author: what an author does), and says the clicks and seconds of each.
``--keyboard``: with a keyboard alone. ``--plain``: in a browser that runs no script.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import NamedTuple

from handlers.routes import shipped_tasks
from tests.chores.admin import ADMIN
from tests.chores.author import A_MINUTE_LATER, AUTHOR
from tests.chores.hands import AtTheKeyboard, WithoutScript
from tests.chores.operator import OPERATOR
from tests.chores.person import Person
from tests.chores.site import Chore, Site
from tests.demo.__main__ import demo
from tests.page.browsers import Chromium, browsing

__all__ = ["CHORES", "Done", "did", "place_of_work"]

CHORES: dict[str, dict[str, tuple[Chore, int]]] = {
    "Operator": OPERATOR, "Author": AUTHOR, "Administrator": ADMIN, "Later": A_MINUTE_LATER,
}  # fmt: skip

WAYS: dict[str, type[Person]] = {"--keyboard": AtTheKeyboard, "--plain": WithoutScript}


class Done(NamedTuple):
    """What one chore took."""

    name: str
    clicks: int
    most: int
    seconds: float
    keys: int = 0


@contextlib.asynccontextmanager
async def place_of_work(directory: Path) -> AsyncIterator[Site]:
    """The farm of ``make demo``, whose tasks can be written to. A page soon notices that its network is gone."""
    tasks = directory / "tasks"
    tasks.mkdir()
    for path in Path(shipped_tasks()).glob("*.js"):
        (tasks / path.name).write_bytes(path.read_bytes())
    backups = directory / "backups"
    flags = ("--tasks", str(tasks), "--backup-dir", str(backups), "--ping-interval-s", "4")
    async with demo(directory, 0, *flags) as server:
        yield Site(server.port, tasks, backups)


def did(site: Site, chores: dict[str, tuple[Chore, int]], kind: type[Person] = Person) -> Iterator[Done]:
    """Does these, one after the other. ``kind``: whoever does them."""
    with browsing(Chromium(width=1280)) as chromium:
        for name, (chore, most) in chores.items():
            me, before, began = kind(chromium, f"http://127.0.0.1:{site.port}"), site.commands, time.monotonic()
            chore(me, site)
            yield Done(name, me.clicks + site.commands - before, most, time.monotonic() - began, me.keys)


async def _run(people: list[str], kind: type[Person]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        async with place_of_work(Path(directory)) as site:
            await asyncio.to_thread(_tell, site, people, kind)


def _tell(site: Site, people: list[str], kind: type[Person]) -> None:
    for who in people:
        print(f"\n{who:<52} clicks  most  seconds    keys")
        for one in did(site, CHORES[who], kind):
            print(f"  {one.name:<50} {one.clicks:6} {one.most:5} {one.seconds:8.1f} {one.keys:7}", flush=True)


if __name__ == "__main__":
    ways = [word for word in sys.argv[1:] if word in WAYS]
    who = [word for word in sys.argv[1:] if word not in WAYS] or list(CHORES)
    asyncio.run(_run(who, WAYS[ways[0]] if ways else Person))

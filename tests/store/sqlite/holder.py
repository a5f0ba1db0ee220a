"""A process that holds a store, for tests of locks: obeys one word a line on standard input and answers each.

``apply`` applies a turn; ``busy`` applies many, with reads; ``plant`` opens and closes the database's file, which the
server must never do; ``opened`` says which opens of it Python has seen; ``kill`` ends by kill -9.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from dispatcher.core.jobs.model import JobFilter
from tests.store.contract import DURABLE, Desk, error, lapsed, result
from tests.support.jobs import spec

#: (event, path) of every open of the database's own file, by Python or by SQLite.
SEEN: list[str] = []


def watch(path: Path) -> None:
    """Writes down who opens the file from now on."""

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event in ("open", "os.link", "os.rename", "sqlite3.connect", "shutil.copyfile") and _is(arguments[0], path):
            SEEN.append(event)

    sys.addaudithook(hook)


def _is(name: object, path: Path) -> bool:
    return isinstance(name, str | bytes | os.PathLike) and os.fsdecode(name) == str(path)


def busy(desk: Desk) -> None:
    """What a server does in a day."""
    for number in range(100):
        desk.submit(spec(key=f"key-{number}"), spec(delay_s=5.0), spec(expires_s=2.0))
        claims = desk.claim(3)
        attempts = [claim.attempt for claim in claims]
        desk.turn(reports=[result(name) for name in attempts[:1]] + [error(name) for name in attempts[1:2]])
        desk.turn(reports=[lapsed(name) for name in attempts[2:]])
        desk.turn(submissions=[spec(data='"\ud800"'), spec()])
        desk.pass_time(1.0)
        desk.run(desk.store.jobs(JobFilter()))
        desk.run(desk.store.types())
        desk.counts()


def main() -> None:
    """Reads words until the end."""
    directory = Path(sys.argv[1])
    path = directory / "jobs.db"
    watch(path)
    desk = Desk(DURABLE[0], directory)
    words: dict[str, Callable[[], object]] = {
        "apply": desk.submit,
        "busy": lambda: busy(desk),
        "plant": lambda: path.open("rb").close(),
        "opened": lambda: " ".join(SEEN),
        "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    }
    print("open", flush=True)
    for line in sys.stdin:
        said = words[line.strip()]()
        print(said if isinstance(said, str) else "done", flush=True)
    desk.end()


if __name__ == "__main__":
    main()

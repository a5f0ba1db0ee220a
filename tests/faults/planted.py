"""The server with one planted fault: ``planted.py FAULT ARGUMENT -- flags of server.py``. For tests only.

FAULT, and what ARGUMENT says:

- ``migrations DIRECTORY``: the program has these migrations instead of its own;
- ``start PLACE``: it raises at this place of each start;
- ``block SECONDS``: SIGUSR1 blocks the loop for this time;
- ``eat MIB``: SIGUSR1 makes it take this much memory;
- ``handlers -``: a handler raises if the request has the header ``X-Planted``;
- ``once STEP``, ``always STEP``: this step of the program raises the first time, each time that it comes after SIGUSR1.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import server
from dispatcher.config.settings import Settings
from dispatcher.core.workers.leases import Leases
from dispatcher.node.service import Dispatcher
from dispatcher.pages.pages import Pages
from dispatcher.store.sqlite import file as sqlite_file
from dispatcher.store.sqlite.store import SqliteStore
from dispatcher.transport.fronts.front_exchange import FrontExchange
from dispatcher.transport.sessions import Sessions
from handlers.api import shortway
from handlers.guard import Guard
from handlers.routes import routes

__all__ = ["PLANTED", "SECRET", "START", "STEPS", "VERBS"]

PLANTED = Path(__file__).resolve()
#: In the planted exception's text: it may stand in the log, and nowhere else.
SECRET = "a-planted-detail-of-the-inside"
VERBS = ("get", "post", "delete", "put", "patch", "head")

#: Places in the start, in order: class or module, function, and whether the fault comes before it or after.
START: dict[str, tuple[Any, str, str]] = {
    "before it listens": (server, "bind_sockets", "before"),
    "before the store is opened": (server, "open_store", "before"),
    "after the store was opened": (server, "open_store", "after"),
    "before the recovery": (Dispatcher, "start", "before"),
    "before pages are let in": (Dispatcher, "let_in", "before"),
}
#: Steps that the loop takes by itself or for a page.
STEPS: dict[str, tuple[Any, str]] = {
    "the end of a lease": (Leases, "over"),
    "the transport's tick": (Sessions, "tick"),
    "what is due in the store": (Dispatcher, "_see_what_is_due"),
    "a page's message": (Pages, "message"),
    "an exchange": (FrontExchange, "finish"),
    "a turn": (SqliteStore, "_apply"),
}


class _Planted(Exception):
    def __init__(self) -> None:
        super().__init__(SECRET)


def _replace(owner: Any, name: str, made: Callable[..., Any]) -> None:
    if isinstance(owner, type):
        setattr(owner, name, made)
    else:
        vars(owner)[name] = made


def _migrations(directory: str) -> None:
    vars(sqlite_file)["_SQL"] = Path(directory)


def _start(place: str) -> None:
    owner, name, when = START[place]
    sound = getattr(owner, name)

    async def after(*args: Any, **fields: Any) -> None:
        await sound(*args, **fields)
        raise _Planted

    def before(*args: Any, **fields: Any) -> None:
        raise _Planted

    _replace(owner, name, after if when == "after" else before)


def _block(seconds: str) -> None:
    signal.signal(signal.SIGUSR1, lambda number, frame: time.sleep(float(seconds)))


def _eat(mebibytes: str) -> None:
    eaten: list[bytes] = []

    def eat(number: int, frame: object) -> None:
        for _ in range(int(mebibytes)):
            eaten.append(b"x" * (1 << 20))

    signal.signal(signal.SIGUSR1, eat)


def _handlers(_: str) -> None:
    for spec in routes(None, Settings(), None, guard=Guard(Settings())):  # type: ignore[arg-type]  # nobody is asked
        for verb in VERBS:
            _plant_verb(spec.handler_class, verb)
    _plant_short_way()


def _plant_short_way() -> None:
    sound = vars(shortway)["submit"]

    def planted(site: Any, headers: Any, *rest: Any) -> Any:
        if "X-Planted" in headers:
            raise _Planted
        return sound(site, headers, *rest)

    _replace(shortway, "submit", planted)


def _plant_verb(kind: Any, verb: str) -> None:
    sound = getattr(kind, verb)

    def planted(self: Any, *args: Any, **fields: Any) -> Any:
        if "X-Planted" in self.request.headers:
            raise _Planted
        return sound(self, *args, **fields)

    if any(verb in vars(base) for base in kind.__mro__ if base.__module__.startswith("handlers")):
        setattr(kind, verb, planted)


def _once(step: str, *, times: int = 1) -> None:
    owner, name = STEPS[step]
    sound = getattr(owner, name)
    left: list[None] = []

    def planted(*args: Any, **fields: Any) -> Any:
        if left:
            left.pop()
            raise _Planted
        return sound(*args, **fields)

    _replace(owner, name, planted)
    signal.signal(signal.SIGUSR1, lambda number, frame: left.extend([None] * times))


def _always(step: str) -> None:
    _once(step, times=1_000_000)


_FAULTS: dict[str, Callable[[str], None]] = {
    "migrations": _migrations,
    "start": _start,
    "block": _block,
    "eat": _eat,
    "handlers": _handlers,
    "once": _once,
    "always": _always,
}


def main(arguments: list[str]) -> int:
    """Runs the server with the fault."""
    fault, argument, dashes, *flags = arguments
    assert dashes == "--", arguments
    _FAULTS[fault](argument)
    return server.main(flags)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

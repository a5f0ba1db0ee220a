"""A real server whose clocks can be set while it runs, by libfaketime (Debian: apt-get install libfaketime)."""

from __future__ import annotations

import http.client
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

from tests.support.http import Page, Reply
from tests.support.missing import missing
from tests.support.places import environment
from tests.support.polling import packets
from tests.support.server import Live, gone_at_the_end
from tests.support.waiting import PATIENCE_S, until

__all__ = ["Clocks", "KeptPage", "found", "served", "shifted", "sweep"]


def found() -> Path | None:
    """Where libfaketime is; None: this machine has none."""
    return next(iter(sorted(Path("/usr/lib").glob("**/faketime/libfaketimeMT.so.1"))), None)


def library() -> str:
    """Where libfaketime is. A developer's machine may lack it; CI must not."""
    path = found()
    if path is None:
        missing("needs libfaketime (Debian: apt-get install libfaketime)")
    return str(path)


def shifted(words: str) -> dict[str, str]:
    """What to add to the environment of a server whose wall clock is off by so much all the time: ``+1h``."""
    return {"LD_PRELOAD": library(), "FAKETIME": words, "FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1"}


def sweep(pid: int) -> None:
    """Removes what libfaketime leaves of a process that was killed: another one of its number would not start."""
    for name in (f"faketime_shm_{pid}", f"sem.faketime_sem_{pid}"):
        Path("/dev/shm", name).unlink(missing_ok=True)


class Clocks:
    """The settings of one server's clocks, in faketime's words: ``+1h``, ``@1970-01-02 00:00:00``, ``+0 x2``."""

    def __init__(self, directory: Path, *, monotonic: bool = False, first: str = "+0") -> None:
        self._path = directory / "clocks"
        self.environ = environment() | {
            "LD_PRELOAD": library(),
            "FAKETIME_TIMESTAMP_FILE": str(self._path),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "0" if monotonic else "1",
            "TZ": "UTC",
        }
        self.set(first)

    def set(self, words: str) -> None:
        """Sets the clocks from now on."""
        new = self._path.with_suffix(".new")
        new.write_text(words + "\n")
        new.replace(self._path)

    def step(self, server: Live, words: str) -> datetime:
        """Sets the clocks; returns when the server tells another time of day, with that time."""
        before = told(server)
        self.set(words)
        until(lambda: abs((told(server) - before).total_seconds()) > 600, PATIENCE_S, f"the step {words}")
        return told(server)


def told(server: Live) -> datetime:
    """The wall clock that the server's answers show."""
    return parsedate_to_datetime(server.ask("GET", "/livez").headers["date"]).astimezone(UTC)


@contextmanager
def served(directory: Path, clocks: Clocks, *flags: str) -> Iterator[Live]:
    """A server with these clocks. It must end well, without having complained; at the end it is gone in any case."""
    with gone_at_the_end(Live(directory, *flags, environ=clocks.environ)) as server:
        yield server
        assert server.stop() == 0
        assert not server.trouble(), server.trouble()


class KeptPage(Page):
    """A page like a browser's: its two connections stay open, so it is not away between two polls."""

    def __init__(self, server: Live) -> None:
        self._kept = {
            method: http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_S)
            for method in ("GET", "POST")
        }
        super().__init__(self)  # it only asks

    def ask(
        self, method: str, path: str, body: bytes | str | None = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """One request on the connection for its method; on a new one if that was closed while it waited."""
        connection = self._kept[method]
        try:
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
        except ConnectionError:
            connection.close()
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
        return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())

    def close(self) -> None:
        """Its connections end."""
        for connection in self._kept.values():
            connection.close()

    def answer_pings(self, count: int) -> None:
        """Polls until it has answered ``count`` pings, so its session goes on."""
        left = count
        while left:
            reply = self.ask("GET", self.target)
            assert reply.status == 200, reply
            for packet in packets(reply.text):
                assert packet != "1", "the session has ended"
                if packet == "2":
                    assert self.ask("POST", self.target, "3").status == 200
                    left = max(0, left - 1)

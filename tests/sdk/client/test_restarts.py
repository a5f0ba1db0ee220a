"""``map`` and ``Executor`` while the server is killed and started again on its store: all results, in order, each once.

The long form: ``CLIENT_JOBS=10000 CLIENT_KILLS=5 pytest tests/sdk/client/test_restarts.py --timeout=1200``.
"""

from __future__ import annotations

import concurrent.futures
import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from dispatcher.sdk import Client, Executor
from tests.support.ports import free_port
from tests.support.process import quick
from tests.support.server import Live, gone_at_the_end, running

JOBS = int(os.environ.get("CLIENT_JOBS", "300"))
KILLS = int(os.environ.get("CLIENT_KILLS", "2"))
PAGES = ("-m", "dispatcher.sdk", "simulate", "--types=echo", "--workers=4", "--slots=4", "--url")


class Mortal:
    """A server that is killed and started again, on its port and store, after so many results."""

    def __init__(self, directory: Path, stack: ExitStack) -> None:
        self._directory = directory
        self._stack = stack
        self._port = free_port()
        self.left = [JOBS * (number + 1) // (KILLS + 1) for number in range(KILLS)]
        self._threads: list[threading.Thread] = []
        self.live = self._start()

    def _start(self) -> Live:
        flags = (*quick(), f"--queue-depth={JOBS * 2}")
        return self._stack.enter_context(gone_at_the_end(Live(self._directory, *flags, port=self._port)))

    def seen(self, results: int) -> None:
        """Kills at once; the new life comes while the client asks."""
        if self.left and results >= self.left[0]:
            self.left.pop(0)
            for thread in self._threads:
                thread.join()
            self.live.process.kill()
            self.live.process.communicate()
            self._threads.append(threading.Thread(target=self._again))
            self._threads[-1].start()

    def _again(self) -> None:
        self.live = self._start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join()


@contextmanager
def mortal(directory: Path) -> Iterator[Mortal]:
    with ExitStack() as stack:
        server = Mortal(directory, stack)
        stack.callback(server.join)
        stack.enter_context(running(*PAGES, server.live.url))
        yield server


def all_once(client: Client) -> bool:
    """As many jobs as items, each done."""
    jobs = list(client.jobs(type="echo", limit=100))
    return len({job.id for job in jobs}) == JOBS == len(jobs) and {job.state for job in jobs} == {"succeeded"}


@pytest.mark.slow
def test_a_map_goes_on_through_kills_of_the_server(tmp_path: Path) -> None:
    with mortal(tmp_path) as server, Client(server.live.url) as client:
        results = []
        for result in client.map("echo", range(JOBS), chunk=50):
            results.append(result)
            server.seen(len(results))
        assert results == list(range(JOBS))
        assert server.left == []
        server.join()
        assert all_once(client)


@pytest.mark.slow
def test_an_executor_goes_on_through_kills_of_the_server(tmp_path: Path) -> None:
    with mortal(tmp_path) as server, Client(server.live.url) as client, Executor(client, "echo") as executor:
        futures = [executor.submit(n) for n in range(JOBS)]
        for count, _ in enumerate(concurrent.futures.as_completed(futures), 1):
            server.seen(count)
        assert [future.result() for future in futures] == list(range(JOBS))
        assert server.left == []
        server.join()
        assert all_once(client)

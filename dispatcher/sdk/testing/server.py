"""A server of a test: the real one, on a free port, with its jobs in memory.

It is a guest in the process: what a server does to a process of its own, it does not do here.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from .clock import SkippedClock
from .private import load

__all__ = ["TestedServer"]


class TestedServer:
    """Make it anywhere, ``start`` and ``stop`` it on its loop."""

    __test__ = False  # pytest: no tests in here

    def __init__(self, given: dict[str, Any], clock: SkippedClock) -> None:
        """``given``: settings by their names, as in docs/settings.md. Raises ValueError for what cannot be used."""
        self._program, self._errors = load("server"), load("dispatcher.errors")
        self._clock = clock
        try:
            self._settings = load("dispatcher.config.sources").parse(_flags(given), {}).settings
        except self._errors.SettingError as error:
            raise ValueError(str(error)) from None
        self.token = str(self._settings.token)
        self.url = ""
        self._server: Any = None

    async def start(self) -> None:
        """Listens, and lets everybody in. Raises ValueError if the store cannot be used, OSError if the port cannot."""
        with _descriptors_kept():
            entrance = self._program.Entrance(self._settings, self._clock)
        entrance.listen()
        try:
            self._server = await self._program.open_server(self._settings, self._clock, entrance)
        except self._errors.StoreRefused as error:
            entrance.http.stop()
            raise ValueError(str(error)) from None
        self._server.calm = _Guest()
        await self._server.start()
        self.url = f"http://127.0.0.1:{self._server.port}"

    async def stop(self) -> None:
        """Ends it in good order."""
        await self._server.stop()

    def busy(self) -> bool:
        """Pages run jobs, or have gone with them and are not yet missed."""
        return bool(self._server.dispatcher.busy())

    def unsettled(self) -> bool:
        """The same, or a job waits for its next try."""
        return self.busy() or bool(self._server.dispatcher.tries_again())


class _Guest:
    """Stands for what spares a server's process the collector of cycles: the memory here is another program's."""

    def begin(self) -> None:
        """The server has started."""

    def look(self, pages: int) -> None:
        """So many pages are there."""


@contextlib.contextmanager
def _descriptors_kept() -> Iterator[None]:
    """The limit of the process is afterwards what it was."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        yield
        return
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, limit)


def _flags(given: dict[str, Any]) -> list[str]:
    flags = ["--bind", "127.0.0.1", "--port", "0", "--store", "memory:", "--log-format", "text"]
    for name, value in given.items():
        flag = name.replace("_", "-")
        if isinstance(value, bool):
            flags.append(f"--{flag}" if value else f"--no-{flag}")
        else:
            values = value if isinstance(value, (list, tuple)) else [value]
            flags += [f"--{flag}={item}" for item in values]
    return flags

"""The bytes of a fast connection that go out, and its times: what is read stands in ``protocol``.

There is one timer, which is set anew only when it fires or must fire earlier.
"""

from __future__ import annotations

import asyncio
import socket
from asyncio import Future
from typing import cast

from dispatcher.transport.fronts.policy import Patience, Policy, time_for

__all__ = ["FastStream"]

_TCP = (socket.AF_INET, socket.AF_INET6)
_QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)


class FastStream(asyncio.BufferedProtocol):
    """Writes, and ends the connection when something takes too long."""

    def __init__(self, policy: Policy, sock: socket.socket) -> None:
        """Made when a loop runs."""
        self.sock = sock
        #: We closed the connection because nothing came: that says nothing about the other end.
        self.was_idle = False
        self._write_timeout_s = policy.write_timeout_s
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        #: The kernel has not taken all that was written; and so it was when the connection ended.
        self._is_full = self.was_cut = False
        self._flushes: list[Future[None]] = []
        self._patience = Patience(policy.idle_connection_timeout_s, policy.head_timeout_s)
        self._timer: asyncio.TimerHandle | None = None

    # --- what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=0)  # we are told whenever the kernel does not take all

    def pause_writing(self) -> None:
        """The kernel does not take all that was written."""
        self._is_full = True

    def resume_writing(self) -> None:
        """It has taken it."""
        self._is_full = False
        self._flushed()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended, whoever ended it."""
        self._transport = None
        self.was_cut = self._is_full
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._flushed()

    # --- writing

    @property
    def is_closed(self) -> bool:
        """Whether nothing more can be written."""
        return self._transport is None or self._transport.is_closing()

    def write(self, data: bytes) -> None:
        """Writes at once; what the kernel does not take waits. The client must read it in time."""
        if self._transport is None:
            return
        self._transport.write(data)
        if self._is_full:
            self.must_end_in(time_for(self._transport.get_write_buffer_size(), self._write_timeout_s))

    def written(self) -> Future[None]:
        """Done when all that was written is in the kernel's hands, or lost."""
        future: Future[None] = self._loop.create_future()
        if self._is_full:
            self._flushes.append(future)
        else:
            future.set_result(None)
        return future

    def _flushed(self) -> None:
        flushes, self._flushes = self._flushes, []
        for future in flushes:
            if not future.done():
                future.set_result(None)

    # --- the end

    def close(self) -> None:
        """Ends the connection when what is written is read."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Ends the connection; what is not written is lost."""
        if self._transport is not None:
            self._transport.abort()

    # --- time

    def quick_ack(self) -> None:
        """Acknowledges the head at once: a client that sends head and body apart otherwise waits 40 ms for us."""
        if _QUICKACK is None or self.sock.family not in _TCP or self.is_closed:
            return
        try:
            self.sock.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
        except OSError:  # the other side has reset it: nobody waits for an acknowledgement
            return

    def must_end_in(self, timeout_s: float) -> None:
        """Ends the connection after this time, unless another time is set."""
        self._patience.deadline = self._loop.time() + timeout_s
        self._watch_the_time()

    def _watch_the_time(self) -> None:
        deadline, timer = self._patience.deadline, self._timer
        if deadline is None or self._transport is None or (timer is not None and timer.when() <= deadline):
            return
        if timer is not None:
            timer.cancel()
        self._timer = self._loop.call_at(deadline, self._due)

    def _due(self) -> None:
        self._timer = None
        deadline = self._patience.deadline
        if deadline is None:
            return
        if deadline > self._loop.time():
            self._watch_the_time()
        else:
            self.was_idle = self._patience.is_idle
            self.abort()

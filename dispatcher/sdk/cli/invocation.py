"""One command that runs: what was typed, the server, and where its words go."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import cached_property
from types import TracebackType
from typing import Any, BinaryIO

from ..client.answers import error_of, fields_of, value_of
from ..client.client import Client, Job
from ..client.errors import RequestRefused
from ..client.exchange import HttpCall
from .exits import CommandExit, UsageFault, exit_of, words_of_error
from .output import Output

__all__ = ["Invocation", "decoded"]


class Invocation:
    """``unfinished``: jobs that go on when it ends early; people are told where to find them."""

    def __init__(
        self,
        options: argparse.Namespace,
        out: Output,
        stdin: BinaryIO,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.options = options
        self.out = out
        self.stdin = stdin
        self.clock = clock
        self.sleep = sleep
        self.unfinished: dict[str, Job] = {}
        #: What to type to go on with work that was interrupted.
        self.resume = ""
        self._told = False

    def __enter__(self) -> Invocation:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if "client" in self.__dict__:
            self.client.close()

    @cached_property
    def client(self) -> Client:
        """Made when it is first needed. Raises BadConfig."""
        options = self.options
        return Client(options.url, options.token, retry_for=options.retry_for, clock=self.clock, sleep=self._pause)

    def _pause(self, seconds: float) -> None:
        if not self._told:
            self._told = True
            limit = f"{self.options.retry_for:g} s".replace("inf s", "ever")
            self.out.tell(f"{self.client.url} does not answer well: trying again for {limit}. Ctrl-C ends this.")
        self.sleep(seconds)

    def ask(self, call: HttpCall) -> str:
        """A good answer, which is JSON in the letters of the server. Raises PagehandClientError."""
        answer = self.client._do(self.client._plans.ask(call))
        if not 200 <= answer.status < 300:
            raise error_of(answer, call.key)
        value_of(answer)  # whether it is JSON
        return answer.body.decode()

    def fields(self, call: HttpCall, *names: str) -> dict[str, Any]:
        """A good answer as an object that has these. Raises PagehandClientError."""
        return fields_of(json.loads(self.ask(call)), *names)

    # -- ids

    def one_id(self) -> str:
        """The one that was typed."""
        return _id_in(self.options.id)

    def ids(self) -> Iterator[str]:
        """Those that were typed; ``-`` stands for those on standard input. The address of a job's page will do."""
        for word in self.options.ids:
            if word == "-":
                yield from map(_id_in, decoded(self.stdin.read()).split())
            else:
                yield _id_in(word)

    def each(self, act: Callable[[str], CommandExit]) -> CommandExit:
        """Does it with each id. What is refused for one is said, and the others go on; the first status counts."""
        status = CommandExit.DONE
        ids = list(self.ids())
        with self.out.bar(len(ids)) if len(ids) > 1 else nullcontext() as bar:
            for job_id in ids:
                one = self._one(job_id, act)
                status = status or one
                if bar:
                    bar.step()
        return status

    def _one(self, job_id: str, act: Callable[[str], CommandExit]) -> CommandExit:
        try:
            return act(job_id)
        except RequestRefused as error:
            status = exit_of(error)
            if status in (CommandExit.DENIED, CommandExit.UNREACHABLE):
                raise
            self.out.complain(f"pagehand: {job_id}: {words_of_error(error)}")
            return status


def _id_in(word: str) -> str:
    """Raises UsageFault."""
    found = word.strip().partition("?")[0].rstrip("/").rpartition("/")[2]
    if not found:
        raise UsageFault("an id is empty: is a variable not set? `pagehand list` shows the jobs that are kept")
    return found


def decoded(data: bytes) -> str:
    """Text from a file or a pipe: UTF-8, or what PowerShell writes (UTF-16 with its mark). Raises UsageFault."""
    try:
        return data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageFault(f"the input is neither UTF-8 nor UTF-16 with its mark: {error}") from error

"""What a client does, step by step. No I/O: a plan yields what to send and how long to pause.

Whoever runs a plan (``Client``, ``AsyncClient``) sends each ``Send`` and gives back the answer, or throws
``ConnectionLost`` into the plan. So both clients do the same, and a test plays the network and the clock.
"""

from __future__ import annotations

import json
import random
import secrets
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias, TypeVar

from .answers import error_of, fields_of, value_of
from .encoding import join_jobs
from .errors import Unreachable, WrongState
from .exchange import ConnectionLost, HttpCall, ServerAnswer, path_of
from .facts import OPEN
from .retrying import RetryRule, may_pass, retry_after_s

__all__ = ["WAIT_S", "Delay", "Plans", "Send", "Steps", "key_or_new", "new_key"]

T = TypeVar("T")
Told = TypeVar("Told")

#: The longest that one request waits for the end of a job: proxies often give up after 60 s.
WAIT_S = 30
#: What an answer may take beyond that.
_ANSWER_S = 30.0
_LONGEST_KEY = 255
#: What each operation on many jobs has.
_OPERATION = ("id", "state", "matched", "done", "skipped", "ended_at", "stopped")
#: How long the server may hold the answer to an order for many jobs.
_ACTION_S = 5
#: What each job has, also in a list.
_JOB = ("id", "type", "state")
#: What each action leaves a job in: if its answer was lost, the repetition is refused, although it has been done.
_AFTER = {"cancel": frozenset({"cancelled"}), "retry": OPEN}


class Send(NamedTuple):
    """Send this; the answer is due in ``timeout_s``."""

    call: HttpCall
    timeout_s: float


class Delay(NamedTuple):
    """Do nothing for so long."""

    seconds: float


Steps: TypeAlias = Generator[Send | Delay, ServerAnswer | None, T]


def new_key() -> str:
    """An idempotency key that nobody else has."""
    return "client-" + secrets.token_hex(16)


def key_or_new(key: str | None) -> str:
    """The key that was given, or a new one. Raises ValueError for one that no header can carry."""
    if key is None:
        return new_key()
    if not (0 < len(key) <= _LONGEST_KEY and key.isascii() and key.isprintable()):
        raise ValueError(f"the key must be 1 to {_LONGEST_KEY} printable ASCII characters, not {key[:40]!r}")
    return key


@dataclass(slots=True)
class _Trouble:
    """Why a request has not been answered well so far."""

    #: When it may be given up; None before the first failure.
    until: float | None = None
    failures: int = 0
    stale: int = 0
    lost: bool = False


class Plans:
    """The plans of one client. The clock counts seconds; it and ``rng`` are passed in by tests."""

    def __init__(
        self,
        base_url: str,
        rule: RetryRule,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        rng: random.Random | None = None,
    ) -> None:
        self._base_url = base_url
        self._rule = rule
        self.clock = clock
        self._wall = wall
        self._rng = rng or random.SystemRandom()

    # -- one request, sent until it is answered

    def ask(self, call: HttpCall, deadline: float | None = None) -> Steps[ServerAnswer]:
        """The answer, whatever it says. Raises Unreachable, TimeoutError (at ``deadline``), or what the server said."""
        trouble = _Trouble()
        return (yield from self._ask(call, deadline, trouble))

    def _ask(self, call: HttpCall, deadline: float | None, trouble: _Trouble) -> Steps[ServerAnswer]:
        while True:
            try:
                answer = yield Send(call, self._timeout_s(call, deadline))
                assert answer is not None
            except ConnectionLost as lost:
                trouble.lost = True
                yield from self._after_loss(call, lost, deadline, trouble)
                continue
            if not may_pass(answer):
                return answer
            error = error_of(answer, call.key)
            yield from self._pause(error, retry_after_s(answer, self._wall()), deadline, trouble)

    def _timeout_s(self, call: HttpCall, deadline: float | None) -> float:
        due = call.wait_s + _ANSWER_S
        return due if deadline is None else max(0.001, min(due, deadline - self.clock()))

    def _after_loss(
        self, call: HttpCall, lost: ConnectionLost, deadline: float | None, trouble: _Trouble
    ) -> Steps[None]:
        if lost.stale and not trouble.stale:
            trouble.stale += 1  # the server had closed an idle connection: nothing is wrong
            return
        error = Unreachable(self._unreachable(call, lost), key=call.key)
        error.__cause__ = lost
        if lost.hopeless:
            raise error
        yield from self._pause(error, 0.0, deadline, trouble)

    def _unreachable(self, call: HttpCall, lost: ConnectionLost) -> str:
        words = f"No answer from {self._base_url}: {lost}. Is the server running, and is the address right?"
        if not call.key:
            return words
        return f"{words} It is not known whether the job was taken: send it again with the key {call.key!r}."

    def _pause(self, error: Exception, asked_s: float, deadline: float | None, trouble: _Trouble) -> Steps[None]:
        """Rests before the next try, or raises: the caller's time is over, or there have been tries enough."""
        now = self.clock()
        if trouble.until is None:
            trouble.until = now + self._rule.for_s
        pause_s = self._rule.pause_s(trouble.failures, asked_s, self._rng)
        trouble.failures += 1
        if deadline is not None and now + pause_s >= deadline:
            raise TimeoutError from error
        if now + pause_s > trouble.until:
            raise error
        yield Delay(pause_s)

    def _get(self, path: str, deadline: float | None = None) -> Steps[Any]:
        return value_of((yield from self.ask(HttpCall("GET", path), deadline)))

    # -- jobs

    def submit(self, body: bytes, key: str, *, wait_s: int = 0, deadline: float | None = None) -> Steps[dict[str, Any]]:
        """One job; the server may hold the answer until it is over."""
        call = HttpCall("POST", path_of("jobs"), body, key, wait_s)
        return fields_of(_job_in((yield from self.ask(call, deadline)), key), *_JOB)

    def submit_batch(self, bodies: list[bytes], key: str) -> Steps[list[dict[str, Any]]]:
        """Many jobs, all or none."""
        call = HttpCall("POST", path_of("jobs", "batch"), join_jobs(bodies), key)
        return list(fields_of(_job_in((yield from self.ask(call)), key), "items")["items"])

    def job(self, job_id: str, *, wait_s: int = 0, deadline: float | None = None) -> Steps[dict[str, Any]]:
        """A job, now, or when it is over or ``wait_s`` have passed."""
        call = HttpCall("GET", path_of("jobs", job_id, wait=wait_s or None), wait_s=wait_s)
        return fields_of(value_of((yield from self.ask(call, deadline))), *_JOB)

    def over(self, job_id: str, deadline: float | None) -> Steps[dict[str, Any] | None]:
        """A job once it is over; None at the deadline."""

        def look(wait_s: int) -> Steps[dict[str, Any]]:
            return self.job(job_id, wait_s=wait_s, deadline=deadline)

        return self.until(look, lambda fields: fields["state"] not in OPEN, deadline)

    def until(
        self, look: Callable[[int], Steps[Told]], is_over: Callable[[Told], bool], deadline: float | None
    ) -> Steps[Told | None]:
        """What ``look`` finds once it is over; None at the deadline. ``look`` is told how long the server may wait."""
        while deadline is None or (left_s := deadline - self.clock()) > 0:
            # The server waits whole seconds. The last part of one is cut off on this side.
            wait_s = WAIT_S if deadline is None else max(1, min(WAIT_S, int(left_s)))
            try:
                told = yield from look(wait_s)
            except TimeoutError:
                return None
            if is_over(told):
                return told
        return None

    def run(self, body: bytes, key: str, deadline: float | None) -> Steps[dict[str, Any]]:
        """A job, submitted, and over unless the deadline came first: its answer is often that of the submission."""
        left_s = WAIT_S if deadline is None else int(deadline - self.clock())
        # The submission itself is not cut off: without its answer nobody would know the job.
        fields = yield from self.submit(body, key, wait_s=max(0, min(WAIT_S, left_s)))
        if fields["state"] in OPEN:
            return (yield from self.over(fields["id"], deadline)) or fields
        return fields

    def act(self, job_id: str, action: str, body: Mapping[str, Any]) -> Steps[dict[str, Any]]:
        """``cancel`` or ``retry``. If an answer was lost, a refusal of the repetition may mean that it was done."""
        trouble = _Trouble()
        sent = json.dumps({name: value for name, value in body.items() if value is not None}).encode()
        call = HttpCall("POST", path_of("jobs", job_id, action), sent)
        answer = yield from self._ask(call, None, trouble)
        try:
            return fields_of(value_of(answer), *_JOB)
        except WrongState:
            if not trouble.lost:
                raise
            fields = yield from self.job(job_id)
            if fields["state"] not in _AFTER[action]:
                raise
            return fields

    def remove(self, job_id: str, *, free_key: bool = False) -> Steps[None]:
        """Removes a job that has ended. If an answer was lost, the repetition may find it gone: that was wanted."""
        trouble = _Trouble()
        call = HttpCall("DELETE", path_of("jobs", job_id, free_key=1 if free_key else None))
        answer = yield from self._ask(call, None, trouble)
        if answer.status != 204 and not (answer.status == 404 and trouble.lost):
            raise error_of(answer)

    # -- many jobs at once

    def act_on_jobs(self, action: str, order: Mapping[str, Any]) -> Steps[dict[str, Any]]:
        """The operation, which has begun. If an answer was lost, the repetition begins another one."""
        body = {"action": action} | {name: value for name, value in order.items() if value is not None}
        call = HttpCall("POST", path_of("jobs", "actions"), json.dumps(body).encode(), wait_s=_ACTION_S)
        told = fields_of(value_of((yield from self.ask(call))), "operation")["operation"]
        return fields_of(told, *_OPERATION)

    def acted_on_jobs(self, action: str, order: Mapping[str, Any]) -> Steps[dict[str, Any]]:
        """The operation when it has ended."""
        operation = yield from self.act_on_jobs(action, order)
        while operation["ended_at"] is None:
            call = HttpCall("GET", path_of("operations", operation["id"], wait=WAIT_S), wait_s=WAIT_S)
            operation = fields_of(value_of((yield from self.ask(call))), *_OPERATION)
        return operation

    # -- lists

    def page(self, name: str, filters: Mapping[str, Any], cursor: str | None) -> Steps[dict[str, Any]]:
        """One page of a list: ``items`` and ``next_cursor``."""
        found = yield from self._get(path_of(name, **{**filters, "cursor": cursor}))
        return fields_of(found, "items", "next_cursor")

    def stats(self, kind: str | None, window: str | None) -> Steps[dict[str, Any]]:
        """What the server counts."""
        return fields_of((yield from self._get(path_of("stats", type=kind, window=window))), "jobs")


def _job_in(answer: ServerAnswer, key: str) -> Any:
    if answer.status in (200, 201) and answer.is_json:
        return value_of(answer)
    raise error_of(answer, key)

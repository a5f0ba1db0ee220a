"""Bugs between the core and the pages: turns, messages, the transport. ``page`` has the page's own bugs."""

from __future__ import annotations

from tests.planted.bug import Bug

__all__ = ["BUGS"]

OPERATIONS = "dispatcher/node/acts/operations.py::Operations."
TURNS, SERVICE = "dispatcher/node/turns/turns.py::Turns.", "dispatcher/node/service.py::Dispatcher."
OUTCOMES = "dispatcher/node/turns/outcomes.py::Outcomes."
PAGES = "dispatcher/pages/pages.py::Pages."
SESSIONS, FRONTS = "dispatcher/transport/sessions.py::Sessions.", "dispatcher/transport/fronts/"

SIM = "tests/sim/test_sim.py"
BY_TURNS = "tests/node/turns/test_turns.py"
BY_INTAKE = "tests/node/test_intake.py"
BY_PAGES = "tests/node/test_service.py"
TRANSPORT = "dispatcher/transport/"
BOOK, POLLING = TRANSPORT + "book.py::Book.", TRANSPORT + "polling.py::Polling."
SOCKETS = TRANSPORT + "sockets.py::Sockets."
BY_SESSIONS = "tests/transport/test_sessions.py"
BY_SOCKETS = "tests/transport/test_sockets.py"
BY_SIGNS = "tests/transport/test_sessions_signs.py"

BUGS = {
    # commit, then answer
    "a result is acknowledged when it arrives": Bug(
        "S5",
        PAGES + "_result",
        "self._say(sid, protocol.Recorded(message.attempt, 'recorded'))\n"
        "return self._machine.result(sid, message.attempt, raw.decode(), now)",
        "return self._machine.result(_, _, _, _)",
        SIM,
    ),
    "a batch is divided between two turns": Bug(
        "S3",
        "dispatcher/node/turns/gathering.py::Intake.take",
        "jobs < most_jobs",
        "jobs + len(self._waiting[0].specs) <= most_jobs",
        "tests/node/turns/test_gathering.py",
    ),
    "reports that do not fit into a turn are dropped": Bug(
        "S4", TURNS + "_begin", "[]", "self._reports[MOST_ITEMS:]", BY_TURNS
    ),
    "a cancel is not told to the page that runs the job": Bug(
        "S14", OUTCOMES + "_command", "None", "self._carry_out(self._machine.cancelled(_, _, _))", SIM
    ),
    "a page is told of a cancel before it is durable": Bug(
        "S14",
        "dispatcher/node/verbs.py::JobVerbs.cancel",
        "for name, attempt in list(self.machine.attempts.items()):\n"
        "    if attempt.claim.job == job_id:\n"
        "        self._turns.carry_out(self.machine.cancelled(name, 'cancelled', self._clock.monotonic()))\n"
        "return await self._command(Cancel(job_id, reason, actor), 'scheduled, queued and running', 'cancelled')",
        found_by=BY_TURNS,
    ),
    "jobs are taken while the server stops": Bug(
        "S21", SERVICE + "_stored", "False", "self.draining or not self._accepting", BY_INTAKE
    ),
    "after the store has failed the server goes on": Bug("S23", TURNS + "_break", "", "self._broken = True", BY_INTAKE),
    "a start waits for housekeeping": Bug(
        "S31", TURNS + "_busy", "return self._begun or self._wanted()", found_by="tests/node/test_scale.py"
    ),
    "a standstill of the server makes pages quiet": Bug(
        "S19", SERVICE + "tick", "None", "self._transport.forgive(_, _)", "tests/node/test_standstill.py"
    ),
    # messages
    "a worker is taken over without its secret": Bug(
        "I6", "dispatcher/pages/registrar.py::Registrar._proves", "return True", found_by=BY_PAGES
    ),
    # sessions
    "the outbox is emptied before the answer is written": Bug(
        "S7",
        POLLING + "write",
        "session.poll = None\nsession.taken(count)\ncount = 0",
        "session.poll = None",
        BY_SESSIONS,
    ),
    "a POST is answered before its messages are heard": Bug(
        "S7",
        POLLING + "post",
        "exchange.answer(replies.OK)\nbook.take(session, packets, now)",
        "exchange.answer(book.take(session, packets, now))",
        BY_SESSIONS,
    ),
    "the end of a page's last connection is not told": Bug(
        "S11",
        FRONTS + "policy.py::Policy.left",
        "None",
        "self.sessions.disconnected(_, _, was_cut=was_cut)",
        "tests/transport/fronts/test_http_closing.py",
    ),
    # limits
    "an outbox has no bound": Bug(
        "S22", SESSIONS + "send", "False", "outbox.size + _ >= limits.outbox_bytes or _", BY_SESSIONS
    ),
    # changes
    "of the changes of one turn only the first is told": Bug(
        "S35",
        "dispatcher/node/changes/events.py::Ring.add",
        "events[:1]",
        "events",
        "tests/node/changes/test_events.py",
    ),
    "a follower misses the change that wakes it": Bug(
        "S35",
        "dispatcher/node/changes/followers.py::Feed._found",
        "after + 1",
        "after",
        "tests/node/changes/test_followers.py",
    ),
    # webhooks, and orders
    "a redirect counts as an answer": Bug(
        "S36",
        "dispatcher/node/webhooks/sender.py::_error_of",
        "200 <= status < 400",
        "200 <= status < 300",
        "tests/node/webhooks/test_sender.py",
    ),
    "a signature does not cover the time": Bug(
        "S37",
        "dispatcher/webhooks/signing.py::signature",
        "message_id.encode() + body",
        "f'{message_id}.{timestamp}.'.encode() + body",
        "tests/webhooks/test_signing.py",
    ),
    "a webhook may lead to an office's network": Bug(
        "S37",
        "dispatcher/webhooks/targets.py::refused_address",
        "return None",
        found_by="tests/webhooks/test_targets.py",
    ),
    "a paused worker gets jobs": Bug(
        "S38",
        "dispatcher/core/workers/operators.py::Operators.apply",
        "worker.held = None",
        "worker.held = None if kept is None else kept.paused",
        "tests/core/workers/test_machine_operators.py",
    ),
    "a page ends a pause that it has not heard of": Bug(
        "S38",
        "dispatcher/core/workers/operators.py::Operators.without_hold",
        "replace(kept, paused=None)",
        "replace(kept, paused=None) if kept.paused.since_ms == since_ms else None",
    ),
    "an order touches jobs that came after it": Bug(
        "S39",
        OPERATIONS + "_slice",
        "running.top = None",
        "running.top = some.start if running.top is None else running.top",
        "tests/node/acts/test_operations.py",
    ),
    "an order cannot be stopped": Bug(
        "S39", OPERATIONS + "_each_slice", "False", "running.stopping is not None", "tests/node/acts/test_operations.py"
    ),
    # sockets
    "a pong proves what was written after its ping": Bug(
        "S34", SOCKETS + "_written", "None", "session.unproved.clear()", BY_SOCKETS
    ),
    "a session moves to its socket before its poll has come back": Bug(
        "S34", SOCKETS + "_move", "None", "book.release_poll(session)", BY_SOCKETS
    ),
    "the end of a socket is not told": Bug(
        "S34", SOCKETS + "hung_up", "None", "self._book.went_away(session, now)", BY_SOCKETS
    ),
}

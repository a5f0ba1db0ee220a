"""Bugs between the core and the pages: turns, messages, the transport. The page's own are in ``page``."""

from __future__ import annotations

from tests.planted.bug import Bug

__all__ = ["BUGS"]

GATHERED, BATCH = "dispatcher/node/gathering.py", "handlers/api/batch.py"
TURNS, SERVICE, PAGES = "dispatcher/node/turns.py", "dispatcher/node/service.py", "dispatcher/pages/pages.py"
MESSAGES, WAITERS, TIMER = "dispatcher/pages/protocol.py", "dispatcher/node/waiters.py", "dispatcher/node/timer.py"
_T = "dispatcher/transport/"
SESSIONS, SESSION, EXCHANGE = _T + "sessions.py", _T + "session.py", _T + "exchange.py"
PINGS, CODEC = _T + "pings.py", _T + "codec.py"
_F = _T + "fronts/"
HTTP, HTTP_EXCHANGE, HTTP_STREAM = _F + "http.py", _F + "http_exchange.py", _F + "http_stream.py"

SIM = "tests/sim/test_sim.py"
BY_TURNS = "tests/node/test_turns.py"
BY_PAGES = "tests/node/test_service.py"
BY_INTAKE = "tests/node/test_intake.py"
BY_GATHERING = "tests/node/test_gathering.py"
BY_BATCHES = "tests/handlers/api/test_batch.py tests/node/test_gathering.py"
BY_ONCE = "tests/node/test_once.py"
BY_STANDSTILL = "tests/node/test_standstill.py"
BY_WAITERS = "tests/node/test_waiters.py"
BY_RESTART = "tests/node/test_restart.py"
BY_SESSIONS = "tests/transport/test_sessions.py"
BY_EVIDENCE = "tests/transport/test_sessions_evidence.py"
BY_PINGS = "tests/transport/test_pings.py"
BY_CODEC = "tests/transport/test_codec.py"
BY_CONFORMANCE = "tests/transport/test_conformance.py::"
BY_HTTP = "tests/transport/fronts/test_http.py"
BY_CLOSING = "tests/transport/fronts/test_http_closing.py"
BY_PROTOCOL = "tests/pages"

BUGS = {
    # turns: commit, then answer
    "a result is acknowledged when it arrives": Bug(
        PAGES,
        "        return self._machine.result(sid, message.attempt, raw.decode(), now)",
        '        self._say(sid, protocol.Recorded(message.attempt, "recorded"))\n'
        "        return self._machine.result(sid, message.attempt, raw.decode(), now)",
        SIM,
    ),
    "a second turn begins while one is in flight": Bug(
        TURNS, "stays = self._begun or self._broken", "stays = self._broken", BY_TURNS
    ),
    "reports that do not fit into a turn are dropped": Bug(
        TURNS, "self._reports[:MOST_ITEMS], self._reports[MOST_ITEMS:]", "self._reports[:MOST_ITEMS], []", BY_TURNS
    ),
    "jobs that do not fit into a turn are dropped": Bug(
        GATHERED,
        "        return taken\n",
        "        self._waiting.clear()\n        return taken\n",
        BY_TURNS,
    ),
    "what comes during a turn waits for the next event": Bug(
        TURNS,
        "        self._after(settled + done.finished)\n        self.kick()\n",
        "        self._after(settled + done.finished)\n",
        BY_TURNS,
    ),
    "after the store has failed the server goes on": Bug(TURNS, "        self._broken = True\n", "", BY_INTAKE),
    "who waits for the next turn is not told that the store has failed": Bug(
        TURNS, "submitted = submitted + self._intake.take_all()", "pass", BY_TURNS
    ),
    "a batch is divided between two turns": Bug(
        GATHERED,
        "jobs + len(self._waiting[0].specs) <= most_jobs",
        "jobs < most_jobs",
        BY_GATHERING,
    ),
    "what a turn has taken still counts as waiting": Bug(
        GATHERED, "            self._count(taken[-1].specs, -1)\n", "", BY_GATHERING
    ),
    "the answers of a turn are given to the wrong submitters": Bug(
        TURNS, "islice(accepted, len(submission.specs))", "islice(done.accepted, len(submission.specs))", BY_TURNS
    ),
    "a batch is submitted as jobs that have nothing to do with each other": Bug(
        SERVICE, "[replace(spec, batch=number) for spec in specs]", "list(specs)", BY_BATCHES
    ),
    "the jobs of a batch that comes again are new ones": Bug(
        BATCH, 'key=f"{key}{_KEY_MARK}{index}"', "key=None", BY_BATCHES
    ),
    "a cancel is not told to the page that runs the job": Bug(
        TURNS,
        'self.carry_out(self._machine.cancelled(report.revoked, item.command.reason or "cancelled", now))',
        "pass",
        SIM,
    ),
    "a page is told of a cancel before it is durable": Bug(
        SERVICE,
        '        return await self._command(Cancel(job_id, reason), "scheduled',
        "        for name, attempt in list(self.machine.attempts.items()):\n"
        "            if attempt.claim.job == job_id:\n"
        '                self._turns.carry_out(self.machine.cancelled(name, "cancelled", self._clock.monotonic()))\n'
        '        return await self._command(Cancel(job_id, reason), "scheduled',
        BY_TURNS,
    ),
    "who waits for a job that expires is not told": Bug(
        TURNS, "self._after(settled + done.finished)", "self._after(settled)", BY_TURNS
    ),
    "while a turn is in flight the timer fires again and again": Bug(
        TURNS,
        "        self.next_due_at = self.next_backoff_at = None\n        self.kick()\n",
        "        self.kick()\n",
        "tests/sim/test_found.py",
    ),
    "a start waits for housekeeping": Bug(
        TURNS, "if housekeeping else self._carries or self._gathered()", "", "tests/node/test_scale.py"
    ),
    "the grace of a restart begins before the server listens": Bug(
        "dispatcher/core/workers/machine.py",
        '                self._deadlines.set(("lease", name), now + self._timings.restart_grace_s)\n        return []',
        "                pass\n        return []",
        "tests/node/test_scale.py",
    ),
    "a purge that is not done is not gone on with": Bug(TURNS, "self._more or done.more or", "self._more or", BY_TURNS),
    "a store that fails does not end the server": Bug(TURNS, "        self._failed(error)\n", "", BY_INTAKE),
    # service, waiters, timer
    "a waiter is added after the job was read": Bug(
        SERVICE,
        "        future = self._waiters.add(job_id)\n"
        "        with self._readers:\n"
        "            try:\n"
        "                # Its state alone: all of it may be megabytes, and is read once, at the end.\n"
        "                state = await self._store.state(job_id)\n",
        "        with self._readers:\n"
        "            state = await self._store.state(job_id)\n"
        "            future = self._waiters.add(job_id)\n"
        "            try:\n",
        BY_TURNS,
    ),
    "whoever waited counts for ever": Bug(
        WAITERS,
        "        for future in self._by_job.pop(job_id, ()):\n            self._count -= 1\n",
        "        for future in self._by_job.pop(job_id, ()):\n",
        BY_WAITERS,
    ),
    "whoever goes away goes on waiting": Bug(
        WAITERS, "        waiting.discard(future)\n        self._count -= 1\n", "        self._count -= 1\n", BY_WAITERS
    ),
    "who waits for a job in doubt is not answered": Bug(
        "dispatcher/core/jobs/ledger.py",
        "settled = job.state in FINAL or job.state is JobState.IN_DOUBT",
        "settled = job.state in FINAL",
        BY_ONCE,
    ),
    "jobs are taken while the server stops": Bug(
        SERVICE, "return self._accepting and not self.draining", "return self._accepting", BY_INTAKE
    ),
    "a standstill is not forgiven": Bug(SERVICE, "if late_s > STANDSTILL_S:", "if False:", BY_ONCE),
    "pages are not pinged": Bug(SERVICE, "steps = (self._transport.tick, ", "steps = (", BY_TURNS),
    "what a turn says stays in the outbox": Bug(
        SERVICE,
        "        self._transport.flush(self._clock.monotonic())\n        for job_id in settled:",
        "        for job_id in settled:",
        BY_TURNS,
    ),
    # messages
    "a worker is taken over without its secret": Bug(
        PAGES, "return hmac.compare_digest(self.secret(worker).encode(), secret.encode())", "return True", BY_PAGES
    ),
    "a page is obeyed before it has registered": Bug(
        PAGES,
        "if not isinstance(message, protocol.Register) and self._machine.worker_of(sid) is None:",
        "if False:",
        BY_PAGES,
    ),
    "an empty token lets a page in": Bug(
        PAGES, "        if wanted and not hmac", "        if wanted and message.token and not hmac", BY_PAGES
    ),
    "offers do not say when they were written": Bug(
        PAGES, "protocol.encode(message), claim.attempt)", "protocol.encode(message), None)", BY_PAGES
    ),
    "what a page holds is timed in milliseconds": Bug(PAGES, "held.elapsed_ms / 1000", "held.elapsed_ms", BY_RESTART),
    "a page is told its timeout in seconds": Bug(
        PAGES, "round(claim.terms.timeout_s * 1000)", "round(claim.terms.timeout_s)", BY_PAGES
    ),
    "a page is not told to wait for go": Bug(PAGES, "            claim.terms.once,\n", "            False,\n", BY_ONCE),
    "a result that is too large is dropped without a word": Bug(
        PAGES, "return self._too_large(sid, message.attempt, len(raw), now)", "return []", BY_PAGES
    ),
    "of a session that ended what is known of it stays": Bug(
        PAGES,
        "        self.sessions.pop(sid, None)\n        self._carry_out(self._machine.ended(sid, now))",
        "        self._carry_out(self._machine.ended(sid, now))",
        SIM,
    ),
    "a session that is dropped keeps its worker": Bug(PAGES, "        self.ended(sid, now)\n", "        pass\n", SIM),
    "a refused message does not name its attempt": Bug(
        MESSAGES,
        'return MessageRefused(f"bad {op}: {_clip(error)}", code="bad_message", attempt=attempt)',
        'return MessageRefused(f"bad {op}: {_clip(error)}", code="bad_message")',
        BY_PROTOCOL,
    ),
    "a page of any version is taken": Bug(
        MESSAGES, "isinstance(message, Register) and message.version != VERSION", "False", BY_PROTOCOL
    ),
    "a message that is nested too deeply fails the listener": Bug(
        MESSAGES,
        "    except (msgspec.DecodeError, RecursionError) as error:\n",
        "    except msgspec.DecodeError as error:\n",
        BY_PROTOCOL,
    ),
    # sessions
    "the outbox is emptied before the answer is written": Bug(
        SESSIONS,
        "        if not poll.answer(Answer(200, body)):\n",
        "        session.taken(count)\n        count = 0\n        if not poll.answer(Answer(200, body)):\n",
        BY_SESSIONS,
    ),
    "an answer that could not be written is no sign of leaving": Bug(
        SESSIONS,
        "        if not poll.answer(Answer(200, body)):\n            self._went_away(session, now)\n",
        "        if not poll.answer(Answer(200, body)):\n",
        BY_SESSIONS,
    ),
    "a second poll takes the place of the first": Bug(
        SESSIONS,
        "if session.poll is not None and session.poll.is_open():",
        "if False:",
        BY_CONFORMANCE + "test_a_second_poll_is_refused_and_ends_the_session",
    ),
    "a second POST is read beside the first": Bug(
        SESSIONS, "if session.post is not None and session.post.is_open():", "if False:", BY_SESSIONS
    ),
    "the end of an old poll ends the new one": Bug(
        SESSIONS, "        if session.poll is exchange:\n", "        if session.poll is not None:\n", BY_EVIDENCE
    ),
    "the end of an old connection makes a page away": Bug(
        SESSIONS, "session.connection.sids.discard(session.sid)", "pass", BY_EVIDENCE
    ),
    "a page that comes back stays away": Bug(
        SESSIONS, "            if was_away:\n", "            if False:\n", BY_EVIDENCE
    ),
    "a page that goes away is not noticed": Bug(
        SESSIONS, "            self._tell(self.listener.away, session.sid, now)\n", "            pass\n", BY_EVIDENCE
    ),
    "a pong counts though no ping was written": Bug(
        SESSIONS, "if session.ping == Session.WRITTEN:", "if True:", BY_EVIDENCE
    ),
    "a malformed body ends nothing": Bug(
        SESSIONS,
        "            self.counts.protocol_errors += 1\n            self._end(session, CLOSE_PACKET, now)\n",
        "            self.counts.protocol_errors += 1\n",
        BY_SESSIONS,
    ),
    "a POST whose message failed is answered ok": Bug(
        SESSIONS, "                    answer = answers.INTERNAL_ERROR\n", "                    pass\n", BY_SESSIONS
    ),
    "a POST is answered before its messages are heard": Bug(
        SESSIONS,
        "        exchange.answer(self._take(session, packets, now))",
        "        exchange.answer(answers.OK)\n        self._take(session, packets, now)",
        BY_SESSIONS,
    ),
    "a session that ends takes what waits in it along": Bug(
        SESSIONS, "last = session.ending and count == len(session.outbox)", "last = session.ending", BY_SESSIONS
    ),
    "an outbox has no bound": Bug(
        SESSIONS,
        "outbox.size + len(packet) >= limits.outbox_bytes or len(outbox) >= limits.outbox_packets",
        "False",
        BY_SESSIONS,
    ),
    "a page whose outbox overflows is not reported": Bug(
        SESSIONS, "                self._tell(self.listener.ended, sid, now)\n", "                pass\n", BY_SESSIONS
    ),
    "a page that is away and silent is called quiet": Bug(
        SESSIONS,
        "        if session.away:\n            self._tell(self.listener.dropped",
        "        if False:\n            self._tell(self.listener.dropped",
        BY_EVIDENCE,
    ),
    "a standstill of the server makes pages quiet": Bug(
        SERVICE, "            self._transport.forgive(late_s, now)\n", "", BY_STANDSTILL
    ),
    "there is no limit of sessions": Bug(
        SESSIONS, "if len(self._sessions) >= self.limits.sessions:", "if False:", BY_SESSIONS
    ),
    "an offer is not reported as written": Bug(
        SESSIONS, "        if attempts and not session.ending:", "        if False:", BY_SESSIONS
    ),
    "a poll is no sign of life": Bug(
        SESSIONS, "            self._tell(self.listener.polled, session.sid, now)\n", "", BY_EVIDENCE
    ),
    "a packet larger than an answer is never sent": Bug(
        SESSION, "if limit < 0 and batch:", "if limit < 0:", BY_SESSIONS
    ),
    "an answer is larger than its limit": Bug(SESSION, "if limit < 0 and batch:", "if False:", BY_SESSIONS),
    "a ping waits behind what is in the outbox": Bug(
        SESSION, "self._items.appendleft((packet, None))", "self._items.append((packet, None))", BY_SESSIONS
    ),
    "an answered ping is overdue all the same": Bug(
        PINGS,
        "        self.forget(key)\n        self._to_send[key]",
        "        self._to_send[key]",
        BY_PINGS,
    ),
    "packets after a close are obeyed": Bug(
        CODEC, "    if len(packets) > 1 and any(", "    if False and any(", BY_CODEC
    ),
    "a POST may hold any number of packets": Bug(
        CODEC, "    if len(parts) > packet_limit:\n", "    if False:\n", BY_CODEC
    ),
    "any version of Engine.IO is served": Bug(
        EXCHANGE,
        '    if fields.get("EIO") != "4":\n',
        "    if False:\n",
        BY_CONFORMANCE + "test_a_wrong_query_is_refused_with_the_code_of_engine_io",
    ),
    # HTTP
    "a poll whose connection was closed goes on waiting": Bug(
        HTTP_EXCHANGE,
        "            front.sessions.abandon(self, now)\n            front.settle(now)\n",
        "            front.settle(now)\n",
        BY_CLOSING,
    ),
    "a body is read however large it is": Bug(
        HTTP_EXCHANGE,
        "if self._verdict is None and self._received > self._front.sessions.limits.post_limit:",
        "if False:",
        BY_HTTP,
    ),
    "an answer that nobody reads holds its connection": Bug(
        HTTP_STREAM, "if not written.done():", "if False:", BY_HTTP
    ),
    "poll answers may be cached": Bug(
        HTTP_EXCHANGE,
        '            "Cache-Control: no-store, no-transform\\r\\n"\n',
        "",
        "tests/transport/test_pitfalls_p.py",
    ),
    "a server that stops takes its pages for gone": Bug(
        HTTP_EXCHANGE, "if not self._answered and not front.stopping:", "if not self._answered:", BY_CLOSING
    ),
    "the end of a page's last connection is not told": Bug(
        HTTP, "            self.sessions.disconnected(connection, now)\n", "            pass\n", BY_CLOSING
    ),
    "our own idle timeout is taken for a page that left": Bug(
        HTTP_STREAM, "self.was_idle = self._awaits_head", "self.was_idle = False and self._awaits_head", BY_CLOSING
    ),
}

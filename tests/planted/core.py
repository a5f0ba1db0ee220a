"""Bugs in the core, and in the rules of a turn that the core computes: the model test must find each."""

from __future__ import annotations

from tests.planted.bug import Bug

__all__ = ["BUGS"]

JOBS, WORKERS = "dispatcher/core/jobs/", "dispatcher/core/workers/"
BUGS = {
    "a worker is never freed": Bug(
        WORKERS + "leases.py", "worker.attempts.pop(attempt.id, None) is not None", "attempt.id in worker.attempts"
    ),
    "a lapsed offer is not requeued": Bug(
        WORKERS + "leases.py",
        'return self._end(attempt, lapse(attempt, "nobody accepted the offer in time"))',
        "self._forget(attempt)\n        return []",
    ),
    "the backoff is dropped": Bug(JOBS + "ledger.py", "job.run_at = now_at + report.delay_s", "job.run_at = now_at"),
    "an accept does not set the timeout": Bug(
        WORKERS + "machine.py",
        'self._deadlines.set(("lease", attempt_id), now + attempt.claim.terms.timeout_s)',
        "pass",
    ),
    "the last used worker is next": Bug(WORKERS + "pools.py", "self._used += 1", "self._used -= 1"),
    "a timer outlives its attempt": Bug(
        WORKERS + "leases.py",
        '        self._not_adrift(attempt)\n        for kind in ("lease", "beat", "reload"):\n',
        '        self._not_adrift(attempt)\n        for kind in ("beat", "reload"):\n',
    ),
    "any attempt can end its job": Bug(JOBS + "ledger.py", "current = job.attempt == attempt.id", "current = True"),
    "the verdict on an accept answers a result": Bug(
        WORKERS + "machine.py", "if isinstance(report, Ended) and report.cause in _SAID:", "if True:"
    ),
    "a new boot keeps the old page's leases": Bug(
        WORKERS + "registry.py", "effects += self._end_old_boot(worker, registration)", "pass"
    ),
    "a closed connection starts no grace": Bug(
        WORKERS + "registry.py",
        'self._deadlines.set(("grace", worker.id), now + self._timings.reconnect_grace_s)\n        self._changed',
        "self._changed",
    ),
    "a return does not stop the grace": Bug(
        WORKERS + "registry.py",
        'worker.state = WorkerState.CONNECTED\n            self._deadlines.clear(("grace", worker.id))',
        "worker.state = WorkerState.CONNECTED",
    ),
    "a crash is counted as an error": Bug(WORKERS + "retry.py", "counts_crash=counts", "counts_error=counts"),
    "a loss through the restart is counted": Bug(WORKERS + "retry.py", "not attempt.restarted", "True"),
    "numbers have gaps": Bug(
        JOBS + "ledger.py", "    job.attempt = attempt_id\n", "    job.attempt = attempt_id\n    job.number += 1\n"
    ),
    "paused workers get offers": Bug(WORKERS + "worker.py", "if self.paused:", "if False:"),
    "slots are off by one": Bug(WORKERS + "worker.py", "self.slots - len(", "self.slots + 1 - len("),
    "a cancel leaves the attempt current": Bug(
        JOBS + "ledger.py", "revoked, job.attempt = job.attempt, None", "revoked = job.attempt"
    ),
    "priority is reversed": Bug(
        JOBS + "ledger.py", "queue_clock - job.terms.priority", "queue_clock + job.terms.priority"
    ),
    "a lapse costs the job its place": Bug(
        JOBS + "ledger.py",
        "    job.run_at = None\n    if state",
        "    job.run_at = None\n    job.rank = now_at\n    if state",
    ),
    "an offer that was not sent is not taken back": Bug(
        WORKERS + "registry.py",
        "return self._take_back(worker) + self._decide(worker.id)",
        "return self._decide(worker.id)",
    ),
    "a timed out attempt frees its slot at once": Bug(
        WORKERS + "leases.py",
        'return [Record(ended), *self._revoke(attempt, "timed_out")]',
        "return self._end(attempt, ended)",
    ),
    "a missed pong ends leases": Bug(
        WORKERS + "registry.py", "effects = self._take_back(worker)\n", 'effects = self._gone(worker, "")\n'
    ),
    "a quiet worker without leases stays for ever": Bug(
        WORKERS + "registry.py", "        self._forget_quiet(worker)\n", ""
    ),
    "a second window takes the first one's leases": Bug(
        WORKERS + "registry.py", "worker=registration.spare, holding=(), finished=()", "holding=()"
    ),
    "a newcomer is bound to a session that is no more": Bug(
        WORKERS + "registry.py", "            del self._newcomers[worker_id]\n", "            pass\n"
    ),
    "a restart gives a new timeout": Bug(
        WORKERS + "registry.py",
        "self._now + max(left_s, min(timeout_s, self._timings.restart_grace_s))",
        "self._now + timeout_s",
    ),
    "a result without an accept has no number": Bug(
        JOBS + "ledger.py", "report.implies_accept and attempt.started_at is None", "False"
    ),
    "room that has grown is not noticed": Bug(
        WORKERS + "pools.py", "self._grown = self._grown or room > worker.listed", "pass"
    ),
    "drained workers keep what was not sent": Bug(
        WORKERS + "machine.py", "            effects += self._take_back(worker)\n", "            pass\n"
    ),
    "go is not told": Bug(WORKERS + "machine.py", "effects += self._start_once(report.attempt)", "pass"),
    "go is told before the accept is stored": Bug(
        WORKERS + "machine.py",
        "        return [*self._withdraw(attempt), Record(Started(attempt_id, attempt.holder()))]",
        "        attempt.went = attempt.claim.terms.once\n"
        "        return [Record(Started(attempt_id, attempt.holder())), *self._go(attempt)]",
    ),
    "go is not repeated to a page that registers again": Bug(
        WORKERS + "registry.py", "[] if attempt.finished else self._go(attempt)", "[]"
    ),
    "what was lost after go runs again": Bug(
        WORKERS + "retry.py",
        "if attempt.went:\n        return in_doubt(attempt, Cause.LOST, detail)",
        "if False:\n        return in_doubt(attempt, Cause.LOST, detail)",
    ),
    "what timed out after go runs again": Bug(
        WORKERS + "retry.py",
        "if attempt.went:\n        return in_doubt(attempt, Cause.TIMED_OUT",
        "if False:\n        return in_doubt(attempt, Cause.TIMED_OUT",
    ),
    "what was given back after go runs again": Bug(
        WORKERS + "retry.py",
        "if attempt.went:\n        return in_doubt(attempt, Cause.RELEASED",
        "if False:\n        return in_doubt(attempt, Cause.RELEASED",
    ),
    "a job with effects once is tried again after an error": Bug(
        WORKERS + "retry.py", " and not attempt.claim.terms.once", ""
    ),
    "a restart forgets that it had gone": Bug(
        WORKERS + "machine.py", "            attempt.went = left.terms.once\n", ""
    ),
    "a result after a decision is taken for the decision": Bug(
        JOBS + "ledger.py", "job.state is JobState.SUCCEEDED and _won(attempt)", "job.state is JobState.SUCCEEDED"
    ),
    "progress does not count as a sign of life": Bug(
        WORKERS + "machine.py",
        "        self._beat(attempt)\n        return [Record(Progressed(",
        "        return [Record(Progressed(",
    ),
    "a heartbeat outlives its cancelled attempt": Bug(
        WORKERS + "leases.py",
        '        self._deadlines.clear(("beat", attempt.id))\n        self._deadlines.set(("reload"',
        '        self._deadlines.set(("reload"',
    ),
    "after a restart nobody listens for the heartbeat": Bug(
        WORKERS + "registry.py", "        self._beat(attempt)\n", ""
    ),
    "a heartbeat goes on for a result in the stash": Bug(
        WORKERS + "registry.py",
        '        self._deadlines.clear(("beat", attempt.id))\n        self._deadlines.set(("lease"',
        '        self._deadlines.set(("lease"',
    ),
    "workers that were set aside get offers": Bug(WORKERS + "worker.py", "if self.aside:", "if False:"),
    "offers that the network lost set a worker aside": Bug(WORKERS + "leases.py", "if attempt.fetched:", "if True:"),
    "a worker stays set aside": Bug(WORKERS + "leases.py", "        worker.aside = False\n", "        pass\n"),
    "an accepted offer does not clear what counts against its worker": Bug(
        WORKERS + "leases.py", "worker.lapses = worker.times_aside = 0", "pass"
    ),
    "an offer that was sent again counts as fetched": Bug(
        WORKERS + "registry.py", "attempt.written = attempt.fetched = False", "attempt.written = False"
    ),
    "a worker is set aside after it is gone": Bug(
        WORKERS + "leases.py", '("grace", "probe", "aside")', '("grace", "probe")'
    ),
    "a standstill prolongs timeouts": Bug(
        WORKERS + "leases.py", "if not running or self.attempts[name].finished:", "if True:"
    ),
    "a standstill makes what has arrived too late": Bug(WORKERS + "leases.py", "max(moved, now + CATCH_UP_S)", "moved"),
    # What a page holds and the server does not know; repeated and late registers; declines.
    "a register that comes once more ends what it does not name": Bug(
        WORKERS + "registry.py",
        "repeated = worker is not None and (worker.session, worker.boot) == (session, registration.boot)",
        "repeated = False",
    ),
    "a register of a session that was left is believed": Bug(
        WORKERS + "registry.py", "registration.opened < worker.opened:", "False:"
    ),
    "what a page holds and the server does not know takes no slot": Bug(
        WORKERS + "registry.py", "for name in strangers[: worker.slots]:", "for name in []:"
    ),
    "a page that holds what is over is never asked to reload": Bug(
        WORKERS + "registry.py",
        '            self._deadlines.set(("reload", name), self._now + self._timings.reload_after_s)\n',
        "",
    ),
    "what was revoked keeps its slot though its page does not hold it": Bug(
        WORKERS + "registry.py",
        "self._forget(attempt)\n            elif attempt.state is AttemptState.RUNNING",
        "pass\n            elif attempt.state is AttemptState.RUNNING",
    ),
    "offers stay with a page that has no slot for them": Bug(
        WORKERS + "registry.py", "if len(worker.attempts) > worker.slots:", "if False:"
    ),
    "declined offers count for nothing": Bug(
        WORKERS + "machine.py", "            self._heeds_no_offer(worker)\n", "            pass\n"
    ),
    "a page that pauses is set aside for declining": Bug(
        WORKERS + "machine.py", " and not (worker.paused or self.draining)", ""
    ),
    "an idle pool is not told to its groups": Bug(
        WORKERS + "pools.py", "self.lanes.pool_idle(pool.number, worker.used)", "pass"
    ),
    "lanes that become ready are not noticed": Bug(
        WORKERS + "lanes.py", "        self.hot[lane.group] = None\n        return", "        return"
    ),
    "a deep lane keeps all others from the demand": Bug(
        WORKERS + "pools.py",
        "            if asked >= MOST_ASKED * most:\n",
        "            if asked:\n",
        "tests/core/workers/test_demand.py",
    ),
    "two groups share one worker while others stand idle": Bug(
        WORKERS + "pools.py",
        "alone += not self._is_shared(number, group, extra)",
        "alone += 1",
        "tests/core/workers/test_demand.py",
    ),
    "a boot becomes a second worker": Bug(
        WORKERS + "registry.py", "return self._boots.get(registration.boot)", "return None"
    ),
}

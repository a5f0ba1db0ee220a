"""Bugs in the core: the model test must find nearly all of them."""

from __future__ import annotations

from tests.planted.bug import Bug

__all__ = ["BUGS"]

_JOBS, _FLEET, _WORKERS = "dispatcher/core/jobs/", "dispatcher/core/fleet/", "dispatcher/core/workers/"
LEDGER = _JOBS + "ledger.py::"
ATTENDANCE, LEASES, MACHINE = (
    _WORKERS + "attendance.py::Attendance.",
    _WORKERS + "leases.py::Leases.",
    _WORKERS + "machine.py::Machine.",
)
RECONCILER, REGISTRY = _WORKERS + "reconciler.py::Reconciler.", _WORKERS + "registry.py::Registry."
RETRY, STANDSTILL = _WORKERS + "retry.py::", _WORKERS + "standstill.py::"
POOLS, WORKER = _FLEET + "pools.py::Pools.", _FLEET + "worker.py::Worker."

BY_DEMAND = "tests/core/fleet/test_demand.py"
BY_LABELS = "tests/core/fleet/test_labels.py"

BUGS = {
    "a lapsed offer is not requeued": Bug(
        "S4", LEASES + "_lapsed", "self.forget(attempt) or []", "self.lapse(attempt, _)"
    ),
    "a worker is never freed": Bug(
        "S4", LEASES + "forget", "name in worker.attempts", "worker.attempts.pop(name, None) is not None"
    ),
    "any attempt can end its job": Bug("S5", LEDGER + "settle", "True", "job.attempt == attempt.id"),
    "slots are off by one": Bug(
        "S6", WORKER + "free", "self.slots + 1 - len(self.attempts)", "self.slots - len(self.attempts)"
    ),
    # offer, accept, run
    "numbers have gaps": Bug("S7", LEDGER + "claim", "job.claims += 1\njob.number += 1", "job.claims += 1"),
    "an offer that was not sent is not taken back": Bug(
        "S7", REGISTRY + "away", "[]", "self._leases.take_back(worker)"
    ),
    "offers that the network lost set a worker aside": Bug("S7", LEASES + "_lapsed", "True", "attempt.fetched"),
    # timeout and heartbeat
    "an accept does not set the timeout": Bug(
        "S8", LEASES + "accept", "None", "self._deadlines.start(('lease', attempt.id), _)"
    ),
    "a timed out attempt frees its slot at once": Bug(
        "S8",
        LEASES + "over",
        "return self.end(attempt, ended)",
        "return [Record(ended), *self._revoke(attempt, 'timed_out')]",
    ),
    "progress does not count as a sign of life": Bug("S8", MACHINE + "progress", "None", "self._leases.beat(attempt)"),
    # signs that a page is gone
    "a missed pong ends leases": Bug(
        "S11", REGISTRY + "quiet", "self.gone(worker, '')", "self._leases.take_back(worker)"
    ),
    "a closed connection starts no grace": Bug(
        "S11", ATTENDANCE + "away", "None", "self._deadlines.start(('grace', worker.id), _)"
    ),
    # a new boot
    "a new boot keeps the old page's leases": Bug("S12", RECONCILER + "end_old_boot", "return []"),
    "a second window takes the first one's leases": Bug(
        "S12",
        REGISTRY + "heard",
        "replace(registration, holding=())",
        "replace(registration, worker=registration.spare, holding=(), finished=())",
    ),
    # what uses up what
    "a loss through the restart is counted": Bug("S13", RETRY + "after_loss", "True", "not attempt.restarted"),
    "the backoff is dropped": Bug("S13", LEDGER + "_move_job", "now_at", "now_at + report.delay_s"),
    "a cancel leaves the attempt current": Bug(
        "S14", LEDGER + "cancel", "revoked = job.attempt", "revoked, job.attempt = (job.attempt, None)"
    ),
    # effects once
    "go is told before the accept is stored": Bug(
        "S15b",
        LEASES + "accept",
        "attempt.went = attempt.claim.terms.once\n"
        "return [*self._withdraw(attempt), Record(Started(attempt.id, attempt.holder())), *self.go(attempt)]",
        "return [*self._withdraw(attempt), _]",
    ),
    "what was lost after go runs again": Bug("S15b", RETRY + "after_loss", "False", "attempt.went"),
    # order
    "priority is reversed": Bug(
        "S16", LEDGER + "enqueue", "queue_clock + job.terms.priority * RANK_STEP_S", "queue_clock - _ * _"
    ),
    "a lapse costs the job its place": Bug(
        "S16", LEDGER + "_enter", "job.run_at = None\njob.rank = now_at", "job.run_at = None"
    ),
    "the last used worker is next": Bug("S17", POOLS + "used", "self._used -= 1", "self._used += 1"),
    # what a job requires
    "a job goes to a worker that lacks a label": Bug(
        "S29", _FLEET + "matcher.py::_has_all", "return True", found_by=BY_LABELS
    ),
    "a worker that comes is not given what waits for its labels": Bug(
        "S29", _FLEET + "matcher.py::Matcher.lanes_of", "yield from ()", found_by=BY_LABELS
    ),
    "a name that is first required finds nobody who is there": Bug(
        "S29", POOLS + "_name_wanted", "pass", found_by=BY_LABELS
    ),
    # restart, standstill, time
    "a restart gives a new timeout": Bug("S18", LEASES + "take_up", "timeout_s", "max(left_s, _)"),
    "after a restart nobody waits for the pages": Bug(
        "S18", LEASES + "_leave_adrift", "0.0", "self._timings.restart_grace_s"
    ),
    "a standstill prolongs timeouts": Bug(
        "S19", STANDSTILL + "forgive", "True", "not running or attempts[name].finished"
    ),
    "a standstill makes what has arrived too late": Bug("S19", STANDSTILL + "forgive", "moved", "max(moved, _)"),
    "a deadline fires early": Bug(
        "S20",
        _WORKERS + "deadlines.py::Deadlines.pop_due",
        "at > self.now + 0.5",
        "at > self.now",
        "tests/core/workers",
    ),
    "drained workers keep what was not sent": Bug("S21", REGISTRY + "drain", "[]", "self._leases.take_back(worker)"),
    # what a turn costs
    "a deep lane keeps all others from the demand": Bug(
        "S30", POOLS + "demand", "asked", "asked >= MOST_ASKED * most", BY_DEMAND
    ),
    "the jobs of a type that is resumed are not asked for": Bug(
        "S40", _FLEET + "held.py::HeldTypes.end", "return ()", found_by="tests/core/fleet/test_held.py"
    ),
    "lanes that become ready are not noticed": Bug(
        "S30", _FLEET + "lanes.py::Lanes.reported", "pass", "self._heat(group)"
    ),
    "the grace of a restart begins before the server listens": Bug(
        "S31", _WORKERS + "sharing.py::Sharing.begin_grace", "return []", found_by="tests/node/test_scale.py"
    ),
}

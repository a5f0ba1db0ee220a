"""Bugs in the store: the rules of a turn, the file, its disk. The contract suite must find nearly all of them.

Most are SQL after the newest migration: a trigger drops or changes what is written, whatever code writes it.
"""

from __future__ import annotations

from tests.planted.bug import SCHEMA, Bug
from tests.planted.core import LEDGER

__all__ = ["BUGS"]

_STORE = "dispatcher/store/"
_SQLITE = _STORE + "sqlite/"
_APPLIER = _STORE + "applier/"
ADMISSION, RESERVE = _APPLIER + "admission.py::", _SQLITE + "space.py::Reserve."

_T = "tests/store/"
TURNS = _T + "test_contract.py"
INTAKE = _T + "test_contract_intake.py"
BATCHES = _T + "test_contract_batches.py"
BATCH_READS = _T + "test_contract_batch_reads.py"
FILTERS = _T + "test_contract_filters.py"
ABOUT = _T + "test_contract_about.py"
REPORTS = _T + "test_contract_reports.py"
DECISIONS = _T + "test_contract_decisions.py"
READS = _T + "test_contract_reads.py"
TIME = _T + "test_contract_time.py"
RETENTION = _T + "test_contract_retention.py"
WEBHOOKS = _T + "test_contract_webhooks.py"
KEPT = _T + "test_contract_kept.py"
FULL = _T + "sqlite/test_full.py"


_POSTGRES = _STORE + "postgres/"
_TURN_SQL = _POSTGRES + "queries/turn.sql"
GONE, NODES = _T + "postgres/test_gone.py", _T + "postgres/test_nodes.py"


def _dropped(what: str) -> str:
    """Drops every write of a kind: ``INSERT ON results``."""
    return f"CREATE TRIGGER planted BEFORE {what} BEGIN SELECT RAISE(IGNORE); END"


def _new_jobs(become: str, which: str = "TRUE") -> str:
    """Writes new jobs with another value."""
    set_so = f"UPDATE jobs SET {become} WHERE seq = NEW.seq"
    return f"CREATE TRIGGER planted AFTER INSERT ON jobs WHEN {which} BEGIN {set_so}; END"


BUGS = {
    # acceptance
    "a turn is answered before it is committed": Bug(
        "S1",
        _SQLITE + "store.py::SqliteStore._commit",
        "self._thread.loop.call_soon_threadsafe(self._thread.run, lambda: self._db.execute('COMMIT'))",
        "self._db.execute('COMMIT')",
        _T + "sqlite/test_commit.py",
    ),
    "a commit does not wait for the disk": Bug(
        "S1", _SQLITE + "file.py", "'synchronous = NORMAL'", "'synchronous = FULL'", _T + "sqlite/test_lock.py"
    ),
    "a key is not kept": Bug("S2", SCHEMA, _new_jobs("key = NULL"), found_by=INTAKE),
    "a key is forgotten with its job within a day": Bug(
        "S2",
        SCHEMA,
        "CREATE TRIGGER planted AFTER UPDATE OF ended_clock ON jobs WHEN NEW.key IS NOT NULL"
        " BEGIN UPDATE jobs SET ended_clock = NEW.ended_clock - 86400 WHERE seq = NEW.seq; END",
        found_by=RETENTION,
    ),
    "of a batch what fits is taken": Bug(
        "S3",
        ADMISSION + "Admission._judged",
        "[was or refusal if spec is batch[-1] else was for spec, was in zip(batch, found)]",
        "found if refusal is None else [refusal] * len(batch)",
        BATCHES,
    ),
    "a batch is held against the limit as one job": Bug("S22", ADMISSION + "_full", "1", "len(batch)", BATCHES),
    "what was said of a job is not kept": Bug("S1", SCHEMA, _new_jobs("about = NULL"), found_by=ABOUT),
    "a batch has ended while its jobs run": Bug(
        "S1",
        "dispatcher/core/jobs/views/batches.py::batch_view",
        "tally.state in (JobState.SCHEDULED, JobState.QUEUED)",
        "tally.state not in SETTLED",
        "tests/node/waits/test_batches.py",
    ),
    # outcomes
    "a job succeeds without its result": Bug("S5", SCHEMA, _dropped("INSERT ON results"), found_by=REPORTS),
    "evidence is overwritten by a repetition": Bug(
        "S9", LEDGER + "_unheeded", "True", "attempt.evidence is None", DECISIONS
    ),
    "the oldest late answer is adopted": Bug(
        "S9", _APPLIER + "commands.py::evidence", "kept[0]", "kept[-1]", DECISIONS
    ),
    # the person at the page is asked about a job in doubt
    "a page settles the doubt of another worker": Bug(
        "S15b",
        _APPLIER + "commands.py::_answered",
        "job.attempt != command.attempt",
        "(job.attempt, job.worker) != (command.attempt, command.worker)",
        DECISIONS,
    ),
    "a page answers for an attempt that is not in doubt any more": Bug(
        "S15b",
        _APPLIER + "commands.py::_answered",
        "job.worker != command.worker",
        "(job.attempt, job.worker) != (command.attempt, command.worker)",
        DECISIONS,
    ),
    # a decision is taken back
    "a decision is taken back after its day": Bug(
        "S15b", LEDGER + "is_reopenable", "True", "now_at - at <= REOPEN_S", DECISIONS
    ),
    "a result that was taken back is still there": Bug(
        "S15b", LEDGER + "reopen", "pass", "writes.withdraw(job.seq)", DECISIONS
    ),
    "what no person has decided is taken back": Bug(
        "S15b", LEDGER + "is_reopenable", "True", "job.reason == DECIDED", DECISIONS
    ),
    "late results count although they must not": Bug(
        "S9", LEDGER + "settle", "True", "late_accept or job.state not in WAITING", REPORTS
    ),
    "what has won is not known again": Bug("S10", LEDGER + "_won", "return False", found_by=REPORTS),
    "what became of an attempt is not kept": Bug("S10", SCHEMA, _dropped("INSERT ON attempts"), found_by=REPORTS),
    "a line that is said again is recorded again": Bug(
        "S10", LEDGER + "_add_line", "False", "report.n <= (attempt.last_line or 0)", _T + "test_contract_log.py"
    ),
    # times and order
    "an expiry is not kept": Bug("S15", SCHEMA, _new_jobs("expires_at = NULL"), found_by=TIME),
    "a delayed job is due at once": Bug(
        "S15", SCHEMA, _new_jobs("run_at = 0.0", "NEW.state = 'scheduled'"), found_by=TIME
    ),
    "of equal priority the newest comes first": Bug("S16", SCHEMA, _new_jobs("rank = rank - seq"), found_by=TURNS),
    "the queue clock begins anew with each run": Bug(
        "S17",
        SCHEMA,
        "CREATE TRIGGER planted AFTER UPDATE ON meta WHEN NEW.name = 'queue_clock'"
        " BEGIN UPDATE meta SET value = 0.0 WHERE name = NEW.name; END",
        found_by=TIME,
    ),
    "a backoff follows the wall clock": Bug("S32", LEDGER + "clocked", "", "job.backoff_until = _", TIME),
    "results age by the wall clock": Bug(
        "S32",
        LEDGER + "clocked",
        "job.ended_clock = now_at if job.state in FINAL else None",
        "job.ended_clock = _",
        RETENTION,
    ),
    # the disk
    "the reserve is not given up": Bug("S23", RESERVE + "_remove", "pass", found_by=FULL),
    "damage is not looked for": Bug(
        "S23", _SQLITE + "file.py::_check", "False", "fault != 'ok'", _T + "sqlite/test_file.py"
    ),
    # webhooks, and orders to workers
    "a change is told and its message is not kept": Bug(
        "S36", SCHEMA, _dropped("INSERT ON messages"), found_by=WEBHOOKS
    ),
    "what operators say of a worker is forgotten": Bug("S38", SCHEMA, _dropped("INSERT ON kept"), found_by=KEPT),
    "what operators say of a type is forgotten": Bug("S40", SCHEMA, _dropped("INSERT ON kept_types"), found_by=KEPT),
    # retention
    "a purge removes jobs that wait": Bug("S24", SCHEMA, _new_jobs("ended_clock = -1e9"), found_by=RETENTION),
    "a purge leaves tags behind": Bug("S24", SCHEMA, _dropped("DELETE ON job_tags"), found_by=FILTERS),
    "a purge leaves attempts behind": Bug("S24", SCHEMA, _dropped("DELETE ON attempts"), found_by=RETENTION),
    "counts are not kept": Bug("I2", SCHEMA, _dropped("INSERT ON tallies"), found_by=INTAKE + " " + READS),
    # several nodes
    "a node whose life is over goes on writing": Bug(
        "S26",
        _TURN_SQL,
        "WHERE node = %(node)s\nRETURNING",
        "WHERE node = %(node)s AND epoch = %(epoch)s\nRETURNING",
        GONE,
    ),
    "a node counts as gone for one that was silent itself": Bug(
        "S26",
        _POSTGRES + "queries/others.sql",
        "AND o.seen_at < clock_timestamp() - {{",
        "AND greatest(o.seen_at, m.since) < clock_timestamp() - {{",
        GONE,
    ),
    "a ready job is taken without its lock": Bug(
        "S25", _TURN_SQL, "LIMIT g.most\n) AS r", "LIMIT g.most FOR UPDATE OF j SKIP LOCKED\n) AS r", NODES
    ),
    "whatever any node says of an attempt counts": Bug(
        "S25", _POSTGRES + "rows.py::PostgresRows._elsewhere", "return frozenset()", found_by=GONE
    ),
    "a registration that was long on its way moves what its page has elsewhere": Bug(
        "S25", _POSTGRES + "queries/others.sql", "p.session < 0", "p.session > 0", "tests/node/test_two_nodes.py"
    ),
    "a COMMIT whose answer was lost counts as one that has not happened": Bug(
        "S27", _POSTGRES + "rows.py::PostgresRows._happened", "return False", found_by=_T + "postgres/test_away.py"
    ),
    "a listener that was cut off does not look at what it has missed": Bug(
        "S27", _POSTGRES + "hints.py::HintListener._hear", "None", "self._tell(Hint())", _T + "postgres/test_hints.py"
    ),
}

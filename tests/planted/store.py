"""Bugs in the stores: the turn's transaction, rows, the file. The contract suite must find nearly all of them."""

from __future__ import annotations

from tests.planted.bug import Bug

__all__ = ["BUGS"]

STORE, IN_SQLITE = "dispatcher/store/", "dispatcher/store/sqlite/"
TURN, MEMORY, TAKING, TAKERS = STORE + "applier.py", STORE + "memory.py", STORE + "admission.py", STORE + "takers.py"
ITEMS, ATTEMPTS, COMMANDS = STORE + "items.py", STORE + "attempts.py", STORE + "commands.py"
SQLITE, ROWS, SQL = IN_SQLITE + "store.py", IN_SQLITE + "rows.py", IN_SQLITE + "statements.py"
FILE, SPACE, THREAD = IN_SQLITE + "file.py", IN_SQLITE + "space.py", IN_SQLITE + "thread.py"
LEDGER = "dispatcher/core/jobs/ledger.py"

_T = "tests/store/"
TURNS = _T + "test_contract.py"
INTAKE = _T + "test_contract_intake.py"
BATCHES = _T + "test_contract_batches.py"
REPORTS = _T + "test_contract_reports.py"
ORDERS = _T + "test_contract_commands.py"
DECISIONS = _T + "test_contract_decisions.py"
IDS = _T + "test_attempts.py"
COMMIT = _T + "sqlite/test_commit.py"
READS = _T + "test_contract_reads.py"
TIME = _T + "test_contract_time.py"
RETENTION = _T + "test_contract_retention.py"
ROLLED_BACK = _T + "sqlite/test_rolled_back.py"
FULL = _T + "sqlite/test_full.py"
OPENING = _T + "sqlite/test_file.py"
LOCK = _T + "sqlite/test_lock.py"

BUGS = {
    # the rules of a turn
    "nobody wakes a job after its backoff": Bug(TURN, "            self._expect(job.run_at)\n", "            pass\n"),
    "expired jobs are offered": Bug(TURN, "self._rows.overdue(now_at, SWEEP)", "[]"),
    "a decision is taken for any running job": Bug(
        COMMANDS, "return job.state is JobState.IN_DOUBT", "return job.state in ('in_doubt', 'queued')"
    ),
    "commands come before the reports of their turn": Bug(
        TURN,
        "        verdicts = self._settle(turn)\n"
        "        commands = [self._command(command, turn.now_at, finished) for command in turn.commands]\n",
        "        commands = [self._command(command, turn.now_at, finished) for command in turn.commands]\n"
        "        verdicts = self._settle(turn)\n",
        REPORTS,
    ),
    "what has become due comes after the claims": Bug(
        TURN,
        "        swept = last and (self._sweep(turn.now_at, finished) | self._purge(turn.elapsed_s))\n"
        "        claims = self._claim(turn, finished)\n",
        "        claims = self._claim(turn, finished)\n"
        "        swept = last and (self._sweep(turn.now_at, finished) | self._purge(turn.elapsed_s))\n",
        TIME,
    ),
    "a key is looked up among the new jobs only": Bug(
        TURN, "self._rows.jobs_by_key({spec.key for spec in specs if spec.key is not None})", "{}", INTAKE
    ),
    "the limit of the queue forgets the jobs of its own turn": Bug(
        TURN, "jobs = self._open + sum(move.jobs for move in moves)", "jobs = self._open", INTAKE
    ),
    "of a batch what fits is taken": Bug(
        TAKING,
        "return found if refusal is None else [refusal] * len(batch)",
        "return [was or refusal if spec is batch[-1] else was for spec, was in zip(batch, found)]",
        BATCHES,
    ),
    "a batch is held against the limit as one job": Bug(TAKING, "held.jobs + len(batch) >", "held.jobs + 1 >", BATCHES),
    "the bytes of a batch are those of its first job": Bug(
        TAKING, "for spec in batch) > limits.queue_bytes", "for spec in batch[:1]) > limits.queue_bytes", BATCHES
    ),
    "of a batch that was purged in part the rest is taken": Bug(
        TAKING, "_PARTLY_KNOWN if known else _full(", "_full(", BATCHES
    ),
    "two batches of one turn are one": Bug(
        TAKING, "groupby(specs, lambda spec: spec.batch)", "groupby(specs, lambda spec: spec.batch and 1)", BATCHES
    ),
    "where one job of a batch cannot be stored the others are": Bug(
        STORE + "items.py",
        "for batch in batches(turn.submissions):",
        "for batch in ([spec] for spec in turn.submissions):",
        BATCHES,
    ),
    "jobs that have ended fill the queue": Bug(
        TURN, "            if key[1] in OPEN:\n", "            if move.jobs > 0:\n", INTAKE
    ),
    "an expired job is claimed when a sweep was not enough": Bug(
        TURN, "if job.expires_at is not None and job.expires_at <= turn.now_at:", "if False:", TIME
    ),
    "a sweep that was not enough does not ask for another": Bug(
        TURN, "return len(due) >= SWEEP or len(overdue) == SWEEP", "return False", TIME
    ),
    "a job goes to a pool that has no room": Bug(TAKERS, "self._rooms[place] -= 1", "pass", TURNS),
    "a job goes to the last pool that can take it": Bug(
        TAKERS, "line.entries[line.place] < found", "line.entries[line.place] > found", TURNS
    ),
    "lanes are taken one after the other, not by rank": Bug(
        TAKERS,
        "heapq.merge(*(_in_order(rows, lane, name, first, takers) for lane, name in lanes))",
        "(job for lane, name in lanes for job in _in_order(rows, lane, name, first, takers))",
        TURNS,
    ),
    "the attempt before is what a claim says of its worker": Bug(
        TURN, "reversed(self._rows.attempts_of(job.seq))", "self._rows.attempts_of(job.seq)", TURNS
    ),
    "the queue clock stands still within a run": Bug(
        TURN, "self._clock_base + turn.elapsed_s", "self._clock_base", TIME
    ),
    # what is kept in memory between turns
    "a backoff follows the wall clock": Bug(
        LEDGER, "job.backoff_until = queue_clock + (job.run_at or 0.0) - now_at if backs_off else None", "pass", TIME
    ),
    "a turn that was rolled back stays in the counts": Bug(
        TURN, "        self._moves.clear()\n        self._touched = set()\n", "", ROLLED_BACK
    ),
    "what was due is forgotten with the turn that was rolled back": Bug(
        TURN, "self._next_due_at, self._next_backoff = self._due_before", "pass", ROLLED_BACK
    ),
    "a lane that was rolled back is believed to be there": Bug(
        SQLITE, 'self._rows.reload()\n            self._db.execute("BEGIN', 'self._db.execute("BEGIN', INTAKE
    ),
    "counts are not stored with their turn": Bug(TURN, "        self._rows.save_tallies(changed)\n", "", READS),
    "the queue clock begins anew with each run": Bug(
        SQLITE, 'queue_clock=meta["queue_clock"]', "queue_clock=0.0", TIME
    ),
    "a restart forgets what will become due": Bug(
        SQLITE, "next_due_at=self._rows.next_due_at()", "next_due_at=None", TIME
    ),
    "sequence numbers begin anew with each run": Bug(
        ROWS, "self._seq = self._db.execute(sql.LAST_SEQ).fetchone()[0] or 0", "pass", READS
    ),
    # item by item
    "what cannot be stored stays half in the file": Bug(
        SQLITE, '            self._db.execute("ROLLBACK TO item")\n', "", INTAKE
    ),
    "an item's counts are forgotten with the next one that is refused": Bug(
        SQLITE,
        '        self._db.execute("RELEASE item")\n        self._applier.committed()\n',
        '        self._db.execute("RELEASE item")\n',
        INTAKE,
    ),
    "a turn that is applied item by item claims nothing": Bug(
        ITEMS, "_part(turn, demand=turn.demand)", "_part(turn)", INTAKE
    ),
    "a report that cannot be stored is answered as recorded": Bug(ITEMS, "Verdict.REFUSED", "Verdict.RECORDED", INTAKE),
    "in memory, a refused item leaves its lane": Bug(
        MEMORY,
        "            self._applier.forget()\n            self.rows.forget()\n",
        "            self._applier.forget()\n",
        INTAKE,
    ),
    # rows
    "a result is not written": Bug(ROWS, "        self._write(sql.ADD_RESULTS, changes.results)\n", "", REPORTS),
    "of a large turn only the first rows are written": Bug(
        ROWS,
        "for start in range(0, len(rows), _MOST_ROWS):",
        "for start in range(0, min(len(rows), _MOST_ROWS), _MOST_ROWS):",
        TURNS,
    ),
    "what was written of an attempt is forgotten while it is current": Bug(
        TURN,
        "current_attempts(jobs.values(), named) | self._rows.attempts(named)",
        "self._rows.attempts(named) | current_attempts(jobs.values(), named)",
        REPORTS,
    ),
    "a lane's order is that of submission": Bug(SQL, "ORDER BY rank, seq LIMIT ?", "ORDER BY seq LIMIT ?", TURNS),
    "a retry leaves the expiry": Bug(SQL, ', "expires_at")\n', ",)\n", TIME),
    "a type's first offer is overwritten by the next": Bug(
        SQL, "WHERE offered_at IS NULL AND lane", "WHERE lane", ORDERS
    ),
    "after a restart an attempt that was started has a number too many": Bug(
        SQL, "j.number + (a.started_at IS NULL)", "j.number + 1", READS
    ),
    "attempts of cancelled jobs are live after a restart": Bug(
        SQL, "WHERE j.state = 'running' ORDER BY", "WHERE j.attempt IS NOT NULL ORDER BY", READS
    ),
    "the oldest late answer is adopted": Bug(COMMANDS, "kept[-1]", "kept[0]", DECISIONS),
    "attempts are sorted by their secret": Bug(ATTEMPTS, '{claims:06x}-{secret}"', '{secret}"', IDS),
    "a list of attempts shows the oldest": Bug(SQL, "ORDER BY a.id DESC LIMIT ?", "ORDER BY a.id LIMIT ?", READS),
    "in memory, a lane's order is that of queueing": Bug(
        MEMORY,
        "bisect.insort(self._ready.setdefault(job.lane, []), (job.rank, job.seq))",
        "self._ready.setdefault(job.lane, []).append((job.rank, job.seq))",
        TURNS,
    ),
    "in memory, a row that was read is the store's own": Bug(
        MEMORY, "return {seq: replace(self.by_seq[seq]) for", "return {seq: self.by_seq[seq] for", TURNS + " " + REPORTS
    ),
    "an attempt's id is not padded": Bug(ATTEMPTS, "{claims:06x}", "{claims:x}", IDS),
    "a job in doubt can be decided once it runs again": Bug(
        COMMANDS, "return job.state is JobState.IN_DOUBT", "return job.state in ('in_doubt', 'running')", DECISIONS
    ),
    "late results count although they must not": Bug(
        LEDGER, "current and (late_accept or job.state not in WAITING)", "current", REPORTS
    ),
    "where late results do not count nothing settles a job in doubt": Bug(
        LEDGER, "late_accept or job.state not in WAITING", "late_accept or job.state is JobState.RUNNING", REPORTS
    ),
    "evidence is overwritten by a repetition": Bug(
        "dispatcher/core/jobs/ledger.py", "if attempt.evidence is None and report.value", "if report.value", DECISIONS
    ),
    # retention
    "a purge removes jobs that wait": Bug(SQL, "WHERE j.ended_clock < ?", "WHERE j.created_at > ?", RETENTION),
    "a purge leaves the counts": Bug(
        TURN,
        "            move.jobs -= 1\n            move.bytes -= job.size\n        if rows:",
        "        if rows:",
        RETENTION,
    ),
    "a purge leaves attempts behind": Bug(
        ROWS, "self._db.executemany(sql.PURGE_ATTEMPTS, [attempt_range(seq) for seq in seqs])", "pass", RETENTION
    ),
    "a purge leaves results behind": Bug(SQL, '("results", "seq"), ', "", RETENTION),
    "a key is forgotten with its job within a day": Bug(TURN, "KEY_S = 86_400.0", "KEY_S = 0.0", RETENTION),
    "a purge does not come back for the rest": Bug(
        TURN, "        if len(rows) == PURGE:\n            return True\n", "", RETENTION
    ),
    # the file, its transaction and its disk
    "a turn is answered before it is committed": Bug(
        SQLITE,
        '        self._db.execute("COMMIT")\n        self._applier.committed()\n',
        "        self._applier.committed()\n"
        '        self._thread._queue.put((lambda: self._db.execute("COMMIT"), self._thread._loop.create_future()))\n',
        COMMIT,
    ),
    "a commit does not wait for the disk": Bug(
        FILE,
        '    "synchronous = FULL",',
        '    "synchronous = NORMAL",',
        LOCK,
    ),
    "a second server may have the file, too": Bug(FILE, '    "locking_mode = EXCLUSIVE",\n', "", LOCK),
    "a migration is not one transaction": Bug(
        FILE,
        'f"BEGIN IMMEDIATE;\\n{text}\\nPRAGMA user_version = {number};\\nCOMMIT;"',
        'f"{text}\\nPRAGMA user_version = {number};"',
        OPENING,
    ),
    "a file that was emptied is a new store": Bug(FILE, "if path.stat().st_size == 0:", "if False:", OPENING),
    "a store that another server has just made is replaced": Bug(
        FILE, "os.link(draft, path)", "draft.replace(path)", OPENING
    ),
    "damage is not looked for": Bug(FILE, 'if fault != "ok":', "if False:", OPENING),
    "any trouble of the store is taken for a full disk": Bug(
        SQLITE,
        'if getattr(error, "sqlite_errorname", "") != "SQLITE_FULL":',
        "if False:",
        COMMIT,
    ),
    "on a full disk jobs go on being claimed": Bug(
        SQLITE,
        "return self._without_new_jobs(turn, demand=[])",
        "return self._without_new_jobs(turn, demand=turn.demand)",
        FULL,
    ),
    "with little room on the disk jobs are taken": Bug(SQLITE, "if self._reserve.low():", "if False:", FULL),
    "the reserve is not taken again": Bug(
        SPACE, "            return True\n        self.fill()\n", "            return True\n", FULL
    ),
    "the reserve is not given up": Bug(SPACE, "self._ballast.unlink(missing_ok=True)", "pass", FULL),
    "an error in the store's thread goes unsaid": Bug(
        THREAD, "                error = raised\n", "                pass\n", READS + " " + FULL
    ),
    # what the gateway keeps in memory, and the narrow write of a claim
    "rows kept in memory outlive a rollback": Bug(ROWS, "        self._running.clear()\n\n", "\n", INTAKE),
    "the row of a cancelled job stays in memory as it was": Bug(
        ROWS, "                self._running.pop(seq, None)\n", "                pass\n", ORDERS
    ),
    "a claim does not write that the job runs": Bug(
        SQL, 'CLAIMED = ("state", "attempt",', 'CLAIMED = ("attempt",', TURNS
    ),
}

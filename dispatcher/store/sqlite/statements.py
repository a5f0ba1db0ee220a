"""The SQL of the SQLite store, named. A set of rows is one statement.

Why sets: the store's thread and the loop's thread share the interpreter lock, and each statement hands it over
twice; beside a busy loop 128 rows took 290 to 330 ms one by one and 34 to 67 ms as one statement (docs/design.md).
Keys travel as one JSON text; rows as ``VALUES``, in a few sizes so that the statements stay prepared.
"""

from __future__ import annotations

from functools import lru_cache

from dispatcher.core.jobs.keys import KEY_MARK
from dispatcher.store.columns import ATTEMPT_COLUMNS, CHANGING, CLAIMED, DONE, JOB_COLUMNS


@lru_cache(maxsize=256)
def for_rows(statement: str, columns: int, rows: int) -> str:
    """A statement with ``{rows}`` filled in for that many rows of that many columns."""
    row = f"({', '.join('?' * columns)})"
    return statement.format(rows=", ".join([row] * rows))


def _list(columns: tuple[str, ...], prefix: str = "") -> str:
    return ", ".join(f"{prefix}{name}" for name in columns)


def _update(columns: tuple[str, ...]) -> str:
    """Rows are a job's seq, then ``columns``."""
    changes = ", ".join(f"{name} = r.column{number}" for number, name in enumerate(columns, start=2))
    return f"UPDATE jobs SET {changes} FROM (VALUES {{rows}}) AS r WHERE jobs.seq = r.column1"  # noqa: S608


def _update_one(columns: tuple[str, ...]) -> str:
    changes = ", ".join(f"{name} = ?{number}" for number, name in enumerate(columns, start=2))
    return f"UPDATE jobs SET {changes} WHERE seq = ?1"  # noqa: S608


_JOBS = _list(JOB_COLUMNS, "j.")
_ATTEMPTS = _list(ATTEMPT_COLUMNS, "a.")
_KEYS = "(SELECT value FROM json_each(?))"

# Reads of a turn
ATTEMPTS_BY_ID = f"SELECT {_ATTEMPTS} FROM attempts a WHERE a.id IN {_KEYS}"  # noqa: S608
JOBS_BY_SEQ = f"SELECT {_JOBS} FROM jobs j WHERE j.seq IN {_KEYS}"  # noqa: S608
JOBS_BY_ID = f"SELECT {_JOBS} FROM jobs j WHERE j.id IN {_KEYS}"  # noqa: S608
JOBS_BY_KEY = f"SELECT {_JOBS} FROM jobs j WHERE j.key IN {_KEYS}"  # noqa: S608
DATA = f"SELECT seq, data FROM job_data WHERE seq IN {_KEYS}"  # noqa: S608
CLAIMABLE = f"SELECT d.data, {_JOBS} FROM jobs j JOIN job_data d ON d.seq = j.seq WHERE j.seq IN {_KEYS}"  # noqa: S608
READY = f"""
    SELECT d.data, {_JOBS} FROM jobs j JOIN job_data d ON d.seq = j.seq
    WHERE j.lane = ? AND j.state = 'queued' ORDER BY j.rank, j.seq LIMIT ?
"""  # noqa: S608
#: The first jobs of several lanes: (lane, rank, seq). The index jobs_ready alone answers it.
HEADS = """
    SELECT q.lane, q.rank, q.seq FROM json_each(?1) AS l JOIN jobs AS q ON q.seq IN (
        SELECT seq FROM jobs WHERE lane = l.value AND state = 'queued' ORDER BY rank, seq LIMIT ?2
    )
"""
#: Of several lanes: (lane, since when its first job has been ready).
FIRST_IN_LINE = """
    SELECT q.lane, coalesce(q.ready_at, q.created_at) FROM json_each(?1) AS l JOIN jobs AS q ON q.seq = (
        SELECT seq FROM jobs WHERE lane = l.value AND state = 'queued' ORDER BY rank, seq LIMIT 1
    )
"""
PLACE_OF = "SELECT lane, rank, seq FROM jobs WHERE id = ? AND state = 'queued'"
#: How many jobs go before such a place in their lane, at most so many, and those of them that came later: the index
#: jobs_ready alone answers it.
BEFORE = """
    SELECT count(*), coalesce(sum(seq > ?3), 0) FROM (
        SELECT seq FROM jobs WHERE lane = ?1 AND state = 'queued' AND (rank, seq) < (?2, ?3)
        ORDER BY rank, seq LIMIT ?4
    )
"""
DUE = (
    f"SELECT {_JOBS} FROM jobs j WHERE j.state = 'scheduled' AND j.backoff_until IS NULL AND j.run_at <= ? "  # noqa: S608
    "ORDER BY j.run_at LIMIT ?"
)
BACKED_OFF = (
    f"SELECT {_JOBS} FROM jobs j WHERE j.backoff_until IS NOT NULL AND j.backoff_until <= ? "  # noqa: S608
    "ORDER BY j.backoff_until LIMIT ?"
)
#: The first one after an instant: what is due before it has been read.
NEXT_BACKOFF = "SELECT min(backoff_until) FROM jobs WHERE backoff_until > ?"
OVERDUE = (
    f"SELECT {_JOBS} FROM jobs j WHERE j.expires_at IS NOT NULL AND j.state IN ('scheduled', 'queued') "  # noqa: S608
    "AND j.expires_at <= ? ORDER BY j.expires_at LIMIT ?"
)
NEXT_DUE = """
    SELECT min(instant) FROM (
        SELECT min(run_at) AS instant FROM jobs WHERE state = 'scheduled' AND backoff_until IS NULL AND run_at > ?1
        UNION ALL
        SELECT min(expires_at) FROM jobs WHERE expires_at > ?1 AND state IN ('scheduled', 'queued')
    )
"""

#: Two statements, so that each reads only jobs that may go, however many of the other kind lie before them.
OUTLIVED = [
    f"SELECT {_JOBS} FROM jobs j WHERE j.ended_clock < ? AND j.key IS {kind} ORDER BY j.ended_clock LIMIT ?"  # noqa: S608
    for kind in ("NULL", "NOT NULL")
]
PURGE = [
    f"DELETE FROM {table} WHERE {column} IN {_KEYS}"  # noqa: S608
    for table, column in (("jobs", "seq"), ("job_data", "seq"), ("results", "seq"), ("logs", "job"))
]
PURGE_ATTEMPTS = "DELETE FROM attempts WHERE id BETWEEN ? AND ?"

# Writes of a turn; {rows} are as many as there are, some perhaps twice (see writing.write_rows)
ADD_JOBS = f"INSERT INTO jobs (lane, {_list(JOB_COLUMNS)}) VALUES {{rows}} ON CONFLICT (seq) DO NOTHING"  # noqa: S608
ADD_DATA = "INSERT OR REPLACE INTO job_data (seq, data) VALUES {rows}"
SAVE_JOBS = _update(CHANGING)
SAVE_CLAIMS = _update(CLAIMED)
SAVE_DONE = _update(DONE)
SAVE_TERMS = _update(("lane", "terms"))
SAVE_ABOUT = _update(("about",))
#: The same of one row, as most are of a store with one page: without a join it takes a third less.
OF_ONE = {_update(columns): _update_one(columns) for columns in (CHANGING, CLAIMED, DONE)}
SAVE_ATTEMPTS = f"INSERT OR REPLACE INTO attempts ({_list(ATTEMPT_COLUMNS)}) VALUES {{rows}}"  # noqa: S608
ADD_RESULTS = "INSERT OR REPLACE INTO results (seq, value) VALUES {rows}"
REMOVE_RESULT = "DELETE FROM results WHERE seq = ?"
ADD_TAGS = "INSERT OR REPLACE INTO job_tags (tag, seq) VALUES {rows}"
REMOVE_TAG = "DELETE FROM job_tags WHERE tag = ? AND seq = ?"
#: (job, attempt, at, line); the line gets the next number of its job.
ADD_LOG = """INSERT INTO logs (job, line_no, attempt, at, line)
    VALUES (?1, coalesce((SELECT max(line_no) FROM logs WHERE job = ?1), 0) + 1, ?2, ?3, ?4)"""
#: All lines of a job but its newest ones: (job, how many are kept).
TRIM_LOG = """DELETE FROM logs WHERE job = ?1 AND line_no <=
    (SELECT max(line_no) FROM logs WHERE job = ?1) - ?2"""
ADD_LANE = "INSERT INTO lanes (name, type) VALUES (?, ?) RETURNING lane"
FORGET_LANES = [f"DELETE FROM {table} WHERE lane IN {_KEYS}" for table in ("lanes", "tallies")]  # noqa: S608
MARK_OFFERED = "UPDATE lanes SET offered_at = ? WHERE lane = ?"
SAVE_TALLIES = "INSERT OR REPLACE INTO tallies (lane, state, jobs, bytes) VALUES {rows}"
#: Takes (queue clock, epoch); it saves only in the life that has begun last.
SAVE_CLOCK = """
    UPDATE meta SET value = ?1 WHERE name = 'queue_clock' AND (SELECT value FROM meta WHERE name = 'epoch') = ?2
    RETURNING 1
"""

# Reads for people and programs
#: Of three roll calls the places of their signs, and of those of the day before: see core.jobs.habits.is_usual.
_USUAL = " AND ".join(
    f"(substr(habit, ?{at}, 1) = '1' OR (substr(habit, ?{at}, 1) = '-' AND substr(habit, ?{at + 1}, 1) = '1'))"
    for at in (1, 3, 5)
)
USUAL = f"SELECT count(*), count(gone_at) FROM workers WHERE {_USUAL}"  # noqa: S608
#: The same, and how many.
USUAL_GONE = f"""
    SELECT name, gone_at FROM workers WHERE gone_at IS NOT NULL AND {_USUAL} ORDER BY gone_at DESC, place, name LIMIT ?7
"""  # noqa: S608
META = "SELECT name, value FROM meta"
LANES = "SELECT lane, name, type, offered_at FROM lanes"
TALLIES = "SELECT lane, state, jobs, bytes FROM tallies"
LAST_SEQ = "SELECT max(seq) FROM jobs"
KEEP_LAST_SEQ = """
    INSERT INTO meta (name, value) VALUES ('last_seq', ?)
    ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)
"""
STANDING = f"SELECT id, type, state, owner FROM jobs WHERE id IN {_KEYS}"  # noqa: S608
STATE_OF = "SELECT state FROM jobs WHERE id = ?"
ONE_JOB = f"""
    SELECT {_JOBS}, d.data, r.value
    FROM jobs j LEFT JOIN job_data d ON d.seq = j.seq LEFT JOIN results r ON r.seq = j.seq WHERE j.id = ?
"""  # noqa: S608
ATTEMPTS_OF = f"SELECT {_ATTEMPTS} FROM attempts a WHERE a.id BETWEEN ? AND ? ORDER BY a.id DESC LIMIT ?"  # noqa: S608
#: When the newest attempts of some jobs ended; takes ``[seq, range of the ids of its attempts]`` of each.
STOPS_OF = """
    SELECT p.value ->> 0, (
        SELECT a.ended_at FROM attempts a WHERE a.id BETWEEN p.value ->> 1 AND p.value ->> 2 ORDER BY a.id DESC LIMIT 1
    )
    FROM json_each(?) AS p
"""
LOGS_OF = """
    SELECT l.line_no, l.at, l.line, a.number FROM logs l LEFT JOIN attempts a ON a.id = l.attempt
    WHERE l.job = ? ORDER BY l.line_no DESC LIMIT ?
"""
LIVE = """
    SELECT j.attempt, j.id, j.type, j.number + (a.started_at IS NULL), a.started_at, j.terms, j.errors, j.crashes,
           coalesce(a.worker, ''), coalesce(a.boot, '')
    FROM jobs j LEFT JOIN attempts a ON a.id = j.attempt
    WHERE j.state = 'running' ORDER BY j.seq DESC LIMIT ?
"""
#: States that an index finds among millions of others (migration 0003).
RARE = ("failed", "cancelled", "expired", "in_doubt")
#: The index's own condition, word for word: else SQLite does not see that the index holds all that is asked for.
_IS_RARE = " OR ".join(f"j.state = '{state}'" for state in RARE)
_LISTED = """
    j.seq < ?1 AND j.seq >= ?2 AND (?4 IS NULL OR j.type = ?4) AND (?5 IS NULL OR j.worker_name = ?5)
    AND (?6 IS NULL OR j.lane IN (SELECT value FROM json_each(?6)))
    AND (?7 IS NULL OR (json_valid(j.error) AND j.error ->> '$.code' = ?7))
    AND (?8 IS NULL OR j.created_at >= ?8) AND (?9 IS NULL OR j.created_at < ?9)
    AND (?10 IS NULL OR j.ended_at >= ?10) AND (?11 IS NULL OR j.ended_at < ?11) AND (?13 IS NULL OR j.owner = ?13)
"""
#: Takes one state; ``LIST_JOBS`` a JSON list of them.
LIST_RARE = f"""
    SELECT {_JOBS} FROM jobs j INDEXED BY jobs_rare WHERE j.state = ?3 AND ({_IS_RARE}) AND {_LISTED}
    ORDER BY j.seq DESC LIMIT ?12
"""  # noqa: S608
LIST_JOBS = f"""
    SELECT {_JOBS} FROM jobs j WHERE (?3 IS NULL OR j.state IN (SELECT value FROM json_each(?3))) AND {_LISTED}
    ORDER BY j.seq DESC LIMIT ?12
"""  # noqa: S608
#: The places of the next jobs: (below, most).
OF_ALL = "SELECT seq FROM jobs WHERE seq < ? ORDER BY seq DESC LIMIT ?"
#: The places of the next jobs that a tag, a batch, a key or an owner names, newest first: (name, below, most).
OF_TAG = "SELECT seq FROM job_tags WHERE tag = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3"
OF_OWNER = "SELECT seq FROM jobs WHERE owner = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3"
OF_BATCH = "SELECT seq FROM jobs WHERE batch = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3"
#: A JSON list of ids for a name.
OF_IDS = "SELECT seq FROM jobs WHERE id IN (SELECT value FROM json_each(?1)) AND seq < ?2 ORDER BY seq DESC LIMIT ?3"
#: Ids that begin or end with a text; down to a place, which is the third.
OF_PART = """
    SELECT seq FROM jobs
    WHERE seq < ?2 AND seq >= ?3 AND (substr(id, 1, length(?1)) = ?1 OR substr(id, -length(?1)) = ?1)
"""
#: The keys of a batch's jobs begin with its own (core/jobs/views/batches.py).
OF_KEY = f"""
    SELECT seq FROM (
        SELECT seq FROM jobs WHERE key = ?1
        UNION ALL SELECT seq FROM jobs WHERE key > ?1 || '{KEY_MARK}' AND key < ?1 || '{chr(ord(KEY_MARK) + 1)}'
    ) WHERE seq < ?2 ORDER BY seq DESC LIMIT ?3
"""  # noqa: S608
#: Of these jobs those that fit, also the batch and all of the tags.
LIST_NAMED = f"""
    SELECT {_JOBS} FROM jobs j
    WHERE j.seq IN (SELECT value FROM json_each(?14)) AND (?3 IS NULL OR j.state IN (SELECT value FROM json_each(?3)))
    AND {_LISTED} AND (?15 IS NULL OR j.batch = ?15) AND NOT EXISTS (
        SELECT 1 FROM json_each(?16) w WHERE NOT EXISTS (
            SELECT 1 FROM job_tags t WHERE t.tag = w.value AND t.seq = j.seq
        )
    )
    ORDER BY j.seq DESC LIMIT ?12
"""  # noqa: S608

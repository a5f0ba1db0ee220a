-- 0003: a job's terms stand in one column, so that a new term needs no migration; a lane is a type and what its jobs
-- require of a worker.
-- The table is made anew: to drop a column would write the whole table once for each.

CREATE TABLE jobs_3 (
    seq         INTEGER PRIMARY KEY,
    state       TEXT NOT NULL,
    rank        REAL,
    run_at      REAL,
    attempt     TEXT,
    claims      INTEGER NOT NULL,
    number      INTEGER NOT NULL,
    errors      INTEGER NOT NULL,
    crashes     INTEGER NOT NULL,
    reason      TEXT,
    detail      TEXT,
    error       TEXT,
    percent     REAL,
    note        TEXT,
    worker      TEXT,
    worker_name TEXT,
    offered_at  REAL,
    started_at  REAL,
    ended_at    REAL,
    backoff_until REAL,                   -- of the queue clock; set while it backs off
    ended_clock REAL,                     -- of the queue clock; set once it has ended
    id          TEXT NOT NULL UNIQUE,
    lane        INTEGER NOT NULL,
    type        TEXT NOT NULL,
    terms       TEXT NOT NULL,            -- JSON: dispatcher/core/jobs/terms.py
    size        INTEGER NOT NULL,
    expires_at  REAL,
    created_at  REAL NOT NULL,
    key         TEXT,
    fingerprint TEXT NOT NULL
) STRICT;

INSERT INTO jobs_3
SELECT seq, state, rank, run_at, attempt, claims, number, errors, crashes, reason, detail, error, percent, note,
       worker, worker_name, offered_at, started_at, ended_at, backoff_until, ended_clock, id, lane, type,
       json_object('priority', priority, 'timeout_s', timeout_s, 'max_attempts', max_attempts,
                   'max_crashes', max_crashes, 'heartbeat_s', heartbeat_s, 'effects', effects),
       size, expires_at, created_at, key, fingerprint
FROM jobs ORDER BY seq;

DROP TABLE jobs;
ALTER TABLE jobs_3 RENAME TO jobs;

CREATE INDEX jobs_ready ON jobs (lane, rank, seq) WHERE state = 'queued';
CREATE INDEX jobs_due ON jobs (run_at) WHERE state = 'scheduled' AND backoff_until IS NULL;
CREATE INDEX jobs_backing_off ON jobs (backoff_until) WHERE backoff_until IS NOT NULL;
CREATE INDEX jobs_expiring ON jobs (expires_at) WHERE expires_at IS NOT NULL AND state IN ('scheduled', 'queued');
CREATE INDEX jobs_outlived ON jobs (ended_clock) WHERE ended_clock IS NOT NULL AND key IS NULL;
CREATE INDEX jobs_outlived_keyed ON jobs (ended_clock) WHERE ended_clock IS NOT NULL AND key IS NOT NULL;
-- With OR: for an IN of more than two values SQLite makes a table, and searches it for each row that is written.
CREATE INDEX jobs_rare ON jobs (state, seq)
    WHERE state = 'failed' OR state = 'cancelled' OR state = 'expired' OR state = 'in_doubt';
CREATE UNIQUE INDEX jobs_key ON jobs (key) WHERE key IS NOT NULL;

-- A lane's name is its key (dispatcher/core/jobs/matching.py): its type alone if nothing is required.
CREATE TABLE lanes_3 (
    lane       INTEGER PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,
    type       TEXT NOT NULL,
    offered_at REAL                       -- of a lane that is a type alone: when a worker first offered it
) STRICT;

INSERT INTO lanes_3 SELECT lane, type, type, offered_at FROM lanes;
DROP TABLE lanes;
ALTER TABLE lanes_3 RENAME TO lanes;

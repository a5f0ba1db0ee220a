-- 0001: jobs, their data, results, attempts and log lines; lanes; counters; what the store knows of itself.
-- Old code with this schema: there is none. New code with an older schema: migrates at start.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value ANY
) STRICT, WITHOUT ROWID;

-- What a worker must match. Today the job's type; interned, so that matching can grow.
CREATE TABLE lanes (
    lane       INTEGER PRIMARY KEY,
    type       TEXT NOT NULL UNIQUE,
    offered_at REAL                       -- when a worker first offered it; NULL: none ever has
) STRICT;

CREATE TABLE jobs (
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
    id          TEXT NOT NULL UNIQUE,
    effects     TEXT NOT NULL,
    heartbeat_s REAL,
    lane        INTEGER NOT NULL,
    type        TEXT NOT NULL,
    priority    INTEGER NOT NULL,
    timeout_s   REAL NOT NULL,
    max_attempts INTEGER NOT NULL,
    max_crashes INTEGER NOT NULL,
    size        INTEGER NOT NULL,
    expires_at  REAL,
    created_at  REAL NOT NULL,
    key         TEXT,
    fingerprint TEXT NOT NULL
) STRICT;

CREATE INDEX jobs_ready ON jobs (lane, rank, seq) WHERE state = 'queued';
CREATE INDEX jobs_due ON jobs (run_at) WHERE state = 'scheduled';
CREATE INDEX jobs_expiring ON jobs (expires_at) WHERE expires_at IS NOT NULL AND state IN ('scheduled', 'queued');
CREATE INDEX jobs_ended ON jobs (ended_at) WHERE ended_at IS NOT NULL;
CREATE UNIQUE INDEX jobs_key ON jobs (key) WHERE key IS NOT NULL;

-- Apart from jobs, so that a change of state does not write the payload again.
CREATE TABLE job_data (seq INTEGER PRIMARY KEY, data TEXT NOT NULL) STRICT;
CREATE TABLE results (seq INTEGER PRIMARY KEY, value TEXT NOT NULL) STRICT;

-- An attempt's id begins with its job's seq and its claim, so a job's attempts lie side by side, oldest first.
CREATE TABLE attempts (
    id          TEXT PRIMARY KEY,
    job         INTEGER NOT NULL,
    number      INTEGER,
    worker      TEXT,
    worker_name TEXT,
    boot        TEXT,
    offered_at  REAL NOT NULL,
    started_at  REAL,
    ended_at    REAL,
    late_at     REAL,
    cause       TEXT,
    error       TEXT,
    evidence    TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE logs (
    line_no INTEGER PRIMARY KEY,
    job     INTEGER NOT NULL,
    attempt TEXT NOT NULL,
    at      REAL NOT NULL,
    line    TEXT NOT NULL
) STRICT;

CREATE INDEX logs_of_job ON logs (job, line_no);

-- Kept by the turn: how many jobs of a lane are in a state, and the bytes of their data.
CREATE TABLE tallies (
    lane  INTEGER NOT NULL,
    state TEXT NOT NULL,
    jobs  INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (lane, state)
) STRICT, WITHOUT ROWID;

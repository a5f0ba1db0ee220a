-- 0011: how jobs have ended, by type, minute and hour. Rows of one step lie side by side, whatever their type, so a
-- turn writes at the end of the table. And the defaults of types. Older code knows nothing of either.

CREATE TABLE endings (
    step_s    INTEGER NOT NULL,           -- 60 or 3600
    start     INTEGER NOT NULL,           -- UTC seconds
    type      TEXT NOT NULL,              -- '': all types
    succeeded INTEGER NOT NULL,
    failed    INTEGER NOT NULL,
    cancelled INTEGER NOT NULL,
    expired   INTEGER NOT NULL,
    wait      TEXT NOT NULL,              -- JSON: {bucket: count}
    run       TEXT NOT NULL,              -- the same
    PRIMARY KEY (step_s, start, type)
) STRICT, WITHOUT ROWID;

-- When the job became ready the last time; NULL: when it was made.
ALTER TABLE jobs ADD COLUMN ready_at REAL;

-- Jobs that ended up to this instant of the queue clock are counted. What had ended before is not.
INSERT INTO meta VALUES ('counted_clock', coalesce((SELECT value FROM meta WHERE name = 'queue_clock'), 0.0));

ALTER TABLE kept_types ADD COLUMN defaults TEXT;   -- JSON: {name of a term: value}; NULL: there are none

-- And tokens with which pages join, and the credential of each worker that has joined; rates of tokens.
-- Older code knows nothing of it; it refuses the newer schema as ever.

ALTER TABLE tokens ADD COLUMN labels TEXT NOT NULL DEFAULT '{}';      -- JSON: those of the pages that come with it
ALTER TABLE tokens ADD COLUMN uses INTEGER;                           -- NULL: it is no token for joining
ALTER TABLE tokens ADD COLUMN used INTEGER NOT NULL DEFAULT 0;        -- how many workers have joined with it
ALTER TABLE tokens ADD COLUMN jobs_per_minute INTEGER;                -- NULL: as many as there is room for

CREATE TABLE credentials (
    worker  TEXT PRIMARY KEY,
    token   TEXT NOT NULL,                -- the id of the token with which it has joined
    digests BLOB NOT NULL,                -- SHA-256, 32 bytes each, of those that were given last, the newest first
    at      REAL NOT NULL                 -- UTC: when it joined
) STRICT, WITHOUT ROWID;

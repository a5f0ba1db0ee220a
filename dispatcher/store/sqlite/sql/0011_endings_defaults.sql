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

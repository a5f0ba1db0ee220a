-- 0004: the names of workers that are here or have been, so that one that is missing is seen.
-- Older code knows nothing of this table; it refuses the newer schema as ever.

CREATE TABLE workers (
    name       TEXT PRIMARY KEY,
    place      TEXT NOT NULL,             -- the name in the form that sorts as people count
    gone_at    REAL,                      -- UTC; NULL: it is here
    gone_clock REAL                       -- the same by the queue clock: its age
) STRICT, WITHOUT ROWID;

CREATE INDEX workers_here ON workers (name) WHERE gone_at IS NULL;
CREATE INDEX workers_missing ON workers (place, name, gone_at) WHERE gone_at IS NOT NULL;
CREATE INDEX workers_outlived ON workers (gone_clock, name) WHERE gone_clock IS NOT NULL;

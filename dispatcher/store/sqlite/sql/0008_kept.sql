-- 0008: what operators have said of workers, by their ids. Older code knows nothing of it.

CREATE TABLE kept (
    worker  TEXT PRIMARY KEY,
    called  TEXT NOT NULL,                -- its name when somebody last said something of it
    name    TEXT NOT NULL,                -- '': the page's name stands
    labels  TEXT NOT NULL,                -- JSON: [[label, value], ...]
    note    TEXT NOT NULL,
    paused  TEXT,                         -- JSON: [at, by, reason, leaves]; NULL: it is not
    blocked TEXT                          -- the same
) STRICT, WITHOUT ROWID;

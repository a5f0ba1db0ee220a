-- 0010: what operators have said of types. Older code knows nothing of it.

CREATE TABLE kept_types (
    type   TEXT PRIMARY KEY,
    paused TEXT                           -- JSON: [at, by, reason, leaves]; NULL: it is not
) STRICT, WITHOUT ROWID;

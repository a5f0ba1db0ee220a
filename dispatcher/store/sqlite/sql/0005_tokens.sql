-- 0005: tokens of access. Of each the SHA-256 is kept, never the token itself.
-- Older code knows nothing of this table; it refuses the newer schema as ever.

CREATE TABLE tokens (
    id           TEXT PRIMARY KEY,
    digest       BLOB NOT NULL,
    name         TEXT NOT NULL,
    scopes       TEXT NOT NULL,           -- JSON: an array of names
    types        TEXT NOT NULL,           -- JSON: an array; empty: bound to no type
    made_by      TEXT NOT NULL,
    made_at      REAL NOT NULL,
    expires_at   REAL,                    -- UTC, as all instants here; NULL: never
    revoked_at   REAL,
    last_used_at REAL
) STRICT, WITHOUT ROWID;

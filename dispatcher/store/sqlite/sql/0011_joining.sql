-- 0011: tokens with which pages join, and the credential of each worker that has joined; rates of tokens.
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

-- 0010: what operators have said of types; and messages that go to an address of their own: the callback of a job.
-- Older code knows nothing of it.

CREATE TABLE kept_types (
    type   TEXT PRIMARY KEY,
    paused TEXT                           -- JSON: [at, by, reason, leaves]; NULL: it is not
) STRICT, WITHOUT ROWID;

ALTER TABLE messages ADD COLUMN url TEXT;          -- NULL: the endpoint's

CREATE INDEX messages_at ON messages (at) WHERE due IS NOT NULL;

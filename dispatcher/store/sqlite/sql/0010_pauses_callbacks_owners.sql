-- 0010: what operators have said of types; and messages that go to an address of their own: the callback of a job.
-- Older code knows nothing of it. And jobs are found by their owner, which is a part of what a job carries (0006).

CREATE TABLE kept_types (
    type   TEXT PRIMARY KEY,
    paused TEXT                           -- JSON: [at, by, reason, leaves]; NULL: it is not
) STRICT, WITHOUT ROWID;

ALTER TABLE messages ADD COLUMN url TEXT;          -- NULL: the endpoint's

CREATE INDEX messages_at ON messages (at) WHERE due IS NOT NULL;

ALTER TABLE jobs ADD COLUMN owner TEXT GENERATED ALWAYS AS (json_extract(about, '$.owner')) VIRTUAL;

-- Without the state: it is written once.
CREATE INDEX jobs_owner ON jobs (owner, seq) WHERE owner IS NOT NULL;

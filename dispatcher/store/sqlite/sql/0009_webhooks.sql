-- 0009: webhooks: who is told of changes, the messages that wait, what became of the attempts to send them.

CREATE TABLE endpoints (
    id         TEXT PRIMARY KEY,
    url        TEXT NOT NULL,
    events     TEXT NOT NULL,           -- JSON: an array of names
    types      TEXT NOT NULL,           -- JSON: an array; empty: all types
    secret     TEXT NOT NULL,           -- as it is: messages are signed with it
    old_secret TEXT,                    -- signs, too, until old_until (UTC, as all instants here but ``due``)
    old_until  REAL,
    enabled    INTEGER NOT NULL,
    reason     TEXT,                    -- why it is not enabled
    name       TEXT NOT NULL,
    made_by    TEXT NOT NULL,
    made_at    REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE messages (
    number   INTEGER PRIMARY KEY,
    id       TEXT NOT NULL UNIQUE,
    endpoint TEXT NOT NULL,             -- its id
    target   TEXT NOT NULL,             -- the messages of one target are sent some at a time: the endpoint's id
    event    TEXT NOT NULL,
    job      TEXT NOT NULL,
    body     TEXT NOT NULL,             -- what is sent, byte for byte
    at       REAL NOT NULL,
    attempts INTEGER NOT NULL,
    due      REAL                       -- an instant of the queue clock; NULL: the message is dead
) STRICT;

CREATE INDEX messages_due ON messages (target, due, number) WHERE due IS NOT NULL;
CREATE INDEX messages_dead ON messages (endpoint, number) WHERE due IS NULL;

CREATE TABLE deliveries (
    number   INTEGER PRIMARY KEY,
    message  TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    event    TEXT NOT NULL,
    job      TEXT NOT NULL,
    attempt  INTEGER NOT NULL,
    at       REAL NOT NULL,
    ms       INTEGER NOT NULL,
    status   INTEGER,                   -- NULL: there was no answer
    error    TEXT,
    outcome  TEXT NOT NULL              -- delivered, failed, dead
) STRICT;

CREATE INDEX deliveries_of ON deliveries (endpoint, number);
CREATE INDEX deliveries_bad ON deliveries (endpoint, number) WHERE outcome <> 'delivered';

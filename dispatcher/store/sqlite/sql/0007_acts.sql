-- 0007: the audit log: who has done what, and from where.

CREATE TABLE acts (
    number  INTEGER PRIMARY KEY AUTOINCREMENT,   -- no number comes twice, although old rows go
    at      REAL NOT NULL,                       -- UTC
    actor   TEXT NOT NULL,
    token   TEXT NOT NULL,                       -- '': none of the table tokens
    remote  TEXT NOT NULL,
    action  TEXT NOT NULL,
    target  TEXT NOT NULL,
    detail  TEXT NOT NULL,
    outcome TEXT NOT NULL,
    clock   REAL NOT NULL                        -- of the queue clock: its age
) STRICT;

-- Whether a span of numbers has an act of some time: numbers and instants need not grow together.
CREATE INDEX acts_at ON acts (number / 1000, at);

-- Each ends with the row's number, by which pages are ordered.
CREATE INDEX acts_actor ON acts (actor);
CREATE INDEX acts_action ON acts (action);
CREATE INDEX acts_target ON acts (target);

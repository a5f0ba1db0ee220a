-- 0014: whose a name is, and what that worker did lately (dispatcher/core/jobs/diaries.py).
-- Old code with this schema: refuses it. New code with schema 13: migrates at start.

ALTER TABLE workers ADD COLUMN worker TEXT;   -- the id of the worker that has the name, or had it last; NULL: not noted
ALTER TABLE workers ADD COLUMN diary TEXT;    -- JSON; NULL: there is none yet

CREATE INDEX workers_by_id ON workers (worker) WHERE worker IS NOT NULL;

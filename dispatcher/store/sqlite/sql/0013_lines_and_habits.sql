-- 0013: the lines of a job's log have numbers of its own, which stay when the first lines go; and which workers are
-- usually here at this hour of the week (dispatcher/core/jobs/habits.py).
-- Old code with this schema: refuses it. New code with schema 12: migrates at start.

CREATE TABLE logs_13 (
    job     INTEGER NOT NULL,
    line_no INTEGER NOT NULL,             -- counts the job's lines from 1
    attempt TEXT NOT NULL,
    at      REAL NOT NULL,
    line    TEXT NOT NULL,
    PRIMARY KEY (job, line_no)
) STRICT, WITHOUT ROWID;

INSERT INTO logs_13
SELECT job, row_number() OVER (PARTITION BY job ORDER BY line_no), attempt, at, line FROM logs;

DROP TABLE logs;
ALTER TABLE logs_13 RENAME TO logs;

ALTER TABLE workers ADD COLUMN habit TEXT;          -- a sign for each hour of the week; NULL: no roll was called yet
ALTER TABLE workers ADD COLUMN habit_before TEXT;   -- the same of a week earlier

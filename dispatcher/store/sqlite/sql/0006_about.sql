-- 0006: what a job carries for people and programs; the jobs that were submitted together.

ALTER TABLE jobs ADD COLUMN about TEXT;   -- JSON: dispatcher/core/jobs/about.py; NULL: nothing was said
ALTER TABLE jobs ADD COLUMN batch TEXT;   -- the id of its batch; NULL: it came alone

-- Without the state: it is written once, and a batch has few jobs.
CREATE INDEX jobs_batch ON jobs (batch, seq) WHERE batch IS NOT NULL;

-- The jobs of each tag. The other way round a job's row has it.
CREATE TABLE job_tags (
    tag TEXT NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (tag, seq)
) STRICT, WITHOUT ROWID;

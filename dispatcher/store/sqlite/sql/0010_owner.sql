-- 0010: jobs are found by their owner, which is a part of what a job carries (0006).

ALTER TABLE jobs ADD COLUMN owner TEXT GENERATED ALWAYS AS (json_extract(about, '$.owner')) VIRTUAL;

-- Without the state: it is written once.
CREATE INDEX jobs_owner ON jobs (owner, seq) WHERE owner IS NOT NULL;

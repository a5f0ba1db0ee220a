-- 0002: backoffs and retention follow the queue clock, which no wall clock can change; an index for rare states.
-- Jobs that ended before this are kept for their whole retention from here on: their age is known by the wall clock
-- alone, and that may have been wrong. Jobs that back off now go on by the wall clock, as before.

ALTER TABLE jobs ADD COLUMN backoff_until REAL;   -- of the queue clock; set while it backs off
ALTER TABLE jobs ADD COLUMN ended_clock REAL;     -- of the queue clock; set once it has ended

UPDATE jobs SET ended_clock = (SELECT value FROM meta WHERE name = 'queue_clock') WHERE ended_at IS NOT NULL;

DROP INDEX jobs_due;
CREATE INDEX jobs_due ON jobs (run_at) WHERE state = 'scheduled' AND backoff_until IS NULL;
CREATE INDEX jobs_backing_off ON jobs (backoff_until) WHERE backoff_until IS NOT NULL;

DROP INDEX jobs_ended;
CREATE INDEX jobs_outlived ON jobs (ended_clock) WHERE ended_clock IS NOT NULL AND key IS NULL;
CREATE INDEX jobs_outlived_keyed ON jobs (ended_clock) WHERE ended_clock IS NOT NULL AND key IS NOT NULL;

-- Lists for people ask for these among millions that succeeded.
CREATE INDEX jobs_rare ON jobs (state, seq) WHERE state IN ('failed', 'cancelled', 'expired', 'in_doubt');

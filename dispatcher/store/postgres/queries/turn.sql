-- What a turn reads. Rows that another node could change are locked, in the order of their numbers; rows that another
-- node has locked are left to it where anyone may take them.

-- name: fence
-- Always first. No row: another life of this node has begun, and this one may not write. The queue clock of the nodes
-- is the one that is furthest.
UPDATE nodes SET
    since = CASE WHEN seen_at < clock_timestamp() - interval '5 seconds' THEN clock_timestamp() ELSE since END,
    seen_at = clock_timestamp(),
    turns = turns + 1,
    counted_clock = greatest(counted_clock, %(counted)s::double precision),
    queue_clock = greatest(%(clock)s::double precision, (SELECT max(queue_clock) FROM nodes))
WHERE node = %(node)s AND epoch = %(epoch)s
RETURNING queue_clock, turns, extract(epoch FROM clock_timestamp())::double precision

-- name: load_jobs
SELECT {{JOB}}, j.node FROM jobs j
WHERE j.seq = ANY(%(seqs)s::bigint[] || ARRAY(SELECT seq FROM job_data WHERE id = ANY(%(ids)s::text[])))
    OR j.key = ANY(%(keys)s::text[])
ORDER BY j.seq FOR UPDATE

-- name: load_attempts
-- What belongs to a job is written only by who has the job's row locked.
SELECT {{ATTEMPT}} FROM unnest(%(jobs)s::bigint[], %(names)s::text[]) AS n(job, id)
JOIN attempts a ON a.job = n.job AND a.id = n.id

-- name: load_current
SELECT {{ATTEMPT}} FROM job_data d JOIN jobs j ON j.seq = d.seq JOIN attempts a ON a.job = j.seq AND a.id = j.attempt
WHERE d.id = ANY(%(ids)s::text[])

-- name: load_histories
SELECT {{ATTEMPT}} FROM job_data d CROSS JOIN LATERAL (
    SELECT * FROM attempts h WHERE h.job = d.seq ORDER BY h.id DESC LIMIT %(most)s
) AS a
WHERE d.id = ANY(%(ids)s::text[]) ORDER BY a.id

-- name: load_types
SELECT t.name FROM unnest(%(types)s::text[]) AS t(name) WHERE EXISTS (SELECT FROM lanes l WHERE l.type = t.name)

-- name: count_types
-- Counts only for a turn that names a new type: else nobody wants to know.
SELECT CASE
    WHEN EXISTS (
        SELECT FROM unnest(%(types)s::text[]) AS t(name) WHERE NOT EXISTS (SELECT FROM lanes l WHERE l.type = t.name)
    )
    THEN (SELECT count(DISTINCT type) FROM lanes)
    ELSE 0
END

-- name: counted_clock
SELECT counted_clock FROM nodes WHERE node = %(node)s

-- name: ended_since
-- By the same indexes as those of jobs that are outlived.
SELECT {{ENDED}} FROM jobs j
WHERE j.ended_clock > (SELECT counted_clock FROM nodes WHERE node = %(node)s) AND j.key IS NULL AND j.node = %(node)s
UNION ALL
SELECT {{ENDED}} FROM jobs j
WHERE j.ended_clock > (SELECT counted_clock FROM nodes WHERE node = %(node)s) AND j.key IS NOT NULL AND j.node = %(node)s
UNION ALL
SELECT {{ENDED}} FROM uncounted j
WHERE j.ended_clock > (SELECT counted_clock FROM nodes WHERE node = %(node)s) AND j.node = %(node)s

-- name: ended_behind
SELECT {{ENDED}} FROM jobs j WHERE j.ended_clock > %(clock)s::double precision AND j.key IS NULL AND j.node = %(gone)s
UNION ALL
SELECT {{ENDED}} FROM jobs j WHERE j.ended_clock > %(clock)s::double precision AND j.key IS NOT NULL AND j.node = %(gone)s
UNION ALL
SELECT {{ENDED}} FROM uncounted j WHERE j.ended_clock > %(clock)s::double precision AND j.node = %(gone)s

-- name: keep_uncounted
-- Before the rows of these jobs go, or go on: their node has perhaps counted their ends in memory alone.
INSERT INTO uncounted (node, {{ENDED_NAMES}})
SELECT j.node, {{ENDED}} FROM jobs j JOIN nodes n ON n.node = j.node
WHERE j.seq = ANY(%(seqs)s::bigint[]) AND j.node <> %(node)s AND j.ended_clock > n.counted_clock

-- name: forget_counted
DELETE FROM uncounted u USING nodes n WHERE n.node = u.node AND u.ended_clock <= n.counted_clock

-- name: held
-- Without what other nodes have in hand: together they may pass a limit by what one instant brings.
SELECT coalesce(sum(jobs), 0)::bigint, coalesce(sum(bytes), 0)::bigint FROM tallies
WHERE lane = %(all)s::uuid AND state = ANY(%(open)s::text[])

-- name: numbers
SELECT nextval('job_numbers') FROM generate_series(1, %(numbers)s::bigint)

-- name: agenda
-- Asked with the first request, so that what is due costs no round trip of its own while nothing is.
SELECT (SELECT min(run_at) FROM jobs WHERE state = 'scheduled' AND backoff_until IS NULL),
       (SELECT min(expires_at) FROM jobs WHERE expires_at IS NOT NULL AND state IN ('scheduled', 'queued')),
       (SELECT min(backoff_until) FROM jobs WHERE backoff_until IS NOT NULL)

-- name: next_due
SELECT (SELECT min(run_at) FROM jobs WHERE state = 'scheduled' AND backoff_until IS NULL AND run_at > %(now_at)s::double precision),
       (SELECT min(expires_at) FROM jobs WHERE expires_at > %(now_at)s::double precision AND state IN ('scheduled', 'queued')),
       (SELECT min(backoff_until) FROM jobs WHERE backoff_until > %(queue_clock)s::double precision)

-- name: overdue
SELECT {{JOB}} FROM jobs j
WHERE j.expires_at IS NOT NULL AND j.state IN ('scheduled', 'queued') AND j.expires_at <= %(now_at)s::double precision
ORDER BY j.expires_at, j.seq LIMIT %(limit)s FOR UPDATE SKIP LOCKED

-- name: due
SELECT {{JOB}} FROM jobs j
WHERE j.state = 'scheduled' AND j.backoff_until IS NULL AND j.run_at <= %(now_at)s::double precision
ORDER BY j.run_at, j.seq LIMIT %(limit)s FOR UPDATE SKIP LOCKED

-- name: backed_off
SELECT {{JOB}} FROM jobs j
WHERE j.backoff_until IS NOT NULL AND j.backoff_until <= %(queue_clock)s::double precision
ORDER BY j.backoff_until, j.seq LIMIT %(limit)s FOR UPDATE SKIP LOCKED

-- name: ready_lanes
-- The first jobs of lanes that each stand for themselves.
SELECT g.place, r.* FROM unnest(%(places)s::int[], %(lanes)s::uuid[], %(most)s::int[]) AS g(place, lane, most)
CROSS JOIN LATERAL (
    SELECT {{JOB}}, d.data, {{HAD}} FROM jobs j JOIN job_data d ON d.seq = j.seq
    WHERE j.lane = g.lane AND j.state = 'queued'
    ORDER BY j.rank, j.seq LIMIT g.most FOR UPDATE OF j SKIP LOCKED
) AS r

-- name: ready_group
-- The first jobs of several lanes together: a few of each lane, and more only of a lane that may have further wanted
-- ones behind them. Some more than are wanted, because other nodes may have the first ones.
WITH few AS MATERIALIZED (
    SELECT l.lane, q.rank, q.seq, q.place FROM unnest(%(lanes)s::uuid[]) AS l(lane) CROSS JOIN LATERAL (
        SELECT f.rank, f.seq, row_number() OVER (ORDER BY f.rank, f.seq) AS place FROM (
            SELECT rank, seq FROM jobs WHERE lane = l.lane AND state = 'queued' ORDER BY rank, seq LIMIT %(few)s
        ) AS f
    ) AS q
), edge AS (
    SELECT rank, seq FROM few ORDER BY rank, seq OFFSET %(wanted)s - 1 LIMIT 1
), long AS (
    SELECT f.lane FROM few f
    WHERE f.place = %(few)s AND NOT EXISTS (SELECT FROM edge e WHERE (e.rank, e.seq) <= (f.rank, f.seq))
), found AS (
    SELECT rank, seq FROM few WHERE lane NOT IN (SELECT lane FROM long)
    UNION ALL
    SELECT q.rank, q.seq FROM long CROSS JOIN LATERAL (
        SELECT rank, seq FROM jobs WHERE lane = long.lane AND state = 'queued' ORDER BY rank, seq LIMIT %(wanted)s
    ) AS q
), first AS (
    SELECT rank, seq FROM found ORDER BY rank, seq LIMIT %(wanted)s
)
SELECT {{JOB}}, d.data, {{HAD}}
FROM first f JOIN jobs j ON j.seq = f.seq JOIN job_data d ON d.seq = j.seq
WHERE j.state = 'queued' AND j.lane = ANY(%(lanes)s::uuid[])
ORDER BY j.rank, j.seq LIMIT %(most)s FOR UPDATE OF j SKIP LOCKED

-- name: in_hand
SELECT j.seq, d.data, {{HAD}} FROM jobs j JOIN job_data d ON d.seq = j.seq WHERE j.seq = ANY(%(seqs)s::bigint[])

-- name: outlived
SELECT {{JOB}} FROM jobs j
WHERE j.ended_clock < %(before)s::double precision AND j.ended_clock IS NOT NULL AND j.key IS NULL
    AND j.seq <> ALL(%(spare)s::bigint[])
ORDER BY j.ended_clock, j.seq LIMIT %(limit)s FOR UPDATE SKIP LOCKED

-- name: outlived_keyed
SELECT {{JOB}} FROM jobs j
WHERE j.ended_clock < %(before)s::double precision AND j.ended_clock IS NOT NULL AND j.key IS NOT NULL
    AND j.seq <> ALL(%(spare)s::bigint[])
ORDER BY j.ended_clock, j.seq LIMIT %(limit)s FOR UPDATE SKIP LOCKED

-- name: forget_workers
DELETE FROM workers WHERE name IN (
    SELECT name FROM workers WHERE gone_clock IS NOT NULL AND gone_clock < %(before)s::double precision
    ORDER BY gone_clock, name LIMIT %(most)s FOR UPDATE SKIP LOCKED
)

-- name: forget_many_workers
DELETE FROM workers WHERE name IN (
    SELECT name FROM workers WHERE gone_clock IS NOT NULL ORDER BY gone_clock DESC, name DESC
    OFFSET %(kept)s LIMIT %(most)s FOR UPDATE SKIP LOCKED
)

-- name: forget_acts
-- The oldest ones, up to the first that is young enough and among those that are kept.
WITH oldest AS (
    SELECT o.number, o.clock, row_number() OVER (ORDER BY o.number) AS place FROM (
        SELECT number, clock FROM acts ORDER BY number LIMIT %(limit)s
    ) AS o
), beyond AS (
    SELECT coalesce(sum(number), 0) - %(kept)s::bigint AS acts FROM amounts WHERE what = 'acts'
), young AS (
    SELECT min(number) AS number FROM oldest, beyond
    WHERE oldest.clock >= %(before)s::double precision AND oldest.place > beyond.acts
), gone AS (
    DELETE FROM acts USING oldest, young
    WHERE acts.number = oldest.number AND (young.number IS NULL OR acts.number < young.number) RETURNING 1
)
SELECT count(*) FROM gone

-- name: forget_endings
WITH gone AS (
    DELETE FROM endings WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM endings WHERE step_s = %(step_s)s::bigint AND start < %(before)s::double precision
        ORDER BY step_s, start, type LIMIT %(most)s FOR UPDATE SKIP LOCKED
    )) RETURNING 1
)
SELECT count(*) FROM gone

-- name: forget_amounts
DELETE FROM amounts WHERE node = %(node)s AND number = 0

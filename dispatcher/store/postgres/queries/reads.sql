-- What people and programs read, and what a start reads.

-- name: live
SELECT {{LIVE_COLUMNS}}
FROM jobs j LEFT JOIN attempts a ON a.job = j.seq AND a.id = j.attempt
WHERE j.state = 'running' AND j.node = %(node)s ORDER BY j.seq DESC

-- name: all_ready
SELECT l.name, t.jobs, (
    SELECT j.rank FROM jobs j WHERE j.lane = l.lane AND j.state = 'queued' ORDER BY j.rank, j.seq LIMIT 1
)
FROM (SELECT lane, sum(jobs)::bigint AS jobs FROM tallies WHERE state = 'queued' GROUP BY lane) AS t
JOIN lanes l ON l.lane = t.lane WHERE t.jobs > 0

-- name: first_in_line
SELECT l.lane, j.since FROM unnest(%(lanes)s::uuid[]) AS l (lane) CROSS JOIN LATERAL (
    SELECT coalesce(ready_at, created_at) AS since FROM jobs
    WHERE lane = l.lane AND state = 'queued' ORDER BY rank, seq LIMIT 1
) AS j

-- name: in_line
SELECT b.jobs, b.later, (SELECT coalesce(sum(t.jobs), 0)::bigint FROM tallies t WHERE t.lane = j.lane AND t.state = 'queued')
FROM job_data d JOIN jobs j ON j.seq = d.seq CROSS JOIN LATERAL (
    SELECT count(*) AS jobs, count(*) FILTER (WHERE q.seq > j.seq) AS later FROM (
        SELECT o.seq FROM jobs o WHERE o.lane = j.lane AND o.state = 'queued' AND (o.rank, o.seq) < (j.rank, j.seq)
        ORDER BY o.rank, o.seq LIMIT %(most)s
    ) AS q
) AS b
WHERE d.id = %(id)s AND j.state = 'queued'

-- name: one_job
SELECT {{JOB}}, d.data, r.value, j.node
FROM job_data d JOIN jobs j ON j.seq = d.seq LEFT JOIN results r ON r.seq = j.seq WHERE d.id = %(id)s

-- name: attempts_of
SELECT {{ATTEMPT}}, a.node FROM job_data d JOIN attempts a ON a.job = d.seq WHERE d.id = %(id)s ORDER BY a.id DESC LIMIT %(most)s

-- name: log_of
SELECT l.line_no, l.at, l.line, a.number
FROM job_data d JOIN logs l ON l.job = d.seq LEFT JOIN attempts a ON a.job = d.seq AND a.id = l.attempt
WHERE d.id = %(id)s ORDER BY l.line_no DESC LIMIT %(most)s

-- name: state_of
SELECT j.state FROM job_data d JOIN jobs j ON j.seq = d.seq WHERE d.id = %(id)s

-- name: standing
SELECT j.id, j.type, j.state, j.owner FROM job_data d JOIN jobs j ON j.seq = d.seq WHERE d.id = ANY(%(ids)s::text[])

-- name: counts
SELECT state, sum(jobs)::bigint FROM tallies WHERE lane = %(all)s::uuid GROUP BY state

-- name: types
SELECT DISTINCT type FROM lanes
WHERE type >= %(prefix)s AND (%(end)s::text IS NULL OR type < %(end)s) AND (%(after)s::text IS NULL OR type > %(after)s)
ORDER BY type LIMIT %(most)s

-- name: counts_of
SELECT l.type, max(l.offered_at), t.state, coalesce(sum(t.jobs), 0)::bigint
FROM lanes l LEFT JOIN tallies t ON t.lane = l.lane WHERE l.type = ANY(%(types)s::text[])
GROUP BY l.type, t.state

-- name: missing
SELECT name, gone_at, worker FROM workers
WHERE gone_at IS NOT NULL AND place >= %(first)s AND (place, name) > (%(place)s, %(name)s)
    AND (%(end)s::text IS NULL OR place < %(end)s)
ORDER BY place, name LIMIT %(most)s

-- name: usual
-- habits.is_usual: the signs of these roll calls; where there is none yet, of those of the day before.
SELECT count(*), count(gone_at) FROM workers WHERE habit IS NOT NULL AND {{IS_USUAL}}

-- name: usual_gone
SELECT name, gone_at, worker FROM workers WHERE gone_at IS NOT NULL AND habit IS NOT NULL AND {{IS_USUAL}}
ORDER BY gone_at DESC, place, name LIMIT %(most)s

-- name: known
SELECT name, worker, gone_at, diary FROM workers
WHERE worker = ANY(%(workers)s::text[]) OR name = ANY(%(names)s::text[]) ORDER BY name

-- name: tokens
SELECT {{TOKEN}} FROM tokens

-- name: kept_workers
SELECT worker, called, name, labels, note, paused, blocked FROM kept
WHERE worker > %(after)s ORDER BY worker LIMIT %(most)s

-- name: kept_types
SELECT type, paused, defaults FROM kept_types WHERE type > %(after)s ORDER BY type LIMIT %(most)s

-- name: credentials
SELECT worker, token, digests, at FROM credentials WHERE worker > %(after)s ORDER BY worker LIMIT %(most)s

-- name: window
SELECT e.start, {{ENDINGS}} FROM endings e
WHERE e.step_s = %(step_s)s::bigint AND e.type = %(type)s AND e.start = ANY(%(starts)s::bigint[])

-- name: types_of_hour
SELECT type FROM endings
WHERE step_s = %(step_s)s::bigint AND start = %(start)s::bigint AND type <> ''
    AND succeeded + failed + cancelled + expired > 0
ORDER BY failed DESC, succeeded + cancelled + expired DESC, type LIMIT %(most)s

-- name: acts
-- A slice of the log: the ones that fit among the next ones; and down to which number, of how many, it has looked.
WITH seen AS MATERIALIZED (
    SELECT at, actor, token, remote, action, target, detail, outcome, number FROM acts
    WHERE number < %(below)s::bigint
    ORDER BY number DESC LIMIT %(slice)s
)
{{FITTING_ACTS}}

-- name: acts_of_target
WITH seen AS MATERIALIZED (
    SELECT at, actor, token, remote, action, target, detail, outcome, number FROM acts
    WHERE number < %(below)s::bigint AND left(target, 200) = left(%(target)s, 200)
    ORDER BY number DESC LIMIT %(slice)s
)
{{FITTING_ACTS}}

-- name: acts_of_actor
WITH seen AS MATERIALIZED (
    SELECT at, actor, token, remote, action, target, detail, outcome, number FROM acts
    WHERE number < %(below)s::bigint AND left(actor, 200) = left(%(actor)s, 200)
    ORDER BY number DESC LIMIT %(slice)s
)
{{FITTING_ACTS}}

-- name: acts_of_action
WITH seen AS MATERIALIZED (
    SELECT at, actor, token, remote, action, target, detail, outcome, number FROM acts
    WHERE number < %(below)s::bigint AND left(action, 200) = left(%(action)s, 200)
    ORDER BY number DESC LIMIT %(slice)s
)
{{FITTING_ACTS}}

-- name: batch_tallies
SELECT g.type, g.state, g.jobs, g.seq, j.id, j.created_at, j.owner
FROM (
    SELECT type, state, count(*) AS jobs, max(seq) AS seq FROM jobs WHERE batch = %(batch)s GROUP BY type, state
) AS g JOIN jobs j ON j.seq = g.seq

-- name: batch_items
-- Up to the item that fills a slice.
SELECT f.seq, f.id, f.state, r.value, f.error FROM (
    SELECT i.*, sum(coalesce(octet_length(o.value), 0)) OVER (ORDER BY i.seq) - coalesce(octet_length(o.value), 0) AS before
    FROM (
        SELECT seq, id, state, error FROM jobs WHERE batch = %(batch)s AND seq > %(after)s::bigint
        ORDER BY seq LIMIT %(most)s
    ) AS i LEFT JOIN results o ON o.seq = i.seq
) AS f LEFT JOIN results r ON r.seq = f.seq
WHERE f.before < %(bytes)s ORDER BY f.seq

-- name: last_seq
SELECT coalesce(max(seq), 0) FROM jobs

-- name: lanes_wanting
SELECT lane::text FROM lanes WHERE wanted @> %(wanted)s::uuid[]

-- name: list_jobs
SELECT {{JOB}}, {{STOPPED}} FROM jobs j
WHERE j.seq < %(below)s::bigint AND j.seq >= %(above)s::bigint
    AND (%(seqs)s::bigint[] IS NULL OR j.seq = ANY(%(seqs)s::bigint[]))
    AND (%(states)s::text[] IS NULL OR j.state = ANY(%(states)s::text[]))
    AND (%(type)s::text IS NULL OR j.type = %(type)s)
    AND (%(worker)s::text IS NULL OR j.worker_name = %(worker)s)
    AND (%(lanes)s::uuid[] IS NULL OR j.lane = ANY(%(lanes)s::uuid[]))
    AND (%(error)s::text IS NULL OR j.error_code = %(error)s)
    AND (%(created_after)s::double precision IS NULL OR j.created_at >= %(created_after)s)
    AND (%(created_before)s::double precision IS NULL OR j.created_at < %(created_before)s)
    AND (%(ended_after)s::double precision IS NULL OR j.ended_at >= %(ended_after)s)
    AND (%(ended_before)s::double precision IS NULL OR j.ended_at < %(ended_before)s)
    AND (%(owner)s::text IS NULL OR j.owner = %(owner)s)
    AND (%(batch)s::text IS NULL OR j.batch = %(batch)s)
    AND NOT EXISTS (
        SELECT FROM unnest(%(tags)s::text[]) AS w(tag)
        WHERE NOT EXISTS (SELECT FROM job_tags t WHERE t.tag = w.tag AND t.seq = j.seq)
    )
ORDER BY j.seq DESC LIMIT %(room)s

-- name: of_all
SELECT seq FROM jobs WHERE seq < %(below)s::bigint ORDER BY seq DESC LIMIT %(most)s

-- name: of_tag
SELECT seq FROM job_tags WHERE tag = %(name)s AND seq < %(below)s::bigint ORDER BY seq DESC LIMIT %(most)s

-- name: of_owner
SELECT seq FROM jobs WHERE owner = %(name)s AND seq < %(below)s::bigint ORDER BY seq DESC LIMIT %(most)s

-- name: of_batch
SELECT seq FROM jobs WHERE batch = %(name)s AND seq < %(below)s::bigint ORDER BY seq DESC LIMIT %(most)s

-- name: of_ids
SELECT seq FROM job_data WHERE id = ANY(ARRAY(SELECT json_array_elements_text(%(name)s::json))) AND seq < %(below)s::bigint
ORDER BY seq DESC LIMIT %(most)s

-- name: of_key
-- The keys of a batch's jobs begin with its own (core/jobs/views/batches.py).
SELECT seq FROM jobs
WHERE seq < %(below)s::bigint
    AND (key = %(name)s OR (key > %(name)s || {{KEY_MARK}} AND key < %(name)s || {{BEHIND_KEY_MARK}}))
ORDER BY seq DESC LIMIT %(most)s

-- name: texts
SELECT j.seq, left(d.data, %(chars)s), left(r.value, %(chars)s), left(j.error, %(chars)s), j.about::json ->> 'summary',
    d.id, j.key
FROM jobs j JOIN job_data d ON d.seq = j.seq LEFT JOIN results r ON r.seq = j.seq
WHERE j.seq = ANY(%(seqs)s::bigint[]) ORDER BY j.seq DESC

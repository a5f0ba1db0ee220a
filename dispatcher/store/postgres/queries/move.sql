-- A store that comes out of a file.

-- name: used
-- Whether a server has ever lived here. A move leaves its node as one that was never heard of.
SELECT EXISTS (SELECT FROM nodes WHERE seen_at <> '-infinity')

-- name: forget_all
TRUNCATE nodes, news, lanes, offered, jobs, job_data, results, job_tags, attempts, logs, tallies, workers, seen, tokens,
    credentials, acts, kept, kept_types, endings, uncounted, endpoints, messages, deliveries, amounts

-- name: take_key
UPDATE meta SET key = %(key)s

-- name: go_on
INSERT INTO nodes (node, epoch, queue_clock, counted_clock, turns, seen_at, since, gone, began, trimmed)
VALUES (
    %(node)s, %(epoch)s, %(clock)s::double precision, %(counted)s::double precision, 0, '-infinity', '-infinity', false, 0, 0
)

-- name: number_jobs
SELECT setval('job_numbers', 1 + greatest(coalesce(max(seq), 0), %(given)s::bigint), false) FROM jobs

-- name: jobs_by_state
SELECT state, sum(jobs)::bigint FROM tallies WHERE lane = '00000000-0000-0000-0000-000000000000' AND jobs <> 0
GROUP BY state

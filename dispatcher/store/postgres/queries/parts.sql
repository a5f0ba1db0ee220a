-- Parts of other statements, which name them in {{CAPITALS}}.

-- name: had
-- The workers that had a job, the last one first; NULL: none had.
CASE WHEN j.worker IS NOT NULL THEN ARRAY(
    SELECT a.worker FROM attempts a WHERE a.job = j.seq AND a.worker IS NOT NULL
    ORDER BY a.id DESC LIMIT {{MOST_ATTEMPTS}}
) END AS had

-- name: stopped
-- When the newest attempt of a job ended.
(SELECT a.ended_at FROM attempts a WHERE a.job = j.seq ORDER BY a.id DESC LIMIT 1) AS stopped_at

-- name: all_targets
-- The targets of messages that wait, each found by one look into the index; behind the last one NULL.
targets AS (
    (SELECT target FROM messages WHERE due IS NOT NULL ORDER BY target LIMIT 1)
    UNION ALL
    SELECT (
        SELECT m.target FROM messages m WHERE m.due IS NOT NULL AND m.target > t.target ORDER BY m.target LIMIT 1
    ) FROM targets t WHERE t.target IS NOT NULL
)

-- name: noted
INSERT INTO deliveries (message, endpoint, event, job, attempt, at, ms, status, error, outcome)
SELECT %(message)s, %(endpoint)s, %(event)s, %(job)s, %(attempt)s::bigint, %(at)s::double precision, %(ms)s::bigint,
       %(status)s::bigint, %(error)s, %(outcome)s
FROM hit

-- name: fitting_acts
-- The end of the next ones.
SELECT looked.low, looked.acts, a.*
FROM (SELECT min(number) AS low, count(*) AS acts FROM seen) AS looked LEFT JOIN LATERAL (
    SELECT * FROM seen
    WHERE (%(actor)s::text IS NULL OR actor = %(actor)s) AND (%(action)s::text IS NULL OR action = %(action)s)
        AND (%(target)s::text IS NULL OR target = %(target)s)
        AND (%(after)s::double precision IS NULL OR at >= %(after)s)
        AND (%(before)s::double precision IS NULL OR at < %(before)s)
    ORDER BY number DESC LIMIT %(room)s
) AS a ON true

-- name: live_columns
j.attempt, j.id, j.type, j.number + (a.started_at IS NULL)::int, a.started_at, j.terms, j.errors, j.crashes,
       coalesce(a.worker, ''), coalesce(a.boot, '')

-- name: gone_after
-- A node that has been silent for so long is gone.
interval '10 seconds'

-- name: news_kept
-- Longer than a node may be silent.
interval '30 seconds'

-- name: is_usual
NOT EXISTS (
    SELECT FROM unnest(%(hours)s::int[], %(past)s::boolean[]) AS h (hour, is_past)
    WHERE CASE substr(CASE WHEN is_past THEN habit_before ELSE habit END, hour + 1, 1) WHEN '1' THEN false
        WHEN '-' THEN substr(habit, mod(hour + 144, 168) + 1, 1) <> '1' ELSE true END
)

-- name: seen
s.worker, s.node, s.name, s.state, s.paused, s.types, s.labels, s.slots,
greatest(0, extract(epoch FROM clock_timestamp())::double precision - s.since),
ARRAY(SELECT j.id FROM jobs j WHERE j.worker = s.worker AND j.state = 'running' ORDER BY j.seq)

-- Endpoints of webhooks and their messages: first what a turn writes, then what is read.

-- name: put_endpoint
INSERT INTO endpoints SELECT * FROM json_populate_recordset(NULL::endpoints, %(rows)s::json)
ON CONFLICT (id) DO UPDATE SET url = excluded.url, events = excluded.events, types = excluded.types,
    secret = excluded.secret, old_secret = excluded.old_secret, old_until = excluded.old_until,
    enabled = excluded.enabled, reason = excluded.reason, name = excluded.name, made_by = excluded.made_by,
    made_at = excluded.made_at

-- name: drop_endpoint
DELETE FROM endpoints WHERE id = %(id)s

-- name: add_messages
INSERT INTO messages (id, endpoint, target, url, event, job, body, at, attempts, due)
SELECT id, endpoint, target, url, event, job, body, at, attempts, due
FROM json_populate_recordset(NULL::messages, %(rows)s::json)

-- name: give_up
-- More wait for the target than may: those that are due first are dead. Of a deleted endpoint none is.
UPDATE messages SET due = NULL WHERE number IN (
    SELECT number FROM messages WHERE target = %(target)s AND due IS NOT NULL ORDER BY due, number
    LIMIT (
        SELECT greatest(0, least(%(most)s::bigint, coalesce(sum(number), 0) - %(kept)s::bigint))
        FROM amounts WHERE what = 'waiting' AND name = %(target)s
    )
) AND (%(endpoint)s = %(callbacks)s OR EXISTS (SELECT FROM endpoints WHERE id = %(endpoint)s))

-- name: delivered
WITH hit AS (
    DELETE FROM messages WHERE id = %(message)s AND due IS NOT NULL RETURNING 1
), noted AS (
    {{NOTED}}
)
UPDATE endpoints SET enabled = false, reason = %(disable)s
WHERE id = %(endpoint)s AND %(disable)s::text IS NOT NULL AND EXISTS (SELECT FROM hit)

-- name: not_delivered
WITH hit AS (
    UPDATE messages SET attempts = %(attempt)s, due = %(due)s::double precision
    WHERE id = %(message)s AND due IS NOT NULL RETURNING 1
), noted AS (
    {{NOTED}}
)
UPDATE endpoints SET enabled = false, reason = %(disable)s
WHERE id = %(endpoint)s AND %(disable)s::text IS NOT NULL AND EXISTS (SELECT FROM hit)

-- name: trim_dead
DELETE FROM messages WHERE due IS NULL AND endpoint = %(endpoint)s AND number <= (
    SELECT number FROM messages WHERE due IS NULL AND endpoint = %(endpoint)s
    ORDER BY number DESC OFFSET %(kept)s LIMIT 1
)

-- name: trim_deliveries
DELETE FROM deliveries WHERE endpoint = %(endpoint)s AND number <= (
    SELECT number FROM deliveries WHERE endpoint = %(endpoint)s ORDER BY number DESC OFFSET %(kept)s LIMIT 1
)

-- name: hasten
UPDATE messages SET due = %(due)s::double precision
WHERE due IS NOT NULL AND endpoint = %(endpoint)s AND id = ANY(%(ids)s::text[])

-- name: revive
UPDATE messages SET attempts = 0, due = %(due)s::double precision
WHERE due IS NULL AND endpoint = %(endpoint)s AND id = ANY(%(ids)s::text[])

-- name: revive_all
UPDATE messages SET attempts = 0, due = %(due)s::double precision WHERE due IS NULL AND endpoint = %(endpoint)s

-- name: forget_waiting
DELETE FROM messages WHERE number IN (
    SELECT number FROM messages WHERE target = %(endpoint)s AND due IS NOT NULL ORDER BY due, number LIMIT %(most)s
)

-- name: forget_dead
DELETE FROM messages WHERE due IS NULL AND endpoint = %(endpoint)s

-- name: forget_deliveries
DELETE FROM deliveries WHERE endpoint = %(endpoint)s

-- name: forget_messages
-- Some of those that wait for endpoints that are gone; counts what it has removed of each.
WITH RECURSIVE {{ALL_TARGETS}}, gone AS (
    DELETE FROM messages m USING targets t CROSS JOIN LATERAL (
        SELECT number FROM messages WHERE target = t.target AND due IS NOT NULL ORDER BY due, number LIMIT %(most)s
    ) AS o
    WHERE t.target IS NOT NULL AND t.target <> %(callbacks)s AND NOT starts_with(t.target, %(callbacks)s || ' ')
        AND NOT EXISTS (SELECT FROM endpoints e WHERE e.id = t.target) AND m.number = o.number
    RETURNING m.target
)
SELECT target, count(*) FROM gone GROUP BY target

-- name: endpoints
SELECT id, url, events, types, secret, old_secret, old_until, enabled, reason, name, made_by, made_at FROM endpoints

-- name: targets
WITH RECURSIVE {{ALL_TARGETS}}
SELECT t.target, (
    SELECT m.due FROM messages m WHERE m.target = t.target AND m.due IS NOT NULL ORDER BY m.due LIMIT 1
)
FROM targets t
WHERE t.target = %(callbacks)s OR starts_with(t.target, %(callbacks)s || ' ')
    OR EXISTS (SELECT FROM endpoints e WHERE e.id = t.target)

-- name: waiting
SELECT id, endpoint, target, url, event, job, body, at, attempts, due FROM messages
WHERE target = %(target)s AND due IS NOT NULL ORDER BY due, number LIMIT %(most)s

-- name: dead
SELECT number, id, endpoint, target, url, event, job, body, at, attempts, due FROM messages
WHERE due IS NULL AND endpoint = %(endpoint)s AND number < %(below)s::bigint ORDER BY number DESC LIMIT %(most)s

-- name: deliveries
SELECT message, endpoint, event, job, attempt, at, ms, status, error, outcome, number FROM deliveries
WHERE endpoint = %(endpoint)s AND number < %(below)s::bigint ORDER BY number DESC LIMIT %(most)s

-- name: bad_deliveries
SELECT message, endpoint, event, job, attempt, at, ms, status, error, outcome, number FROM deliveries
WHERE endpoint = %(endpoint)s AND number < %(below)s::bigint AND outcome <> 'delivered'
ORDER BY number DESC LIMIT %(most)s

-- name: known_messages
SELECT id FROM messages WHERE endpoint = %(endpoint)s AND id = ANY(%(ids)s::text[])

-- name: oldest_message
SELECT min(at) FROM messages WHERE due IS NOT NULL

-- name: count_waiting
SELECT name, sum(number)::bigint FROM amounts WHERE what = 'waiting' GROUP BY name HAVING sum(number) > 0

-- name: count_dead
SELECT endpoint, count(*) FROM messages WHERE due IS NULL GROUP BY endpoint

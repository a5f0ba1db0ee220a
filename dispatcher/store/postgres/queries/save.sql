-- What a turn writes. Sets of rows come as one JSON text each: objects with the names of the columns.

-- name: begin
BEGIN ISOLATION LEVEL READ COMMITTED

-- name: begin_read
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY

-- name: commit
COMMIT

-- name: rollback
ROLLBACK

-- name: savepoint
SAVEPOINT item

-- name: release
RELEASE SAVEPOINT item

-- name: rollback_item
ROLLBACK TO SAVEPOINT item; RELEASE SAVEPOINT item

-- name: lock_lanes
-- Who forgets lanes waits for all turns that may use one, and they for him: nobody's job loses its lane.
LOCK TABLE lanes IN EXCLUSIVE MODE

-- name: add_lanes
-- Even if it adds none it locks the table against forgetting.
INSERT INTO lanes SELECT * FROM json_populate_recordset(NULL::lanes, %(rows)s::json) ORDER BY lane
ON CONFLICT (lane) DO NOTHING

-- name: offer_types
INSERT INTO lanes SELECT * FROM json_populate_recordset(NULL::lanes, %(rows)s::json) ORDER BY lane
ON CONFLICT (lane) DO UPDATE SET offered_at = excluded.offered_at WHERE lanes.offered_at IS NULL

-- name: note_offered
INSERT INTO offered SELECT t.name, %(node)s FROM unnest(%(types)s::text[]) AS t(name) ON CONFLICT DO NOTHING

-- name: note_not_offered
DELETE FROM offered WHERE node = %(node)s AND type <> ALL(%(types)s::text[])

-- name: forget_lanes
-- Those without jobs. A lane that is a type alone says when the type was first offered: it goes with the type.
WITH used AS (
    SELECT l.lane, l.type FROM lanes l
    WHERE (SELECT sum(t.jobs) FROM tallies t WHERE t.lane = l.lane) > 0
), gone AS (
    DELETE FROM lanes l
    WHERE NOT EXISTS (SELECT FROM used u WHERE u.lane = l.lane)
        AND (l.name <> l.type OR NOT (
            EXISTS (SELECT FROM offered o WHERE o.type = l.type) OR EXISTS (SELECT FROM used u WHERE u.type = l.type)
        ))
    RETURNING l.lane
)
DELETE FROM tallies t USING gone WHERE t.lane = gone.lane

-- name: remove_jobs
DELETE FROM jobs WHERE seq = ANY(%(seqs)s::bigint[])

-- name: remove_data
DELETE FROM job_data WHERE seq = ANY(%(seqs)s::bigint[])

-- name: remove_results
DELETE FROM results WHERE seq = ANY(%(seqs)s::bigint[])

-- name: remove_tags
DELETE FROM job_tags WHERE seq = ANY(%(seqs)s::bigint[])

-- name: remove_logs
DELETE FROM logs WHERE job = ANY(%(seqs)s::bigint[])

-- name: remove_attempts
DELETE FROM attempts WHERE job = ANY(%(seqs)s::bigint[])

-- name: add_jobs
INSERT INTO jobs SELECT * FROM json_populate_recordset(NULL::jobs, %(rows)s::json)

-- name: add_data
INSERT INTO job_data SELECT * FROM unnest(%(seqs)s::bigint[], %(ids)s::text[], %(texts)s::text[])

-- name: add_tags
INSERT INTO job_tags SELECT * FROM json_populate_recordset(NULL::job_tags, %(rows)s::json) ON CONFLICT DO NOTHING

-- name: save_jobs
UPDATE jobs j SET {{CHANGING}}, node = coalesce(r.node, j.node) FROM json_populate_recordset(NULL::jobs, %(rows)s::json) AS r WHERE j.seq = r.seq

-- name: save_claims
UPDATE jobs j SET {{CLAIMED}}, node = %(node)s FROM json_populate_recordset(NULL::jobs, %(rows)s::json) AS r WHERE j.seq = r.seq

-- name: save_done
UPDATE jobs j SET {{DONE}}, node = %(node)s FROM json_populate_recordset(NULL::jobs, %(rows)s::json) AS r WHERE j.seq = r.seq

-- name: save_terms
UPDATE jobs j SET lane = r.lane, terms = r.terms FROM json_populate_recordset(NULL::jobs, %(rows)s::json) AS r
WHERE j.seq = r.seq

-- name: save_about
UPDATE jobs j SET about = r.about FROM json_populate_recordset(NULL::jobs, %(rows)s::json) AS r WHERE j.seq = r.seq

-- name: add_attempts
INSERT INTO attempts ({{ATTEMPT_NAMES}}, node)
SELECT {{ATTEMPT}}, %(node)s FROM json_populate_recordset(NULL::attempts, %(rows)s::json) AS a

-- name: save_attempts
-- Before the rows of jobs are written: they tell whose the attempts were.
INSERT INTO attempts ({{ATTEMPT_NAMES}}, node)
SELECT {{ATTEMPT}}, CASE WHEN j.attempt = a.id THEN j.node END
FROM json_populate_recordset(NULL::attempts, %(rows)s::json) AS a JOIN jobs j ON j.seq = a.job
ON CONFLICT (job, id) DO UPDATE SET {{ATTEMPT_CHANGES}}, node = coalesce(excluded.node, attempts.node)

-- name: add_results
INSERT INTO results SELECT * FROM unnest(%(seqs)s::bigint[], %(texts)s::text[])
ON CONFLICT (seq) DO UPDATE SET value = excluded.value

-- name: add_log
-- Each line gets the next number of its job.
INSERT INTO logs (job, line_no, attempt, at, line)
SELECT r.job, coalesce(last.line_no, 0) + row_number() OVER (PARTITION BY r.job ORDER BY r.place), r.attempt, r.at, r.line
FROM json_populate_recordset(NULL::logs, %(rows)s::json) WITH ORDINALITY AS r(job, line_no, attempt, at, line, place)
LEFT JOIN LATERAL (SELECT o.line_no FROM logs o WHERE o.job = r.job ORDER BY o.line_no DESC LIMIT 1) AS last ON true

-- name: trim_log
DELETE FROM logs l USING unnest(%(jobs)s::bigint[]) AS u(job) CROSS JOIN LATERAL (
    SELECT o.line_no FROM logs o WHERE o.job = u.job ORDER BY o.line_no DESC LIMIT 1
) AS last
WHERE l.job = u.job AND l.line_no <= last.line_no - %(kept)s

-- name: nobody_here
UPDATE workers SET gone_at = %(at)s::double precision, gone_clock = %(clock)s::double precision
WHERE gone_at IS NULL AND node = %(node)s

-- name: save_workers
-- A worker that has come to another node is not gone, whatever its former node says.
INSERT INTO workers SELECT * FROM json_populate_recordset(NULL::workers, %(rows)s::json) ORDER BY name
ON CONFLICT (name) DO UPDATE
SET place = excluded.place, node = excluded.node, gone_at = excluded.gone_at, gone_clock = excluded.gone_clock,
    worker = coalesce(excluded.worker, workers.worker),
    diary = CASE WHEN coalesce(excluded.worker, workers.worker) IS NOT DISTINCT FROM workers.worker THEN workers.diary END
WHERE excluded.gone_at IS NULL OR workers.gone_at IS NOT NULL OR workers.node = excluded.node

-- name: go_over
-- A worker that has come, or gone, and has gone under another name before, was renamed.
UPDATE workers SET
    habit = coalesce(workers.habit, former.habit), habit_before = coalesce(workers.habit_before, former.habit_before),
    diary = coalesce(workers.diary, former.diary)
FROM unnest(%(names)s::text[], %(workers)s::text[]) AS moved(name, worker)
JOIN workers AS former ON former.worker = moved.worker AND former.name <> moved.name AND former.gone_at IS NOT NULL
WHERE workers.name = moved.name

-- name: drop_former
DELETE FROM workers
WHERE gone_at IS NOT NULL AND worker = ANY(%(workers)s::text[]) AND name <> ALL(%(names)s::text[])

-- name: keep_diaries
UPDATE workers SET diary = kept.diary FROM json_populate_recordset(NULL::workers, %(rows)s::json) AS kept
WHERE workers.name = kept.name AND workers.node = %(node)s

-- name: drop_workers
DELETE FROM workers WHERE name = ANY(%(names)s::text[]) AND gone_at IS NOT NULL

-- name: call_roll
-- Of all nodes, in the order of the names, as each node writes its own; and only what is not as usual.
WITH now AS (
    SELECT name, w.sign FROM workers CROSS JOIN LATERAL (
        SELECT CASE WHEN gone_at IS NULL OR gone_at > %(since_at)s::double precision THEN '1' ELSE '0' END AS sign
    ) AS w
    WHERE habit IS NULL OR substr(habit, %(place)s::int, 1) <> w.sign
        OR substr(habit_before, %(place)s::int, 1) <> substr(habit, %(place)s::int, 1)
    ORDER BY name FOR UPDATE OF workers
)
UPDATE workers SET
    habit = overlay(coalesce(habit, %(blank)s) placing now.sign from %(place)s::int),
    habit_before = overlay(
        coalesce(habit_before, %(blank)s) placing substr(coalesce(habit, %(blank)s), %(place)s::int, 1)
        from %(place)s::int
    )
FROM now WHERE now.name = workers.name

-- name: add_tallies
INSERT INTO tallies SELECT * FROM json_populate_recordset(NULL::tallies, %(rows)s::json)
ON CONFLICT (lane, state, node) DO UPDATE
SET jobs = tallies.jobs + excluded.jobs, bytes = tallies.bytes + excluded.bytes

-- name: queued
SELECT lane::text, sum(jobs)::bigint FROM tallies WHERE state = 'queued' AND lane = ANY(%(lanes)s::uuid[]) GROUP BY lane

-- name: add_endings
-- Adds to what other turns have counted in the same steps.
INSERT INTO endings AS e SELECT * FROM json_populate_recordset(NULL::endings, %(rows)s::json) ORDER BY step_s, start, type
ON CONFLICT (step_s, start, type) DO UPDATE
SET succeeded = e.succeeded + excluded.succeeded, failed = e.failed + excluded.failed,
    cancelled = e.cancelled + excluded.cancelled, expired = e.expired + excluded.expired,
    wait = add_histograms(e.wait, excluded.wait), run = add_histograms(e.run, excluded.run)

-- name: save_counted
UPDATE nodes SET counted_clock = %(clock)s::double precision WHERE node = %(node)s

-- name: make_token
INSERT INTO tokens ({{TOKEN}}) VALUES ({{TOKEN_VALUES}}) ON CONFLICT (id) DO UPDATE SET {{TOKEN_CHANGES}}

-- name: forget_tokens
DELETE FROM tokens WHERE id = ANY(%(ids)s::text[])

-- name: revoke_token
UPDATE tokens SET revoked_at = %(at)s::double precision WHERE id = %(id)s AND revoked_at IS NULL

-- name: use_tokens
-- Several nodes may tell of the same token: the last use counts.
UPDATE tokens t SET last_used_at = greatest(t.last_used_at, u.at)
FROM unnest(%(ids)s::text[], %(ats)s::double precision[]) AS u(id, at) WHERE t.id = u.id

-- name: spend_token
UPDATE tokens SET used = used + 1, last_used_at = greatest(last_used_at, %(at)s::double precision) WHERE id = %(id)s

-- name: keep_worker
INSERT INTO kept (worker, called, name, labels, note, paused, blocked)
VALUES (%(worker)s, %(called)s, %(name)s, %(labels)s, %(note)s, %(paused)s, %(blocked)s)
ON CONFLICT (worker) DO UPDATE SET called = excluded.called, name = excluded.name, labels = excluded.labels,
    note = excluded.note, paused = excluded.paused, blocked = excluded.blocked

-- name: forget_kept_worker
DELETE FROM kept WHERE worker = %(worker)s

-- name: keep_type
INSERT INTO kept_types (type, paused, defaults) VALUES (%(type)s, %(paused)s, %(defaults)s)
ON CONFLICT (type) DO UPDATE SET paused = excluded.paused, defaults = excluded.defaults

-- name: forget_kept_type
DELETE FROM kept_types WHERE type = %(type)s

-- name: keep_credential
INSERT INTO credentials (worker, token, digests, at) VALUES (%(worker)s, %(token)s, %(digests)s, %(at)s)
ON CONFLICT (worker) DO UPDATE SET token = excluded.token, digests = excluded.digests, at = excluded.at

-- name: forget_credential
DELETE FROM credentials WHERE worker = %(worker)s

-- name: add_acts
INSERT INTO acts (at, actor, token, remote, action, target, detail, outcome, clock)
SELECT at, actor, token, remote, action, target, detail, outcome, clock
FROM json_populate_recordset(NULL::acts, %(rows)s::json)

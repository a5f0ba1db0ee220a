-- What nodes tell each other, and what those have left that are gone.

-- name: others
-- All but this one. A snapshot of its own, behind the fence: who begins a life waits for the turns that could not see it.
-- Nobody counts as silent for a node that was silent itself: perhaps the database was away.
SELECT o.node, o.epoch, o.began, o.trimmed, o.gone,
       NOT o.gone AND greatest(o.seen_at, m.since) < clock_timestamp() - {{GONE_AFTER}},
       NOT o.gone AND greatest(o.seen_at, m.since) < clock_timestamp() - 2 * {{GONE_AFTER}}
FROM nodes o, nodes m WHERE m.node = %(node)s AND o.node <> m.node

-- name: read_news
SELECT n.node, n.turn, n.news FROM unnest(%(nodes)s::text[], %(turns)s::bigint[]) AS p(node, turn)
JOIN news n ON n.node = p.node AND n.turn > p.turn ORDER BY n.node, n.turn

-- name: tell
INSERT INTO news VALUES (%(node)s, %(turn)s::bigint, clock_timestamp(), %(news)s)

-- name: trim_news
-- What all have read that live: who has not read it for so long is gone. But if this node was silent itself, perhaps
-- because the database was away, the others may have been, too. What nodes told that are gone goes with it.
WITH old AS (
    DELETE FROM news w USING nodes m
    WHERE m.node = %(node)s AND (w.node = m.node OR w.node IN (SELECT node FROM nodes WHERE gone))
        AND w.at < clock_timestamp() - {{NEWS_KEPT}} AND m.since < clock_timestamp() - {{NEWS_KEPT}}
    RETURNING w.node, w.turn
)
UPDATE nodes SET trimmed = own.turn FROM (SELECT max(turn) AS turn FROM old WHERE node = %(node)s) AS own
WHERE node = %(node)s AND own.turn IS NOT NULL

-- name: move_attempts
-- Of several pages: those that each names, and those that this boot of its worker has accepted. A page that has gone on
-- elsewhere in a newer session was long on its way (late): nothing of it moves. Whoever has accepted something in that
-- session was seen in it before, so one snapshot decides both.
WITH pages AS MATERIALIZED (
    SELECT p.*, EXISTS (
        SELECT FROM seen s
        WHERE s.worker = p.worker AND s.boot = p.boot AND p.session > 0 AND s.sessions > p.session
    ) AS late
    FROM unnest(%(pages)s::int[], %(workers)s::text[], %(boots)s::text[], %(sessions)s::bigint[])
        AS p(page, worker, boot, session)
), wanted AS (
    SELECT n.page, j.seq FROM unnest(%(named_by)s::int[], %(seqs)s::bigint[], %(names)s::text[]) AS n(page, seq, name)
    JOIN pages p ON p.page = n.page AND NOT p.late
    JOIN jobs j ON j.seq = n.seq AND j.attempt = n.name
    UNION
    SELECT p.page, j.seq FROM pages p
    JOIN jobs j ON NOT p.late AND j.worker = p.worker AND j.state = 'running'
    JOIN attempts a ON a.job = j.seq AND a.id = j.attempt AND a.worker = p.worker AND a.boot = p.boot
), locked AS (
    SELECT j.seq FROM jobs j JOIN (SELECT DISTINCT seq FROM wanted) AS w ON w.seq = j.seq
    WHERE j.state = 'running' AND j.node <> %(node)s ORDER BY j.seq FOR UPDATE OF j
), moved AS (
    UPDATE jobs j SET node = %(node)s FROM locked l WHERE j.seq = l.seq RETURNING j.*
)
SELECT p.page, p.late, {{LIVE_COLUMNS}} FROM pages p
LEFT JOIN (SELECT min(page) AS page, seq FROM wanted GROUP BY seq) AS w ON w.page = p.page
LEFT JOIN moved j ON j.seq = w.seq
LEFT JOIN attempts a ON a.job = j.seq AND a.id = j.attempt
WHERE p.late OR j.seq IS NOT NULL ORDER BY j.seq

-- name: cut_off
-- A turn of a node that has begun and does not end keeps its row, and with it everything that the node has: perhaps its
-- process was stopped in the middle. Its connection has the node's name locked (lock_node).
SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
WHERE d.datname = current_database() AND l.locktype = 'advisory' AND l.objsubid = 2 AND l.granted
    AND l.classid::bigint = {{LOCK}} AND l.objid::bigint = hashtext(%(gone)s)::bigint & 4294967295

-- name: bury
-- Whoever is first. A turn of that node that has begun holds its row: then it is not gone.
WITH grave AS (
    SELECT node, counted_clock FROM nodes
    WHERE node = %(gone)s AND epoch = %(epoch)s AND NOT gone AND seen_at < clock_timestamp() - {{GONE_AFTER}}
    FOR UPDATE SKIP LOCKED
)
UPDATE nodes n SET epoch = nextval('lives'), gone = true, counted_clock = n.queue_clock FROM grave
WHERE n.node = grave.node RETURNING grave.counted_clock

-- name: adopt
WITH moved AS (
    UPDATE jobs j SET node = %(node)s WHERE j.state = 'running' AND j.node = %(gone)s RETURNING j.*
)
SELECT {{LIVE_COLUMNS}} FROM moved j LEFT JOIN attempts a ON a.job = j.seq AND a.id = j.attempt ORDER BY j.seq DESC

-- name: nobody_there
UPDATE workers SET gone_at = extract(epoch FROM clock_timestamp()), gone_clock = m.queue_clock
FROM nodes m WHERE m.node = %(node)s AND workers.gone_at IS NULL AND workers.node = %(gone)s

-- name: offers_nothing
DELETE FROM offered WHERE node = %(gone)s

-- name: fold_tallies
-- What the counters of a node that is gone have is counted in those of this one.
WITH theirs AS (DELETE FROM tallies WHERE node = %(gone)s RETURNING lane, state, jobs, bytes)
INSERT INTO tallies SELECT lane, state, %(node)s, jobs, bytes FROM theirs
ON CONFLICT (lane, state, node) DO UPDATE
SET jobs = tallies.jobs + excluded.jobs, bytes = tallies.bytes + excluded.bytes

-- name: fold_amounts
WITH theirs AS (DELETE FROM amounts WHERE node = %(gone)s RETURNING what, name, number)
INSERT INTO amounts SELECT what, name, %(node)s, number FROM theirs
ON CONFLICT (what, name, node) DO UPDATE SET number = amounts.number + excluded.number

-- name: forget_nodes
-- Of a node that has been gone for a day nothing is left: names may be new with each start.
-- If it comes again its turns are counted from the beginning: nothing that it told may be left either.
WITH old AS (DELETE FROM nodes WHERE gone AND seen_at < clock_timestamp() - interval '1 day' RETURNING node)
DELETE FROM news w USING old WHERE w.node = old.node

-- name: has_nobody
DELETE FROM seen WHERE node = %(gone)s

-- name: see_workers
-- One that comes from another node is this one's from here on; unless its page has gone on elsewhere in a newer session
-- of the same boot, and this node has not heard so when it gathered the turn.
INSERT INTO seen AS s SELECT * FROM json_populate_recordset(NULL::seen, %(rows)s::json) ORDER BY worker
ON CONFLICT (worker) DO UPDATE SET node = excluded.node, name = excluded.name, place = excluded.place,
    state = excluded.state, paused = excluded.paused, types = excluded.types, labels = excluded.labels,
    slots = excluded.slots, boot = excluded.boot, sessions = excluded.sessions,
    since = CASE WHEN s.node = excluded.node THEN s.since ELSE excluded.since END
WHERE s.boot <> excluded.boot OR excluded.sessions = 0 OR excluded.sessions >= s.sessions

-- name: forget_seen
DELETE FROM seen WHERE worker = ANY(%(workers)s::text[]) AND node = %(node)s

-- name: seen_workers
SELECT {{SEEN}} FROM seen s
WHERE s.node <> %(node)s AND (s.place, s.name, s.worker) > (%(place)s, %(name)s, %(worker)s)
    AND EXISTS (SELECT FROM unnest(%(beginnings)s::text[]) AS b(text) WHERE starts_with(s.place, b.text))
    AND (%(type)s = '' OR %(type)s = ANY(s.types)) AND (%(state)s = '' OR s.state = %(state)s)
    AND (%(label)s = '' OR %(label)s = ANY(s.labels)) AND (%(called)s::text IS NULL OR s.name = %(called)s)
ORDER BY s.place, s.name, s.worker LIMIT %(most)s

-- name: seen_worker
SELECT {{SEEN}} FROM seen s WHERE s.worker = %(worker)s AND s.node <> %(node)s

-- name: hurry
-- A hint may be lost: nobody waits for the disk.
SET LOCAL synchronous_commit = off

-- name: hint
SELECT pg_notify('pagehand', %(text)s)

-- name: nodes
SELECT n.node, n.epoch,
       CASE WHEN n.gone THEN 'gone' WHEN n.seen_at < clock_timestamp() - {{GONE_AFTER}} THEN 'silent' ELSE 'live' END,
       extract(epoch FROM n.seen_at)::double precision,
       (SELECT count(*) FROM seen s WHERE s.node = n.node),
       (SELECT count(*) FROM jobs j WHERE j.node = n.node AND j.state = 'running')
FROM nodes n ORDER BY n.node

-- name: count_seen
SELECT state, count(*) FROM seen WHERE node <> %(node)s GROUP BY state

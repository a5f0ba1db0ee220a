-- The schema and the node itself.

-- name: encoding
SELECT current_setting('server_encoding'), current_setting('server_version_num')::int

-- name: schema
-- No row: there is no store here, or a role that may not see it.
-- From the catalog itself: to_regclass may remember what was before the lock.
SELECT EXISTS (SELECT FROM pg_catalog.pg_tables WHERE schemaname = 'pagehand' AND tablename = 'meta')

-- name: settings
SELECT schema, key FROM meta

-- name: lock_schema
-- One migrates at a time, and nobody begins a life meanwhile.
SELECT pg_advisory_xact_lock({{LOCK}}, 0)

-- name: no_hurry
-- A migration may take long, and may wait for another server's.
SELECT set_config(name, '0', true) FROM unnest(ARRAY['statement_timeout', 'lock_timeout']) AS t(name)

-- name: lock_node
-- Held as long as the connection: a second server of the same node is refused.
SELECT pg_try_advisory_lock({{LOCK}}, hashtext(%(node)s))

-- name: share_store
-- Held as long as the connection, beside other servers: nobody changes the schema under them.
SELECT pg_try_advisory_lock_shared({{LOCK}}, 1)

-- name: lock_store
SELECT pg_try_advisory_lock({{LOCK}}, 1)

-- name: let_go
SELECT pg_advisory_unlock_all()

-- name: begin_life
-- The queue clock goes on from where the node that is furthest has it.
INSERT INTO nodes (node, epoch, queue_clock, counted_clock, turns, seen_at, since, gone, began, trimmed)
SELECT %(node)s, nextval('lives'), c.furthest, c.furthest, 0, clock_timestamp(), clock_timestamp(), false, 0, 0
FROM (SELECT coalesce(max(queue_clock), 0) AS furthest FROM nodes) AS c
ON CONFLICT (node) DO UPDATE
SET epoch = excluded.epoch, queue_clock = excluded.queue_clock, seen_at = excluded.seen_at, since = excluded.since,
    gone = false, began = nodes.turns
RETURNING epoch, queue_clock

-- name: wait_briefly
-- Whoever waits for longer has no turn meanwhile, and so counts as gone.
SET LOCAL lock_timeout = '5s'

-- name: other_nodes
SELECT node FROM nodes WHERE node <> %(node)s ORDER BY node

-- name: see_node
-- Waits for a turn that has begun: that node does not know yet that there is this one, and tells it nothing.
SELECT turns FROM nodes WHERE node = %(node)s FOR SHARE

-- name: database_at
SELECT extract(epoch FROM clock_timestamp())::double precision

-- name: epoch
SELECT epoch FROM nodes WHERE node = %(node)s

-- name: set_schema
UPDATE meta SET schema = %(schema)s

-- name: make_meta
CREATE TABLE meta (schema integer NOT NULL, key bytea NOT NULL)

-- name: fill_meta
INSERT INTO meta VALUES (0, %(key)s)

-- name: keep_clock
UPDATE nodes SET queue_clock = greatest(queue_clock, %(clock)s::double precision)
WHERE node = %(node)s AND epoch = %(epoch)s

-- name: turns
-- With its lock: a transaction that may still end has it.
SELECT turns FROM nodes WHERE node = %(node)s FOR UPDATE

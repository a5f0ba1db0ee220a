BEGIN TRANSACTION;
CREATE TABLE acts (
    number  INTEGER PRIMARY KEY AUTOINCREMENT,   -- no number comes twice, although old rows go
    at      REAL NOT NULL,                       -- UTC
    actor   TEXT NOT NULL,
    token   TEXT NOT NULL,                       -- '': none of the table tokens
    remote  TEXT NOT NULL,
    action  TEXT NOT NULL,
    target  TEXT NOT NULL,
    detail  TEXT NOT NULL,
    outcome TEXT NOT NULL,
    clock   REAL NOT NULL                        -- of the queue clock: its age
) STRICT;
INSERT INTO "acts" VALUES(1,1795640400.0,'anna','','127.0.0.1','job.cancel','job-3','not wanted','done',12.5);
CREATE TABLE attempts (
    id          TEXT PRIMARY KEY,
    job         INTEGER NOT NULL,
    number      INTEGER,
    worker      TEXT,
    worker_name TEXT,
    boot        TEXT,
    offered_at  REAL NOT NULL,
    started_at  REAL,
    ended_at    REAL,
    late_at     REAL,
    cause       TEXT,
    error       TEXT,
    evidence    TEXT
, task_version TEXT) STRICT, WITHOUT ROWID;
INSERT INTO "attempts" VALUES('0000000001-000000-00000000000000000000000000000001',1,1,'worker-1','Anna','boot-1',1800000000.001,1.80000000000199985496e+09,1.80000000000399971011e+09,NULL,'succeeded',NULL,NULL,NULL);
INSERT INTO "attempts" VALUES('0000000002-000000-00000000000000000000000000000002',2,1,'worker-1','Anna','boot-1',1.80000000000599956516e+09,1.80000000000599956516e+09,1.80000000000699949265e+09,NULL,'error','{"message":"no"}',NULL,NULL);
INSERT INTO "attempts" VALUES('0000000005-000000-00000000000000000000000000000003',5,1,'worker-1','Anna','boot-1',1.80000000201299905772e+09,1.80000000201399898529e+09,1.80000000201499891277e+09,NULL,'lost',NULL,NULL,NULL);
INSERT INTO "attempts" VALUES('0000000006-000000-00000000000000000000000000000004',6,1,'worker-1','Anna','boot-1',1.80000000201699876783e+09,1.8000000020179986954e+09,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "attempts" VALUES('0000000007-000000-00000000000000000000000000000005',7,1,'worker-1','Anna','boot-1',1.80000000202099847794e+09,1.80000000202099847794e+09,1.80000000202199840551e+09,NULL,'error','{"message":"no"}',NULL,NULL);
INSERT INTO "attempts" VALUES('000000000b-000000-00000000000000000000000000000001',11,1,'worker-1','Anna','boot-1',1.80000000000599956516e+09,1.80000000000699949265e+09,1.80000000000799942022e+09,NULL,'error','{"message":"no"}',NULL,NULL);
CREATE TABLE credentials (
    worker  TEXT PRIMARY KEY,
    token   TEXT NOT NULL,                -- the id of the token with which it has joined
    digests BLOB NOT NULL,                -- SHA-256, 32 bytes each, of those that were given last, the newest first
    at      REAL NOT NULL                 -- UTC: when it joined
) STRICT, WITHOUT ROWID;
CREATE TABLE deliveries (
    number   INTEGER PRIMARY KEY,
    message  TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    event    TEXT NOT NULL,
    job      TEXT NOT NULL,
    attempt  INTEGER NOT NULL,
    at       REAL NOT NULL,
    ms       INTEGER NOT NULL,
    status   INTEGER,                   -- NULL: there was no answer
    error    TEXT,
    outcome  TEXT NOT NULL              -- delivered, failed, dead
) STRICT;
INSERT INTO "deliveries" VALUES(1,'msg-1','shop','job.succeeded','job-1',1,1800000004.5,12,500,'the answer was 500','failed');
CREATE TABLE endings (
    step_s    INTEGER NOT NULL,           -- 60 or 3600
    start     INTEGER NOT NULL,           -- UTC seconds
    type      TEXT NOT NULL,              -- '': all types
    succeeded INTEGER NOT NULL,
    failed    INTEGER NOT NULL,
    cancelled INTEGER NOT NULL,
    expired   INTEGER NOT NULL,
    wait      TEXT NOT NULL,              -- JSON: {bucket: count}
    run       TEXT NOT NULL,              -- the same
    PRIMARY KEY (step_s, start, type)
) STRICT, WITHOUT ROWID;
CREATE TABLE endpoints (
    id         TEXT PRIMARY KEY,
    url        TEXT NOT NULL,
    events     TEXT NOT NULL,           -- JSON: an array of names
    types      TEXT NOT NULL,           -- JSON: an array; empty: all types
    secret     TEXT NOT NULL,           -- as it is: messages are signed with it
    old_secret TEXT,                    -- signs, too, until old_until (UTC, as all instants here but ``due``)
    old_until  REAL,
    enabled    INTEGER NOT NULL,
    reason     TEXT,                    -- why it is not enabled
    name       TEXT NOT NULL,
    made_by    TEXT NOT NULL,
    made_at    REAL NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "endpoints" VALUES('shop','https://shop.example/x','["job.succeeded"]','[]','whsec_YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4','whsec_eHd2dXRzcnFwb25tbGtqaWhnZmVkY2Jh',1800000300.0,1,NULL,'the shop','anna',1800000000.0);
CREATE TABLE job_data (seq INTEGER PRIMARY KEY, data TEXT NOT NULL) STRICT;
INSERT INTO "job_data" VALUES(1,'{"a":1.0}');
INSERT INTO "job_data" VALUES(2,'1');
INSERT INTO "job_data" VALUES(3,'1');
INSERT INTO "job_data" VALUES(4,'1');
INSERT INTO "job_data" VALUES(5,'1');
INSERT INTO "job_data" VALUES(6,'1');
INSERT INTO "job_data" VALUES(7,'1');
INSERT INTO "job_data" VALUES(8,'1');
INSERT INTO "job_data" VALUES(9,'"x"');
INSERT INTO "job_data" VALUES(10,'1');
INSERT INTO "job_data" VALUES(11,'{}');
CREATE TABLE job_tags (
    tag TEXT NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (tag, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO "job_tags" VALUES('rush',1);
CREATE TABLE "jobs" (
    seq         INTEGER PRIMARY KEY,
    state       TEXT NOT NULL,
    rank        REAL,
    run_at      REAL,
    attempt     TEXT,
    claims      INTEGER NOT NULL,
    number      INTEGER NOT NULL,
    errors      INTEGER NOT NULL,
    crashes     INTEGER NOT NULL,
    reason      TEXT,
    detail      TEXT,
    error       TEXT,
    percent     REAL,
    note        TEXT,
    worker      TEXT,
    worker_name TEXT,
    offered_at  REAL,
    started_at  REAL,
    ended_at    REAL,
    backoff_until REAL,                   -- of the queue clock; set while it backs off
    ended_clock REAL,                     -- of the queue clock; set once it has ended
    id          TEXT NOT NULL UNIQUE,
    lane        INTEGER NOT NULL,
    type        TEXT NOT NULL,
    terms       TEXT NOT NULL,            -- JSON: dispatcher/core/jobs/terms.py
    size        INTEGER NOT NULL,
    expires_at  REAL,
    created_at  REAL NOT NULL,
    key         TEXT,
    fingerprint TEXT NOT NULL
, about TEXT, batch TEXT, owner TEXT GENERATED ALWAYS AS (json_extract(about, '$.owner')) VIRTUAL, ready_at REAL) STRICT;
INSERT INTO "jobs" VALUES(1,'succeeded',NULL,NULL,'0000000001-000000-00000000000000000000000000000001',1,1,0,0,NULL,NULL,NULL,NULL,NULL,'worker-1','Anna',1800000000.001,1.80000000000199985496e+09,1.80000000000399971011e+09,NULL,2.02399999999999868904e+00,'job-1',1,'echo','{"priority":0,"timeout_s":60.0,"max_attempts":3,"max_crashes":5,"heartbeat_s":null,"effects":"repeat"}',9,NULL,1800000000.0,'key-1','print-1','{"tags":["rush"],"summary":"order 4711"}',NULL,NULL);
INSERT INTO "jobs" VALUES(2,'failed',NULL,NULL,'0000000002-000000-00000000000000000000000000000002',1,1,1,0,'error','no','{"message":"no"}',NULL,NULL,'worker-1','Anna',1.80000000000599956516e+09,1.80000000000599956516e+09,1.80000000000699949265e+09,NULL,2.02399999999999868904e+00,'job-2',2,'other','{"priority":5,"timeout_s":60.0,"max_attempts":3,"max_crashes":5,"heartbeat_s":null,"effects":"repeat"}',1,NULL,1.80000000000499963759e+09,NULL,'',NULL,NULL,NULL);
INSERT INTO "jobs" VALUES(3,'cancelled',NULL,NULL,NULL,0,0,0,0,'cancelled','not wanted',NULL,NULL,NULL,NULL,NULL,NULL,NULL,1.80000000000899934762e+09,NULL,2.02399999999999868904e+00,'job-3',2,'other','{"priority":0,"timeout_s":60.0,"max_attempts":3,"max_crashes":5,"heartbeat_s":null,"effects":"repeat"}',1,NULL,1.80000000000799942022e+09,NULL,'',NULL,NULL,NULL);
INSERT INTO "jobs" VALUES(4,'expired',NULL,NULL,NULL,0,0,0,0,'expired',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,1.80000000201099920275e+09,NULL,2.02399999999999868904e+00,'job-4',3,'brief','{"priority":0,"timeout_s":60.0,"max_attempts":3,"max_crashes":5,"heartbeat_s":null,"effects":"repeat"}',1,1.80000000100999927527e+09,1.80000000000999927519e+09,NULL,'',NULL,NULL,NULL);
INSERT INTO "jobs" VALUES(5,'in_doubt',NULL,NULL,'0000000005-000000-00000000000000000000000000000003',1,1,0,0,'lost',NULL,NULL,NULL,NULL,'worker-1','Anna',1.80000000201299905772e+09,1.80000000201399898529e+09,NULL,NULL,NULL,'job-5',4,'once','{"priority":0,"timeout_s":60.0,"max_attempts":3,"max_crashes":5,"heartbeat_s":null,"effects":"once"}',1,NULL,1.80000000201199913032e+09,NULL,'',NULL,NULL,NULL);
INSERT INTO "jobs" VALUES(6,'running',2.01599999999999957012e+00,NULL,'0000000006-000000-00000000000000000000000000000004',1,1,0,0,NULL,NULL,NULL,40.0,'half','worker-1','Anna',1.80000000201699876783e+09,1.8000000020179986954e+09,NULL,NULL,NULL,'job-6',1,'echo','{"priority":0,"timeout_s":60.0,"max_attempts":3,"max_crashes":5,"heartbeat_s":5.0,"effects":"repeat"}',1,NULL,1.80000000201599884034e+09,NULL,'',NULL,NULL,NULL);
INSERT INTO "jobs" VALUES(7,'scheduled',NULL,1.80000005202199840547e+09,'0000000007-000000-00000000000000000000000000000005',1,1,1,0,'error','no','{"message":"no"}',NULL,NULL,'worker-1','Anna',1.80000000202099847794e+09,1.80000000202099847794e+09,NULL,NULL,NULL,'job-7',5,'late','{"priority":0,"timeout_s":60.0,"max_attempts":3,"max_crashes":5,"heartbeat_s":null,"effects":"repeat"}',1,NULL,1.80000000201999855046e+09,NULL,'',NULL,NULL,NULL);
INSERT INTO "jobs" VALUES(8,'scheduled',NULL,1.80000050202299833298e+09,NULL,0,0,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'job-8',6,'tomorrow','{"priority":0,"timeout_s":60.0,"max_attempts":3,"max_crashes":5,"heartbeat_s":null,"effects":"repeat"}',1,NULL,1.80000000202299833291e+09,NULL,'',NULL,NULL,NULL);
INSERT INTO "jobs" VALUES(9,'queued',2.02399999999999868904e+00,NULL,NULL,0,0,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'job-9',7,'waits','{"priority":0,"timeout_s":60.0,"max_attempts":3,"max_crashes":5,"heartbeat_s":null,"effects":"repeat"}',3,NULL,1.80000000202399826048e+09,NULL,'',NULL,NULL,NULL);
INSERT INTO "jobs" VALUES(10,'queued',122.024,NULL,NULL,0,0,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'job-10',7,'waits','{"priority":-2,"timeout_s":60.0,"max_attempts":3,"max_crashes":5,"heartbeat_s":null,"effects":"repeat"}',1,NULL,1.80000000202399826048e+09,NULL,'',NULL,NULL,NULL);
INSERT INTO "jobs" VALUES(11,'scheduled',NULL,1.80000010000799942014e+09,'000000000b-000000-00000000000000000000000000000001',1,1,1,0,'error','no','{"message":"no"}',NULL,NULL,'worker-1','Anna',1.80000000000599956516e+09,1.80000000000699949265e+09,NULL,1.0203200006484985352e+02,NULL,'job-11',8,'backs-off','{"priority":2,"timeout_s":7.5,"max_attempts":4,"max_crashes":2,"heartbeat_s":3.0,"effects":"repeat"}',2,NULL,1.80000000000499963759e+09,NULL,'',NULL,NULL,NULL);
CREATE TABLE kept (
    worker  TEXT PRIMARY KEY,
    called  TEXT NOT NULL,                -- its name when somebody last said something of it
    name    TEXT NOT NULL,                -- '': the page's name stands
    labels  TEXT NOT NULL,                -- JSON: [[label, value], ...]
    note    TEXT NOT NULL,
    paused  TEXT,                         -- JSON: [at, by, reason, leaves]; NULL: it is not
    blocked TEXT                          -- the same
) STRICT, WITHOUT ROWID;
INSERT INTO "kept" VALUES('0123456789abcdef0123456789abcdef','FRONT-DESK-07','','[["printer","zebra"]]','by the window','[1795640400.0,"ann","lunch",false]',NULL);
CREATE TABLE kept_types (
    type   TEXT PRIMARY KEY,
    paused TEXT                           -- JSON: [at, by, reason, leaves]; NULL: it is not
, defaults TEXT) STRICT, WITHOUT ROWID;
INSERT INTO "kept_types" VALUES('other','[1800000005.0,"ann","no paper",false]',NULL);
CREATE TABLE "lanes" (
    lane       INTEGER PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,
    type       TEXT NOT NULL,
    offered_at REAL                       -- of a lane that is a type alone: when a worker first offered it
) STRICT;
INSERT INTO "lanes" VALUES(1,'echo','echo',1.80000000202499818796e+09);
INSERT INTO "lanes" VALUES(2,'other','other',1.80000000202499818796e+09);
INSERT INTO "lanes" VALUES(3,'brief','brief',NULL);
INSERT INTO "lanes" VALUES(4,'once','once',NULL);
INSERT INTO "lanes" VALUES(5,'late','late',NULL);
INSERT INTO "lanes" VALUES(6,'tomorrow','tomorrow',NULL);
INSERT INTO "lanes" VALUES(7,'waits','waits',NULL);
INSERT INTO "lanes" VALUES(8,'backs-off','backs-off',NULL);
CREATE TABLE "logs" (
    job     INTEGER NOT NULL,
    line_no INTEGER NOT NULL,             -- counts the job's lines from 1
    attempt TEXT NOT NULL,
    at      REAL NOT NULL,
    line    TEXT NOT NULL,
    PRIMARY KEY (job, line_no)
) STRICT, WITHOUT ROWID;
INSERT INTO "logs" VALUES(1,1,'0000000001-000000-00000000000000000000000000000001',1.80000000000299978254e+09,'a line');
CREATE TABLE messages (
    number   INTEGER PRIMARY KEY,
    id       TEXT NOT NULL UNIQUE,
    endpoint TEXT NOT NULL,             -- its id
    target   TEXT NOT NULL,             -- the messages of one target are sent some at a time: the endpoint's id
    event    TEXT NOT NULL,
    job      TEXT NOT NULL,
    body     TEXT NOT NULL,             -- what is sent, byte for byte
    at       REAL NOT NULL,
    attempts INTEGER NOT NULL,
    due      REAL                       -- an instant of the queue clock; NULL: the message is dead
, url TEXT) STRICT;
INSERT INTO "messages" VALUES(1,'msg-1','shop','shop','job.succeeded','job-1','{"type": "job.succeeded"}',1800000004.0,2,310.0,NULL);
INSERT INTO "messages" VALUES(2,'msg-2','shop','shop','job.failed','job-2','{"type": "job.failed"}',1800000005.0,10,NULL,NULL);
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value ANY
) STRICT, WITHOUT ROWID;
INSERT INTO "meta" VALUES('counted_clock',2.03199999999999869615e+00);
INSERT INTO "meta" VALUES('epoch',5);
INSERT INTO "meta" VALUES('key',X'32FC037C1933BF6B7B2053989B868F424286D498858EF98D17A580E00EC946E4');
INSERT INTO "meta" VALUES('log','moved c64db78db87c8405 c64db78db87c8405');
INSERT INTO "meta" VALUES('queue_clock',2.03199999999999869615e+00);
CREATE TABLE results (seq INTEGER PRIMARY KEY, value TEXT NOT NULL) STRICT;
INSERT INTO "results" VALUES(1,'{"ok":"€"}');
CREATE TABLE tallies (
    lane  INTEGER NOT NULL,
    state TEXT NOT NULL,
    jobs  INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (lane, state)
) STRICT, WITHOUT ROWID;
INSERT INTO "tallies" VALUES(1,'queued',0,0);
INSERT INTO "tallies" VALUES(1,'running',1,1);
INSERT INTO "tallies" VALUES(1,'succeeded',1,9);
INSERT INTO "tallies" VALUES(2,'cancelled',1,1);
INSERT INTO "tallies" VALUES(2,'failed',1,1);
INSERT INTO "tallies" VALUES(2,'queued',0,0);
INSERT INTO "tallies" VALUES(2,'running',0,0);
INSERT INTO "tallies" VALUES(3,'expired',1,1);
INSERT INTO "tallies" VALUES(3,'queued',0,0);
INSERT INTO "tallies" VALUES(4,'in_doubt',1,1);
INSERT INTO "tallies" VALUES(4,'queued',0,0);
INSERT INTO "tallies" VALUES(4,'running',0,0);
INSERT INTO "tallies" VALUES(5,'queued',0,0);
INSERT INTO "tallies" VALUES(5,'running',0,0);
INSERT INTO "tallies" VALUES(5,'scheduled',1,1);
INSERT INTO "tallies" VALUES(6,'scheduled',1,1);
INSERT INTO "tallies" VALUES(7,'queued',2,4);
INSERT INTO "tallies" VALUES(8,'queued',0,0);
INSERT INTO "tallies" VALUES(8,'running',0,0);
INSERT INTO "tallies" VALUES(8,'scheduled',1,2);
CREATE TABLE tokens (
    id           TEXT PRIMARY KEY,
    digest       BLOB NOT NULL,
    name         TEXT NOT NULL,
    scopes       TEXT NOT NULL,           -- JSON: an array of names
    types        TEXT NOT NULL,           -- JSON: an array; empty: bound to no type
    made_by      TEXT NOT NULL,
    made_at      REAL NOT NULL,
    expires_at   REAL,                    -- UTC, as all instants here; NULL: never
    revoked_at   REAL,
    last_used_at REAL
, labels TEXT NOT NULL DEFAULT '{}', uses INTEGER, used INTEGER NOT NULL DEFAULT 0, jobs_per_minute INTEGER) STRICT, WITHOUT ROWID;
INSERT INTO "tokens" VALUES('token-1',X'00FF','cash desk','["submit"]','[]','console',1800000000.0,NULL,NULL,NULL,'{}',NULL,0,NULL);
CREATE TABLE workers (
    name       TEXT PRIMARY KEY,
    place      TEXT NOT NULL,             -- the name in the form that sorts as people count
    gone_at    REAL,                      -- UTC; NULL: it is here
    gone_clock REAL                       -- the same by the queue clock: its age
, habit TEXT, habit_before TEXT, worker TEXT, diary TEXT) STRICT, WITHOUT ROWID;
CREATE INDEX jobs_ready ON jobs (lane, rank, seq) WHERE state = 'queued';
CREATE INDEX jobs_due ON jobs (run_at) WHERE state = 'scheduled' AND backoff_until IS NULL;
CREATE INDEX jobs_backing_off ON jobs (backoff_until) WHERE backoff_until IS NOT NULL;
CREATE INDEX jobs_expiring ON jobs (expires_at) WHERE expires_at IS NOT NULL AND state IN ('scheduled', 'queued');
CREATE INDEX jobs_outlived ON jobs (ended_clock) WHERE ended_clock IS NOT NULL AND key IS NULL;
CREATE INDEX jobs_outlived_keyed ON jobs (ended_clock) WHERE ended_clock IS NOT NULL AND key IS NOT NULL;
CREATE INDEX jobs_rare ON jobs (state, seq)
    WHERE state = 'failed' OR state = 'cancelled' OR state = 'expired' OR state = 'in_doubt';
CREATE UNIQUE INDEX jobs_key ON jobs (key) WHERE key IS NOT NULL;
CREATE INDEX workers_here ON workers (name) WHERE gone_at IS NULL;
CREATE INDEX workers_missing ON workers (place, name, gone_at) WHERE gone_at IS NOT NULL;
CREATE INDEX workers_outlived ON workers (gone_clock, name) WHERE gone_clock IS NOT NULL;
CREATE INDEX jobs_batch ON jobs (batch, seq) WHERE batch IS NOT NULL;
CREATE INDEX acts_at ON acts (number / 1000, at);
CREATE INDEX acts_actor ON acts (actor);
CREATE INDEX acts_action ON acts (action);
CREATE INDEX acts_target ON acts (target);
CREATE INDEX messages_due ON messages (target, due, number) WHERE due IS NOT NULL;
CREATE INDEX messages_dead ON messages (endpoint, number) WHERE due IS NULL;
CREATE INDEX deliveries_of ON deliveries (endpoint, number);
CREATE INDEX deliveries_bad ON deliveries (endpoint, number) WHERE outcome <> 'delivered';
CREATE INDEX messages_at ON messages (at) WHERE due IS NOT NULL;
CREATE INDEX jobs_owner ON jobs (owner, seq) WHERE owner IS NOT NULL;
CREATE INDEX workers_by_id ON workers (worker) WHERE worker IS NOT NULL;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('acts',1);
COMMIT;

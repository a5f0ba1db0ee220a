-- 0001: everything. Names that are compared or ordered are of the collation "C": the order of their characters.
-- Instants are UTC seconds, but those that are said to be of the queue clock.

-- The nodes that have used this store, and in which life each is. Each of its turns touches its row first: that is its
-- heartbeat and its fence, and holds its queue clock. What it had may be taken over once it was silent for 10 s, by a
-- node that was there itself all that time; its epoch is raised then, so it writes nothing any more.
CREATE TABLE nodes (
    node          text COLLATE "C" PRIMARY KEY,
    epoch         bigint NOT NULL,
    queue_clock   double precision NOT NULL,
    counted_clock double precision NOT NULL, -- of the queue clock: jobs that ended up to then are counted (table endings)
    turns         bigint NOT NULL,          -- so many it has had: if the answer to a COMMIT is lost, this tells the outcome
    seen_at       timestamptz NOT NULL,     -- when its last turn began
    since         timestamptz NOT NULL,     -- since when it has never been silent for long
    gone          boolean NOT NULL,         -- another node has taken over what it had
    began         bigint NOT NULL,          -- turns that it had had when its life began
    trimmed       bigint NOT NULL           -- what it told (table news) up to this turn may be gone
) WITH (fillfactor = 50);

-- Numbers of lives: none comes twice, so a node of which nothing is kept any more cannot write either.
CREATE SEQUENCE lives;

-- What a turn of a node tells the others. They read it in turns of theirs.
CREATE TABLE news (
    node text COLLATE "C" NOT NULL,
    turn bigint NOT NULL,
    at   timestamptz NOT NULL,
    news text NOT NULL,                     -- JSON: dispatcher/core/jobs/news.py
    PRIMARY KEY (node, turn)
);
-- It is gone in half a minute: to compress it would cost more than it saves.
ALTER TABLE news ALTER COLUMN news SET STORAGE EXTERNAL;

-- What a worker must match: a type, and what its jobs require. A requirement may be long, so a lane's key is the
-- beginning of the SHA-256 of its name (dispatcher/store/postgres/keys.py).
CREATE TABLE lanes (
    lane       uuid PRIMARY KEY,
    name       text NOT NULL,
    type       text COLLATE "C" NOT NULL,
    wanted     uuid[] NOT NULL,             -- a key of each (label, value) that it requires
    offered_at double precision             -- of a lane that is a type alone: when a worker first offered it
);
CREATE INDEX lanes_type ON lanes (type);
CREATE INDEX lanes_wanted ON lanes USING gin (wanted);

-- Which types the workers of each node offer: nobody forgets those of another.
CREATE TABLE offered (
    type text COLLATE "C" NOT NULL,
    node text COLLATE "C" NOT NULL,
    PRIMARY KEY (type, node)
);
CREATE INDEX offered_by ON offered (node);

CREATE SEQUENCE job_numbers;

CREATE TABLE jobs (
    seq           bigint PRIMARY KEY,
    state         text NOT NULL,
    rank          double precision,
    run_at        double precision,
    attempt       text,
    claims        bigint NOT NULL,
    number        bigint NOT NULL,
    errors        bigint NOT NULL,
    crashes       bigint NOT NULL,
    reason        text,
    detail        text,
    error         text,
    percent       double precision,
    note          text,
    worker        text,
    worker_name   text,
    offered_at    double precision,
    started_at    double precision,
    ended_at      double precision,
    backoff_until double precision,         -- of the queue clock; set while it backs off
    ended_clock   double precision,         -- of the queue clock; set once it has ended
    ready_at      double precision,         -- when it became ready the last time; NULL: when it was made
    id            text COLLATE "C" NOT NULL,
    type          text COLLATE "C" NOT NULL,
    terms         text NOT NULL,            -- JSON: dispatcher/core/jobs/terms.py
    size          bigint NOT NULL,
    expires_at    double precision,
    created_at    double precision NOT NULL,
    key           text COLLATE "C",
    fingerprint   text NOT NULL,
    about         text,                     -- JSON: dispatcher/core/jobs/about.py; NULL: nothing was said
    batch         text COLLATE "C",
    lane          uuid NOT NULL,
    owner         text COLLATE "C",         -- from about
    error_code    text COLLATE "C",         -- from error
    node          text COLLATE "C" NOT NULL -- which has its attempt, or has ended it; until then, which took it in
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);

-- Of jobs of the same instant the one that came first goes first.
CREATE INDEX jobs_ready ON jobs (lane, rank, seq) WHERE state = 'queued';
CREATE INDEX jobs_due ON jobs (run_at, seq) WHERE state = 'scheduled' AND backoff_until IS NULL;
CREATE INDEX jobs_backing_off ON jobs (backoff_until, seq) WHERE backoff_until IS NOT NULL;
CREATE INDEX jobs_expiring ON jobs (expires_at, seq) WHERE expires_at IS NOT NULL AND state IN ('scheduled', 'queued');
CREATE INDEX jobs_running ON jobs (node, seq) WHERE state = 'running';
CREATE INDEX jobs_of_worker ON jobs (worker) WHERE state = 'running' AND worker IS NOT NULL;
CREATE INDEX jobs_outlived ON jobs (ended_clock, seq) WHERE ended_clock IS NOT NULL AND key IS NULL;
CREATE INDEX jobs_outlived_keyed ON jobs (ended_clock, seq) WHERE ended_clock IS NOT NULL AND key IS NOT NULL;
-- Lists for people ask for these among millions that succeeded.
CREATE INDEX jobs_rare ON jobs (state, seq) WHERE state IN ('failed', 'cancelled', 'expired', 'in_doubt');
-- Keys that two nodes take in at once are decided here.
CREATE UNIQUE INDEX jobs_key ON jobs (key) WHERE key IS NOT NULL;
CREATE INDEX jobs_batch ON jobs (batch, seq) WHERE batch IS NOT NULL;
CREATE INDEX jobs_owner ON jobs (owner, seq) WHERE owner IS NOT NULL;

-- Apart from jobs, so that a change of state does not write the payload again. A job is found by its id here: each
-- change of state makes a new entry in all indexes of jobs.
CREATE TABLE job_data (seq bigint PRIMARY KEY, id text COLLATE "C" NOT NULL UNIQUE, data text NOT NULL);
CREATE TABLE results (seq bigint PRIMARY KEY, value text NOT NULL);
CREATE TABLE job_tags (tag text COLLATE "C" NOT NULL, seq bigint NOT NULL, PRIMARY KEY (tag, seq));
CREATE INDEX job_tags_of ON job_tags (seq);

-- The ids of a job's attempts sort by age.
CREATE TABLE attempts (
    id          text COLLATE "C" NOT NULL,
    job         bigint NOT NULL,
    number      bigint,
    worker      text,
    worker_name text,
    boot        text,
    offered_at  double precision NOT NULL,
    started_at  double precision,
    ended_at    double precision,
    late_at     double precision,
    cause       text,
    error       text,
    evidence    text,
    task_version text,                      -- as its page said it; NULL: it did not say
    last_line   bigint,                     -- up to which of its page's lines its log has come; NULL: the page does not count them
    node        text COLLATE "C",           -- which had it when this was written last
    PRIMARY KEY (job, id)
);

CREATE TABLE logs (
    job     bigint NOT NULL,
    line_no integer NOT NULL,               -- counts the job's lines from 1
    attempt text NOT NULL,
    at      double precision NOT NULL,
    line    text NOT NULL,
    PRIMARY KEY (job, line_no)
);

-- Kept by the turn: how many jobs of a lane are in a state, and the bytes of their data. Each node has rows of its own,
-- so that none waits for another's; one may be below zero, and their sum counts. Of all lanes: the lane of zeros.
CREATE TABLE tallies (
    lane  uuid NOT NULL,
    state text COLLATE "C" NOT NULL,
    node  text COLLATE "C" NOT NULL,
    jobs  bigint NOT NULL,
    bytes bigint NOT NULL,
    PRIMARY KEY (lane, state, node)
) WITH (fillfactor = 50);

-- The names of workers that are here or have been, so that one that is missing is seen.
CREATE TABLE workers (
    name       text COLLATE "C" PRIMARY KEY,
    place      text COLLATE "C" NOT NULL,   -- the name in the form that sorts as people count
    node       text COLLATE "C" NOT NULL,   -- where it was seen last
    gone_at    double precision,            -- NULL: it is here
    gone_clock double precision,            -- the same by the queue clock: its age
    habit      text COLLATE "C",            -- a sign for each hour of the week: core/jobs/habits.py; NULL: there is none yet
    habit_before text COLLATE "C",          -- the same of a week earlier
    worker     text COLLATE "C",            -- the id of the worker that has the name, or had it last; NULL: not noted
    diary      text                         -- JSON: core/jobs/diaries.py; NULL: there is none yet
);
CREATE INDEX workers_here ON workers (node) WHERE gone_at IS NULL;
CREATE INDEX workers_missing ON workers (place, name) WHERE gone_at IS NOT NULL;
CREATE INDEX workers_outlived ON workers (gone_clock, name) WHERE gone_clock IS NOT NULL;
CREATE INDEX workers_by_id ON workers (worker) WHERE worker IS NOT NULL;

-- The workers that each node has, for the others.
CREATE TABLE seen (
    worker text COLLATE "C" PRIMARY KEY,
    node   text COLLATE "C" NOT NULL,
    name   text COLLATE "C" NOT NULL,
    place  text COLLATE "C" NOT NULL,       -- as in workers
    state  text NOT NULL,
    paused boolean NOT NULL,
    types  text[] NOT NULL,
    labels text[] NOT NULL,                 -- 'label:value'
    slots  bigint NOT NULL,
    since  double precision NOT NULL,       -- when it was first seen at this node
    boot   text COLLATE "C" NOT NULL,       -- its page, and which of its sessions it spoke in last (0: unknown)
    sessions bigint NOT NULL
);
CREATE INDEX seen_of ON seen (node);
CREATE INDEX seen_by_name ON seen (place, name, worker);

-- Tokens of access. Of each the SHA-256 is kept, never the token itself.
CREATE TABLE tokens (
    id           text COLLATE "C" PRIMARY KEY,
    digest       bytea NOT NULL,
    name         text NOT NULL,
    scopes       text NOT NULL,             -- JSON: an array of names
    types        text NOT NULL,             -- JSON: an array; empty: bound to no type
    made_by      text NOT NULL,
    made_at      double precision NOT NULL,
    expires_at   double precision,          -- NULL: never
    revoked_at   double precision,
    last_used_at double precision,
    labels       text NOT NULL,             -- JSON: those of the pages that come with it
    uses         bigint,                    -- NULL: it is no token for joining
    used         bigint NOT NULL,           -- how many workers have joined with it
    jobs_per_minute bigint,                 -- NULL: as many as there is room for
    CHECK (uses IS NULL OR used <= uses)    -- nodes that spend the last use at once: one of them is refused
);

-- The credential of each worker that has joined.
CREATE TABLE credentials (
    worker  text COLLATE "C" PRIMARY KEY,
    token   text NOT NULL,                  -- the id of the token with which it has joined
    digests bytea NOT NULL,                 -- SHA-256, 32 bytes each, of those that were given last, the newest first
    at      double precision NOT NULL       -- when it joined
);

-- The audit log: who has done what, and from where.
CREATE TABLE acts (
    number  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      double precision NOT NULL,
    actor   text COLLATE "C" NOT NULL,
    token   text NOT NULL,                  -- '': none of the table tokens
    remote  text NOT NULL,
    action  text COLLATE "C" NOT NULL,
    target  text COLLATE "C" NOT NULL,
    detail  text NOT NULL,
    outcome text NOT NULL,
    clock   double precision NOT NULL       -- of the queue clock: its age
);
-- Of a long target its beginning: an index holds no long texts.
CREATE INDEX acts_actor ON acts (left(actor, 200), number);
CREATE INDEX acts_action ON acts (left(action, 200), number);
CREATE INDEX acts_target ON acts (left(target, 200), number);

-- What operators have said of workers, by their ids, and of types.
CREATE TABLE kept (
    worker  text COLLATE "C" PRIMARY KEY,
    called  text NOT NULL,                  -- its name when somebody last said something of it
    name    text NOT NULL,                  -- '': the page's name stands
    labels  text NOT NULL,                  -- JSON: [[label, value], ...]
    note    text NOT NULL,
    paused  text,                           -- JSON: [at, by, reason, leaves]; NULL: it is not
    blocked text                            -- the same
);
CREATE TABLE kept_types (
    type     text COLLATE "C" PRIMARY KEY,
    paused   text,
    defaults text                           -- JSON: {name of a term: value}; NULL: there are none
);

-- How jobs have ended, by type, minute and hour.
CREATE TABLE endings (
    step_s    bigint NOT NULL,              -- 60 or 3600
    start     bigint NOT NULL,
    type      text COLLATE "C" NOT NULL,    -- '': all types
    succeeded bigint NOT NULL,
    failed    bigint NOT NULL,
    cancelled bigint NOT NULL,
    expired   bigint NOT NULL,
    wait      text NOT NULL,                -- JSON: {bucket: count} (dispatcher/core/jobs/views/histograms.py)
    run       text NOT NULL,                -- the same
    PRIMARY KEY (step_s, start, type)
) WITH (fillfactor = 50);

-- Ends that their nodes may not have counted, of jobs that another node has removed, or has had go on.
CREATE TABLE uncounted (
    node        text COLLATE "C" NOT NULL,
    ended_clock double precision NOT NULL,
    ended_at    double precision,
    type        text NOT NULL,
    state       text NOT NULL,
    reason      text,
    created_at  double precision NOT NULL,
    ready_at    double precision,
    started_at  double precision
);
CREATE INDEX uncounted_of ON uncounted (node, ended_clock);

CREATE FUNCTION add_histograms(one text, other text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(json_object_agg(bucket, number), '{}')::text FROM (
        SELECT key AS bucket, sum(value::bigint) AS number
        FROM (SELECT * FROM json_each_text(one::json) UNION ALL SELECT * FROM json_each_text(other::json)) AS both_of_them
        GROUP BY key
    ) AS sums
$$;

-- Webhooks: who is told of changes, the messages that wait, what became of the attempts to send them.
CREATE TABLE endpoints (
    id         text COLLATE "C" PRIMARY KEY,
    url        text NOT NULL,
    events     text NOT NULL,               -- JSON: an array of names
    types      text NOT NULL,               -- JSON: an array; empty: all types
    secret     text NOT NULL,               -- as it is: messages are signed with it
    old_secret text,                        -- signs, too, until old_until
    old_until  double precision,
    enabled    boolean NOT NULL,
    reason     text,                        -- why it is not enabled
    name       text NOT NULL,
    made_by    text NOT NULL,
    made_at    double precision NOT NULL
);

CREATE TABLE messages (
    number   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id       text COLLATE "C" NOT NULL UNIQUE,
    endpoint text COLLATE "C" NOT NULL,     -- its id
    target   text COLLATE "C" NOT NULL,     -- the messages of one target are sent some at a time
    url      text,                          -- NULL: the endpoint's
    event    text NOT NULL,
    job      text NOT NULL,
    body     text NOT NULL,                 -- what is sent, byte for byte
    at       double precision NOT NULL,
    attempts bigint NOT NULL,
    due      double precision               -- of the queue clock; NULL: the message is dead
);
CREATE INDEX messages_due ON messages (target, due, number) WHERE due IS NOT NULL;
CREATE INDEX messages_dead ON messages (endpoint, number) WHERE due IS NULL;
CREATE INDEX messages_at ON messages (at) WHERE due IS NOT NULL;

CREATE TABLE deliveries (
    number   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    message  text NOT NULL,
    endpoint text COLLATE "C" NOT NULL,
    event    text NOT NULL,
    job      text NOT NULL,
    attempt  bigint NOT NULL,
    at       double precision NOT NULL,
    ms       bigint NOT NULL,
    status   bigint,                        -- NULL: there was no answer
    error    text,
    outcome  text COLLATE "C" NOT NULL      -- delivered, failed, dead
);
CREATE INDEX deliveries_of ON deliveries (endpoint, number);
CREATE INDEX deliveries_bad ON deliveries (endpoint, number) WHERE outcome <> 'delivered';

-- How many there are: acts, and messages that wait for each target. Triggers keep it, so that no statement forgets to
-- count; each node has rows of its own, as in tallies.
CREATE TABLE amounts (
    what   text COLLATE "C" NOT NULL,
    name   text COLLATE "C" NOT NULL,
    node   text COLLATE "C" NOT NULL,
    number bigint NOT NULL,
    PRIMARY KEY (what, name, node)
) WITH (fillfactor = 50);

CREATE FUNCTION count_amount(a_what text, a_name text, a_number bigint) RETURNS void LANGUAGE sql AS $$
    INSERT INTO amounts VALUES (a_what, a_name, coalesce(current_setting('pagehand.node', true), ''), a_number)
    ON CONFLICT (what, name, node) DO UPDATE SET number = amounts.number + excluded.number
$$;

CREATE FUNCTION count_acts() RETURNS trigger LANGUAGE plpgsql SET search_path = pagehand AS $$ BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM count_amount('acts', '', count(*)) FROM new_rows;
    ELSE
        PERFORM count_amount('acts', '', -count(*)) FROM old_rows;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER acts_come AFTER INSERT ON acts REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION count_acts();
CREATE TRIGGER acts_go AFTER DELETE ON acts REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION count_acts();

CREATE FUNCTION count_messages() RETURNS trigger LANGUAGE plpgsql SET search_path = pagehand AS $$ BEGIN
    IF TG_OP <> 'DELETE' THEN
        PERFORM count_amount('waiting', target, count(*)) FROM new_rows WHERE due IS NOT NULL GROUP BY target;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        PERFORM count_amount('waiting', target, -count(*)) FROM old_rows WHERE due IS NOT NULL GROUP BY target;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER messages_come AFTER INSERT ON messages REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION count_messages();
CREATE TRIGGER messages_go AFTER DELETE ON messages REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION count_messages();
CREATE TRIGGER messages_change AFTER UPDATE ON messages REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION count_messages();

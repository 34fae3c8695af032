-- Background work: a row from the transaction that makes it necessary to its end. Nothing refers to rows of other tables, so that what
-- is left of a job can be read after its document is gone.
CREATE TABLE jobs (
    id TEXT COLLATE "C" PRIMARY KEY,
    kind TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'dead', 'cancelled')),
    priority INTEGER NOT NULL,
    payload TEXT NOT NULL,
    document_id TEXT COLLATE "C",
    -- At most one waiting or running job has it.
    unique_key TEXT COLLATE "C",
    run_at BIGINT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    max_attempts INTEGER NOT NULL,
    -- Per cent.
    progress INTEGER NOT NULL DEFAULT 0,
    -- What the last attempt had to say: why it failed, or what was found.
    reason TEXT,
    -- Goes up with every claim: whoever holds an older one has lost the job and can change nothing (R5).
    fence BIGINT NOT NULL DEFAULT 0,
    lease_until BIGINT,
    worker TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    started_at BIGINT,
    finished_at BIGINT
);
-- The next job is the first entry of one of these, however many wait: by urgency for a worker that takes anything, by kind for one
-- that must pass over some kinds.
CREATE INDEX jobs_waiting ON jobs (priority, run_at, id) WHERE state = 'waiting';
CREATE INDEX jobs_waiting_by_kind ON jobs (kind, priority, run_at, id) WHERE state = 'waiting';
CREATE INDEX jobs_running ON jobs (lease_until) WHERE state = 'running';
CREATE UNIQUE INDEX jobs_active_by_unique_key ON jobs (unique_key) WHERE state IN ('waiting', 'running');
CREATE INDEX jobs_by_document ON jobs (document_id, created_at, id) WHERE document_id IS NOT NULL;
CREATE INDEX jobs_by_creation ON jobs (created_at, id);
CREATE INDEX jobs_not_done ON jobs (created_at, id) WHERE state IN ('dead', 'cancelled');
CREATE INDEX jobs_ended ON jobs (finished_at) WHERE finished_at IS NOT NULL;

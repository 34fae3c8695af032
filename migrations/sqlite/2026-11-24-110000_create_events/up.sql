-- What Filestack's webhooks said: the ledger by which a delivery is known again, and the work still to be done with it. Nothing refers
-- to documents, so that what happened can be read after a document is gone.
CREATE TABLE events (
    id TEXT PRIMARY KEY NOT NULL,
    -- What makes two deliveries the same event: Filestack's number, a video's uuid, or the digest of the body.
    dedupe_key TEXT NOT NULL UNIQUE,
    filestack_id BIGINT,
    action TEXT NOT NULL,
    body BLOB NOT NULL,
    digest TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('received', 'applied', 'ignored', 'parked', 'conflict', 'unreadable', 'failed')),
    reason TEXT,
    handle TEXT,
    -- The folder of one upload of ours, when the event names a file in it.
    path TEXT,
    document_id TEXT,
    late BOOLEAN NOT NULL,
    -- Made by an administrator and not by Filestack.
    sample BOOLEAN NOT NULL,
    signed_at BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    settled_at BIGINT,
    deliveries INTEGER NOT NULL DEFAULT 1,
    attempts INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX events_by_time ON events (received_at, id);
CREATE INDEX events_by_action ON events (action, received_at, id);
-- The few that somebody has to look at, or that wait.
CREATE INDEX events_open ON events (state, received_at, id) WHERE state NOT IN ('applied', 'ignored');
CREATE INDEX events_by_handle ON events (handle, received_at, id) WHERE handle IS NOT NULL;
CREATE INDEX events_parked_by_path ON events (path) WHERE state = 'parked';
CREATE INDEX events_by_document ON events (document_id, received_at, id) WHERE document_id IS NOT NULL;

-- One row for each time that an event was delivered, up to a number.
CREATE TABLE event_deliveries (
    event_id TEXT NOT NULL REFERENCES events (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    received_at BIGINT NOT NULL,
    signed_at BIGINT NOT NULL,
    -- A list of names and values, JSON.
    headers TEXT NOT NULL,
    verdict TEXT NOT NULL,
    took_micros BIGINT NOT NULL,
    PRIMARY KEY (event_id, number)
);

-- A few of the deliveries that were refused, to find out why: never more than a hundred (W19).
CREATE TABLE event_rejections (
    seq INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    received_at BIGINT NOT NULL,
    reason TEXT NOT NULL,
    ip TEXT NOT NULL,
    headers TEXT NOT NULL,
    -- Its beginning.
    body BLOB NOT NULL,
    body_bytes BIGINT NOT NULL
);

-- What Filestack made of a document: a conversion, a video. Pending ones wait for the event with this key.
CREATE TABLE document_results (
    id TEXT PRIMARY KEY NOT NULL,
    document_id TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'done', 'failed')),
    handle TEXT,
    name TEXT NOT NULL,
    content_type TEXT NOT NULL,
    size_bytes BIGINT,
    details TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (kind, key)
);
CREATE INDEX document_results_by_document ON document_results (document_id, created_at, id);
CREATE INDEX document_results_by_handle ON document_results (handle) WHERE handle IS NOT NULL;

-- What was found out about a document's content: tags, safe for work or not, viruses; a JSON value for each kind.
CREATE TABLE document_findings (
    document_id TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    found_at BIGINT NOT NULL,
    PRIMARY KEY (document_id, kind)
);

-- Which upload a file came from, once its document is gone.
CREATE INDEX uploads_by_handle ON uploads (handle) WHERE handle IS NOT NULL;

-- An intent to store a file, written before the first byte goes to Filestack; its id becomes the document's.
CREATE TABLE uploads (
    id TEXT PRIMARY KEY NOT NULL,
    owner_id TEXT NOT NULL REFERENCES users (id),
    state TEXT NOT NULL CHECK (state IN ('started', 'stored', 'recorded', 'failed', 'abandoned')),
    name TEXT NOT NULL,
    path TEXT NOT NULL,
    handle TEXT,
    failure TEXT,
    started_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
-- The sweep looks for the unsettled ones alone.
CREATE INDEX uploads_unsettled ON uploads (updated_at) WHERE state IN ('started', 'stored');

CREATE TABLE documents (
    seq INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    id TEXT NOT NULL UNIQUE,
    owner_id TEXT NOT NULL REFERENCES users (id),
    handle TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    -- The name in lower case, for sorting and searching alike on both databases.
    name_key TEXT NOT NULL,
    content_type TEXT NOT NULL,
    declared_type TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    status TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
-- One for each order of the list; the id last makes every order total, so that pages never skip or repeat a row.
CREATE INDEX documents_by_creation ON documents (owner_id, created_at, id);
CREATE INDEX documents_by_name ON documents (owner_id, name_key, id);
CREATE INDEX documents_by_size ON documents (owner_id, size_bytes, id);

-- Which documents have a name with these three letters in a row. The words are made by the application, one list a user, so
-- that a search reads nobody else's entries; rowid is documents.seq.
CREATE VIRTUAL TABLE document_search USING fts5 (words, content = '', contentless_delete = 1, detail = 'none');

-- Files that are to be removed at Filestack and may still be there.
CREATE TABLE file_removals (
    handle TEXT PRIMARY KEY NOT NULL,
    reason TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_try_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX file_removals_by_next_try ON file_removals (next_try_at);

-- Who did what, to what, and from where. Rows are only ever added; nothing in them refers to other tables, so that what happened can be
-- read after the user or the document is gone.
CREATE TABLE audit_entries (
    id TEXT PRIMARY KEY NOT NULL,
    at BIGINT NOT NULL,
    -- Empty for what no user did: a command on the server, Filestack's word, the server itself.
    actor_id TEXT,
    actor TEXT NOT NULL,
    means TEXT NOT NULL CHECK (means IN ('session', 'token', 'nobody', 'command', 'filestack', 'server')),
    ip TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    subject_name TEXT NOT NULL,
    document_id TEXT,
    -- JSON objects with what changed; empty texts where there is nothing to say.
    before TEXT NOT NULL,
    after TEXT NOT NULL,
    -- What whoever did it gave as the reason.
    reason TEXT NOT NULL
);
CREATE INDEX audit_entries_by_time ON audit_entries (at, id);
CREATE INDEX audit_entries_by_action ON audit_entries (action, at, id);
CREATE INDEX audit_entries_by_actor ON audit_entries (actor, at, id);
CREATE INDEX audit_entries_by_subject ON audit_entries (subject, at, id);
CREATE INDEX audit_entries_by_document ON audit_entries (document_id, at, id) WHERE document_id IS NOT NULL;

CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit entries are never changed or removed';
END
$$;
CREATE TRIGGER audit_entries_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();

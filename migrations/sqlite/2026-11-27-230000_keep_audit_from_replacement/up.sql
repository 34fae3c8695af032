-- INSERT OR REPLACE removes a row without asking the triggers for removal.
CREATE TRIGGER audit_entries_are_new BEFORE INSERT ON audit_entries
WHEN EXISTS (SELECT 1 FROM audit_entries WHERE id = new.id)
BEGIN
    SELECT RAISE(ABORT, 'audit entries are never changed');
END;

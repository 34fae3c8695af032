DROP TRIGGER audit_entries_are_new;

-- What is in the trash comes back to the list.
DROP INDEX documents_to_purge;
DROP INDEX documents_in_trash;
DROP INDEX documents_by_size;
DROP INDEX documents_by_name;
DROP INDEX documents_by_creation;
CREATE INDEX documents_by_creation ON documents (owner_id, created_at, id);
CREATE INDEX documents_by_name ON documents (owner_id, name_key, id);
CREATE INDEX documents_by_size ON documents (owner_id, size_bytes, id);
ALTER TABLE users DROP COLUMN trashed_count;
ALTER TABLE documents DROP COLUMN trashed_at;

DROP INDEX users_by_size;
CREATE INDEX users_by_size ON users (stored_bytes, id, document_count, reserved_bytes, reserved_documents);
DROP INDEX users_by_creation;
CREATE INDEX users_by_creation ON users (created_at, id);

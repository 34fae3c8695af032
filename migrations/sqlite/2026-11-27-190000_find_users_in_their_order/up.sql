-- A part of an address is looked for along the order that is asked for: with the address in the index, without the accounts.
DROP INDEX users_by_creation;
CREATE INDEX users_by_creation ON users (created_at, id, email);
DROP INDEX users_by_size;
CREATE INDEX users_by_size ON users (stored_bytes, id, email, document_count, reserved_bytes, reserved_documents);

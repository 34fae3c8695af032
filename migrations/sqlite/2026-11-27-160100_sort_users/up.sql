-- The administrators' list of users by what they keep and by age; by address it has an index. The two of a few rows each are for the
-- filters that find few. What everybody together keeps is summed from the first alone, without the accounts.
CREATE INDEX users_by_size ON users (stored_bytes, id, document_count, reserved_bytes, reserved_documents);
CREATE INDEX users_by_creation ON users (created_at, id);
CREATE INDEX users_who_administer ON users (email) WHERE role = 'admin';
CREATE INDEX users_not_active ON users (email) WHERE disabled_at IS NOT NULL OR invited_at IS NOT NULL;

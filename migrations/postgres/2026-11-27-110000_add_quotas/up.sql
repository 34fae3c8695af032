-- The most that somebody may keep, and everybody together; null where no administrator has set it.
ALTER TABLE users ADD COLUMN quota_bytes BIGINT;
ALTER TABLE users ADD COLUMN quota_documents BIGINT;
ALTER TABLE installation ADD COLUMN quota_bytes BIGINT;
ALTER TABLE installation ADD COLUMN quota_documents BIGINT;
-- What uploads that are under way may still bring; each holds its part, null when it holds none or has ended.
ALTER TABLE users ADD COLUMN reserved_bytes BIGINT NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN reserved_documents BIGINT NOT NULL DEFAULT 0;
ALTER TABLE uploads ADD COLUMN reserved_bytes BIGINT;

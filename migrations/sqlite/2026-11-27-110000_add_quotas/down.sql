ALTER TABLE uploads DROP COLUMN reserved_bytes;
ALTER TABLE users DROP COLUMN reserved_documents;
ALTER TABLE users DROP COLUMN reserved_bytes;
ALTER TABLE installation DROP COLUMN quota_documents;
ALTER TABLE installation DROP COLUMN quota_bytes;
ALTER TABLE users DROP COLUMN quota_documents;
ALTER TABLE users DROP COLUMN quota_bytes;

DROP INDEX documents_to_index;
ALTER TABLE documents DROP COLUMN words;
ALTER TABLE documents DROP COLUMN family;

ALTER TABLE documents DROP COLUMN note;
ALTER TABLE documents DROP COLUMN tags;

-- What the media type is to people ("picture", "pdf"), for the filter of the list.
ALTER TABLE documents ADD COLUMN family TEXT NOT NULL DEFAULT '';
-- The words of tags, note and what was read or recognised, each after a blank: a search that finds very much walks the list and looks
-- here. Null until the sweep has entered a document from before in the index with all of them.
ALTER TABLE documents ADD COLUMN words TEXT DEFAULT '';
UPDATE documents SET words = NULL;
CREATE INDEX documents_to_index ON documents (id) WHERE words IS NULL AND trashed_at IS NULL;

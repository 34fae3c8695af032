-- The administrators' list of everybody's documents, by name and by size.
CREATE INDEX documents_by_any_name ON documents (name_key, id);
CREATE INDEX documents_by_any_size ON documents (size_bytes, id);

-- How often a claim has been used. The claim itself is in the storage path, signed, and needs no row before its first file.
CREATE TABLE claims (
    id TEXT PRIMARY KEY NOT NULL,
    uses INTEGER NOT NULL,
    first_used_at BIGINT NOT NULL
);

-- "You already have this": the same bytes, asked for among one user's documents only.
CREATE INDEX documents_by_sha256 ON documents (owner_id, sha256);

-- A document in the trash is shown and served nowhere else; its file stays at Filestack until it is purged.
ALTER TABLE documents ADD COLUMN trashed_at BIGINT;
-- Of users.document_count, which goes on counting them. The list says how many it has without looking at each.
ALTER TABLE users ADD COLUMN trashed_count BIGINT NOT NULL DEFAULT 0;

-- The list passes over what is in the trash without reading it.
DROP INDEX documents_by_creation;
DROP INDEX documents_by_name;
DROP INDEX documents_by_size;
CREATE INDEX documents_by_creation ON documents (owner_id, created_at, id) WHERE trashed_at IS NULL;
CREATE INDEX documents_by_name ON documents (owner_id, name_key, id) WHERE trashed_at IS NULL;
CREATE INDEX documents_by_size ON documents (owner_id, size_bytes, id) WHERE trashed_at IS NULL;
-- Somebody's trash, and what is due to be purged whosever it is.
CREATE INDEX documents_in_trash ON documents (owner_id, trashed_at, id) WHERE trashed_at IS NOT NULL;
CREATE INDEX documents_to_purge ON documents (trashed_at, id) WHERE trashed_at IS NOT NULL;

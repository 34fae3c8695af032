-- When the session's owner last gave the password: dangerous acts want it again after some minutes.
ALTER TABLE sessions ADD COLUMN reauthenticated_at BIGINT NOT NULL DEFAULT 0;
-- What a token may do, words with spaces between; an empty text is all that its owner may.
ALTER TABLE api_tokens ADD COLUMN scopes TEXT COLLATE "C" NOT NULL DEFAULT '';
-- Since when somebody is invited and has no password yet.
ALTER TABLE users ADD COLUMN invited_at BIGINT;

-- Links with which somebody chooses a password, once; only the hash is kept.
CREATE TABLE password_links (
    token_hash TEXT COLLATE "C" PRIMARY KEY,
    user_id TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX password_links_by_user ON password_links (user_id);
CREATE INDEX password_links_by_expiry ON password_links (expires_at);

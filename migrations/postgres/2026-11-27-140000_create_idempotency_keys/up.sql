-- What programs have named to be done once (the header Idempotency-Key): who is at it, and the answer once it is done.
CREATE TABLE idempotency_keys (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    -- Which route it was first sent to, and what tells its body from others; empty until that is known.
    route TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    -- The request that is at it, for as long as it says so; a request whose process has died says nothing any more.
    holder TEXT NOT NULL,
    held_until BIGINT NOT NULL,
    -- The upload that the request has begun: after a crash its document may turn up later.
    upload_id TEXT,
    -- The answer, written with what it tells of.
    status INTEGER,
    answer TEXT,
    made_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, name)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (made_at);

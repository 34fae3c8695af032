-- When an event was settled for the first time. How long that took is told on the administrators' first screen, of each event once: by the
-- time at which it came it would have to be settled soon, and by that of its last settlement it would be told of again after a replay.
ALTER TABLE events ADD COLUMN first_settled_at BIGINT;
CREATE INDEX events_by_first_settlement ON events (first_settled_at) WHERE first_settled_at IS NOT NULL;

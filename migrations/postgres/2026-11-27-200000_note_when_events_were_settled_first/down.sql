DROP INDEX events_by_first_settlement;
ALTER TABLE events DROP COLUMN first_settled_at;

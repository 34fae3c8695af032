-- Nearly every event is delivered once: its first delivery is in its own row, so that recording it is one row and not two.
-- A list of names and values, JSON.
ALTER TABLE events ADD COLUMN headers TEXT NOT NULL DEFAULT '[]';
ALTER TABLE events ADD COLUMN took_micros BIGINT NOT NULL DEFAULT 0;
UPDATE events SET
    headers = coalesce((SELECT first.headers FROM event_deliveries AS first WHERE first.event_id = events.id AND first.number = 1), '[]'),
    took_micros = coalesce((SELECT first.took_micros FROM event_deliveries AS first WHERE first.event_id = events.id AND first.number = 1), 0);
DELETE FROM event_deliveries WHERE number = 1;

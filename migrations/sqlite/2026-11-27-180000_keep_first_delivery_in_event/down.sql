INSERT INTO event_deliveries (event_id, number, received_at, signed_at, headers, verdict, took_micros)
    SELECT id, 1, received_at, signed_at, headers,
        CASE WHEN sample THEN 'sample' WHEN state = 'conflict' THEN 'conflict' WHEN late THEN 'late' ELSE 'new' END, took_micros
    FROM events;
ALTER TABLE events DROP COLUMN took_micros;
ALTER TABLE events DROP COLUMN headers;

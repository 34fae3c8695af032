-- Deliveries that were answered and are not in the ledger yet: those that came together are one row, with the job that enters them.
CREATE TABLE event_batches (
    id TEXT COLLATE "C" PRIMARY KEY,
    -- A list, JSON.
    deliveries TEXT NOT NULL
);
-- It is read once, within moments: compressing it costs more than it spares.
ALTER TABLE event_batches ALTER COLUMN deliveries SET STORAGE EXTERNAL;

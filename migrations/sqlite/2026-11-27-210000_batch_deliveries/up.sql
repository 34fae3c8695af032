-- Deliveries that were answered and are not in the ledger yet: those that came together are one row, with the job that enters them.
CREATE TABLE event_batches (
    id TEXT PRIMARY KEY,
    -- A list, JSON.
    deliveries TEXT NOT NULL
);

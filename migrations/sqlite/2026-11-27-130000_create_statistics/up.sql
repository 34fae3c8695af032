-- What the administrators' first screen draws: a row for each day and figure, so that it never counts a million documents. Filled by
-- the sweep, which reads only what is newer than the mark.
CREATE TABLE daily_figures (
    -- Days since 1970.
    day INTEGER NOT NULL,
    name TEXT NOT NULL,
    value BIGINT NOT NULL,
    PRIMARY KEY (day, name)
);

-- Up to when everything is counted: one row, moved by whoever counts, so that two servers never count the same.
CREATE TABLE statistics_mark (
    id INTEGER PRIMARY KEY NOT NULL CHECK (id = 1),
    counted_until BIGINT NOT NULL
);

-- The administrators' list of everybody's documents, and of those that are not simply there.
CREATE INDEX documents_by_time ON documents (created_at, id);
CREATE INDEX documents_unusual ON documents (status, created_at, id) WHERE status <> 'stored';

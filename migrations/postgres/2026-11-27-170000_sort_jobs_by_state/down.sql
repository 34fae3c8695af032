DROP INDEX jobs_by_state;
CREATE INDEX jobs_not_done ON jobs (created_at, id) WHERE state IN ('dead', 'cancelled');

-- The administrators' list of jobs by state, and of those in any one state by age: what had an index for two states has it for all.
DROP INDEX jobs_not_done;
CREATE INDEX jobs_by_state ON jobs (state, created_at, id);

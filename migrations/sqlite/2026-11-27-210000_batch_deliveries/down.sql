-- Let the workers enter what is in it first.
DROP TABLE event_batches;

-- What is to be done with the file besides storing it: kept with the intent, so that a document that is made of it after a crash gets
-- the same steps.
ALTER TABLE uploads ADD COLUMN wish TEXT NOT NULL DEFAULT 'nothing';

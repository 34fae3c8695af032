-- What its owner says about a document. Tags stand between commas, ",invoice,tax 2026,", so that one is found by itself in the text; no
-- tag has a comma, and a document without any has the empty text.
ALTER TABLE documents ADD COLUMN tags TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE documents ADD COLUMN note TEXT COLLATE "C" NOT NULL DEFAULT '';

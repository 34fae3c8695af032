-- Which accounts have these characters in a row in their address: one among very many is found without looking at each.
CREATE VIRTUAL TABLE user_search USING fts5 (email, content = 'users', content_rowid = 'seq', tokenize = 'trigram');
INSERT INTO user_search (user_search) VALUES ('rebuild');
CREATE TRIGGER users_are_entered AFTER INSERT ON users BEGIN
    INSERT INTO user_search (rowid, email) VALUES (new.seq, new.email);
END;
CREATE TRIGGER users_are_entered_anew AFTER UPDATE OF seq, email ON users BEGIN
    INSERT INTO user_search (user_search, rowid, email) VALUES ('delete', old.seq, old.email);
    INSERT INTO user_search (rowid, email) VALUES (new.seq, new.email);
END;
CREATE TRIGGER users_are_taken_out AFTER DELETE ON users BEGIN
    INSERT INTO user_search (user_search, rowid, email) VALUES ('delete', old.seq, old.email);
END;

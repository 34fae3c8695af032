DROP TABLE password_links;
ALTER TABLE users DROP COLUMN invited_at;
ALTER TABLE api_tokens DROP COLUMN scopes;
ALTER TABLE sessions DROP COLUMN reauthenticated_at;

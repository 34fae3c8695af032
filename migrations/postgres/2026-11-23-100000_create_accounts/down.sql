DROP TABLE sign_in_attempts;
DROP TABLE api_tokens;
DROP TABLE sessions;
DROP TABLE setup_tokens;
DROP TABLE installation;
DROP TABLE users;

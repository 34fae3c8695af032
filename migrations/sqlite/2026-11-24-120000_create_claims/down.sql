DROP INDEX documents_by_sha256;
DROP TABLE claims;

-- Which accounts have these characters in a row in their address: one among very many is found without looking at each. All runs of
-- three characters; no extension is needed.
CREATE FUNCTION runs_of_three(address TEXT) RETURNS TEXT[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
    'SELECT array_agg(DISTINCT substr(address, n, 3)) FROM generate_series(1, length(address) - 2) AS n';
CREATE INDEX users_by_part_of_address ON users USING gin (runs_of_three(email));

-- PostgreSQL changes a row in the way of another by UPDATE alone, which is refused already.
SELECT 1;

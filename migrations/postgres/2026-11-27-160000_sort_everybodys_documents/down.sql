DROP INDEX documents_by_any_size;
DROP INDEX documents_by_any_name;

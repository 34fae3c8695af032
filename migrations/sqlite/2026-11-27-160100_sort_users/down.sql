DROP INDEX users_not_active;
DROP INDEX users_who_administer;
DROP INDEX users_by_creation;
DROP INDEX users_by_size;

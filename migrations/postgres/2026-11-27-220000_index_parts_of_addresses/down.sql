DROP INDEX users_by_part_of_address;
DROP FUNCTION runs_of_three;

DROP TRIGGER users_are_taken_out;
DROP TRIGGER users_are_entered_anew;
DROP TRIGGER users_are_entered;
DROP TABLE user_search;

DROP INDEX documents_unusual;
DROP INDEX documents_by_time;
DROP TABLE statistics_mark;
DROP TABLE daily_figures;
